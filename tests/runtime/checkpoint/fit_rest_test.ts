import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Fit, RestoreError } from "../../../runtime/checkpoint/fit_checkpoint.ts";
import { fitRest } from "../../../runtime/checkpoint/fit_rest.ts";
import type { StageTime } from "../../../runtime/checkpoint/stage_times.ts";
import type { PendingCall } from "../../../runtime/checkpoint/worker_snapshot.ts";
import type { JobPlan, KeyByEdge, PlannedStage } from "../../../runtime/stage_plan.ts";
import type { GateTime } from "../../../runtime/time/gate_watermark.ts";
import type { OriginTime } from "../../../runtime/time/watermark.ts";
import { FULL_MANIFEST } from "./sample_checkpoint.ts";
import { stageTime } from "./stage_parts.ts";

const keyed = (name: string, of: Partial<PlannedStage> = {}): PlannedStage => ({
  ...{ name, kind: "keyed", states: [], calls: [] },
  ...of,
});
const source = (name: string, ...calls: string[]): PlannedStage => ({
  ...{ name, kind: "source", states: [], calls },
});
const edge = (from: string, to: string, input = 0): KeyByEdge & { key: string; as: "rows" } => ({
  ...{ id: 0, from, to, input, keyBy: 0, key: "", as: "rows" },
});
const planned = (stages: readonly PlannedStage[], of: Partial<JobPlan> = {}): JobPlan => ({
  ...{ job: "demo", maxParallelism: 128, onError: "resume", sinks: [], decoding: [] },
  sources: stages.flatMap(({ name, kind }) =>
    kind === "source" ? [{ name, kind: "scripted", of: name, bounded: false }] : []
  ),
  stages,
  edges: [],
  ...of,
});
const time = (name: string, of: Partial<StageTime> = {}) =>
  stageTime(name, { watermark: 5, ...of });
const origin = (name: string): OriginTime => ({
  ...{ name, at: 5, idle: false, aligned: true, spoken: true },
});
const call = (operator: string, owner: string | number): PendingCall => ({
  ...{ operator, owner, value: 1, timestamp: 0, shard: "", position: "", sub: 0 },
  ...{ key: undefined, bytes: 1 },
});
const fitOf = (...sources: string[]): Fit => ({ operators: [], sources, dropped: [] });

describe("fitRest()", () => {
  const fitted = (
    rest: Parameters<typeof fitRest>[0]["rest"],
    plan: JobPlan,
    fit: Fit,
    allowDroppedState = false,
    manifest = FULL_MANIFEST,
  ) => fitRest({ manifest, rest }, plan, { fit, allowDroppedState });

  it("leaves alone what is as it was", () => {
    const inputs: GateTime[] = [{
      splits: { in: { at: 5, saidIdle: false, splits: [] } },
      channels: { at: 5, idle: false, origins: ["in", "in/a@0", "mid@1"].map(origin) },
    }];
    const rest = {
      stages: [
        time("in", { pending: [call("ask", "in/a")] }),
        time("mid"),
        time("sum", { inputs, broadcast: { rules: 1 }, pending: [call("tell", -1)] }),
      ],
      sinks: { totals: [1, 2] },
    };
    const [{ name, kind, of } = { name: "", kind: "", of: "" }] = FULL_MANIFEST.sinks;
    const sum = keyed("sum", { calls: ["tell"], broadcast: [] });
    const plan = planned([source("in", "ask"), keyed("mid"), sum], {
      sinks: [{ name, kind, of }],
      edges: [edge("in", "sum"), edge("mid", "sum")],
    });
    assertEquals(fitted(rest, plan, fitOf("in")), { rest, dropped: [] });
  });

  it("does not wait for who feeds an input no more, and keeps those of the others", () => {
    const names = ["in", "in/a@0", "gone", "gone/a", "was@0", "mid@0", "in@0", "other/x"];
    const inputs: GateTime[] = [{
      splits: {
        in: { at: 5, saidIdle: false, splits: [] },
        gone: { at: 1, saidIdle: false, splits: [] },
      },
      channels: { at: 5, idle: false, origins: names.map(origin) },
    }];
    const stages = [source("in"), source("other"), keyed("mid"), keyed("sum")];
    const edges = [edge("in", "sum"), edge("mid", "sum"), edge("other", "sum", 1)];
    const { rest } = fitted(
      { stages: [time("sum", { inputs })], sinks: {} },
      planned(stages, { edges }),
      fitOf("in", "other"),
    );
    const [left] = rest.stages[0]?.inputs ?? [];
    assertEquals(Object.keys(left?.splits ?? {}), ["in"]);
    assertEquals(left?.channels.origins.map(({ name }) => name), ["in", "in/a@0", "mid@0"]);
    // A source that begins anew is as one that is new.
    const anew = fitted(
      { stages: [time("in"), time("sum", { inputs })], sinks: {} },
      planned(stages, { edges }),
      fitOf("other"),
      true,
    );
    assertEquals(anew.rest.stages.map(({ name }) => name), ["sum"]);
    const [of] = anew.rest.stages[0]?.inputs ?? [];
    assertEquals(of?.channels.origins.map(({ name }) => name), ["mid@0"]);
  });

  it("leaves out what is called by its place where places have changed", () => {
    const manifest = (...names: string[]) => ({
      ...FULL_MANIFEST,
      operators: names.map((name) => ({ name, kind: "keyed", states: [], keys: 0, bytes: 0 })),
    });
    const rest = { stages: [time("pipe-3"), time("sum")], sinks: {} };
    const plan = planned([keyed("pipe-3"), keyed("sum")]);
    const names = (...before: string[]) =>
      fitted(rest, plan, fitOf(), false, manifest(...before)).rest.stages.map(({ name }) => name);
    assertEquals(names("sum", "pipe-3"), ["pipe-3", "sum"]);
    assertEquals(names("sum", "pipe-2", "pipe-3"), ["sum"]);
  });

  it("refuses to lose calls of what is gone, by operator and number", () => {
    const pending = [call("ask", 3), call("ask", 4), call("tell", 3), call("tell", -1)];
    const rest = { stages: [time("sum", { pending })], sinks: {} };
    const cases: readonly (readonly [readonly PlannedStage[], string, number])[] = [
      [[], '2 calls of mapAsync "ask" under way belong behind "sum", which is not in the job', 0],
      [
        [keyed("sum", { calls: ["tell"], broadcast: [] })],
        '2 calls of mapAsync "ask" under way belong behind "sum", where the job has no such mapAsync',
        2,
      ],
      [
        [keyed("sum", { calls: ["ask", "tell"] })],
        '1 call of mapAsync "tell" under way belongs to records of "sum" that the job does not go on from',
        3,
      ],
    ];
    for (const [stages, message, left] of cases) {
      const plan = planned(stages);
      assertThrows(() => fitted(rest, plan, fitOf()), RestoreError, message);
      const { rest: { stages: [first] }, dropped } = fitted(rest, plan, fitOf(), true);
      assertEquals(first?.pending.length ?? 0, left);
      assertEquals(dropped[0], message.slice(0, message.indexOf(" under way") + 10));
    }
  });

  it("leaves out broadcast state that is dropped, and only that", () => {
    const rest = { stages: [time("sum", { broadcast: { rules: 1, names: 2 } })], sinks: {} };
    const operator = { name: "sum", dropped: [], migrated: {}, droppedBroadcast: ["rules"] };
    const fit = { ...fitOf(), operators: [operator] };
    assertEquals(
      fitted(rest, planned([keyed("sum")]), fit).rest.stages[0]?.broadcast,
      { names: 2 },
    );
  });
});
