import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fitCheckpoint } from "../../../runtime/checkpoint/fit_checkpoint.ts";
import type { Chunk, Manifest } from "../../../runtime/checkpoint/manifest.ts";
import type { StageTime } from "../../../runtime/checkpoint/stage_times.ts";
import type { JobPlan } from "../../../runtime/stage_plan.ts";
import { restoredJob } from "../../../runtime/supervisor/restored_job.ts";
import { stageTime } from "../checkpoint/stage_parts.ts";
import { KEYED_PLAN } from "./checkpoint_parts.ts";

const chunk = (offset: number): Chunk => ({ part: "p", offset, length: 1, keys: 1, deleted: 0 });

const MANIFEST: Manifest = {
  format: 1,
  id: 7,
  job: "demo",
  kind: "checkpoint",
  at: 0,
  startedAt: 0,
  maxParallelism: 4,
  workers: 1,
  operators: [{
    name: "sum",
    kind: "keyed",
    states: [{ name: "sum", kind: "value", version: 1, holds: "number" }],
    keys: 3,
    bytes: 4,
  }],
  chunks: [
    { operator: "sum", group: 0, chain: [chunk(0), chunk(3)] },
    { operator: "sum", group: 1, chain: [chunk(1)] },
    { operator: "sum", group: 3, chain: [chunk(2)] },
  ],
  sources: [{
    name: "in",
    kind: "memory",
    of: "numbers",
    shards: [
      { id: "old", parents: [], state: "ended" },
      { id: "s0", parents: ["old"], state: "reading", position: "9" },
    ],
  }],
  sinks: [],
  rest: { part: "p", offset: 0, length: 0 },
  parts: [{ name: "p", bytes: 28, crc32: 0 }],
};

const call = (operator: string, owner: string | number) => ({
  operator,
  owner,
  value: owner,
  timestamp: 0,
  shard: "in/s0",
  position: "1",
  sub: 0,
  key: undefined,
  bytes: 1,
});

const stage = (name: string, more: Partial<StageTime> = {}) =>
  stageTime(name, { watermark: 5, ...more });

function restored(options: { plan?: JobPlan; stages?: StageTime[]; anew?: string } = {}) {
  const { anew, stages = [stage("in"), stage("sum")] } = options;
  const plan = options.plan ?? { ...KEYED_PLAN, maxParallelism: 4 };
  const bytes = new Uint8Array([10, 11, 12, 13]);
  return restoredJob({
    manifest: MANIFEST,
    rest: { stages, sinks: { out: ["of one", "of another"] } },
    chunkAt: ({ offset, length }) => bytes.slice(offset, offset + length),
  }, {
    plan,
    fit: fitCheckpoint(MANIFEST, plan, { allowDroppedState: true }),
    routing: [0, 0, 1, 1],
    workers: 2,
    anew: (operator) => operator === anew,
  });
}

describe("restoredJob()", () => {
  it("gives each worker the key groups that it has now, with their chains in order", () => {
    const { workers } = restored();
    const groups = workers.map(({ stages }) =>
      stages["sum"]?.groups.map(({ group, chain }) => [group, ...chain.map(([byte]) => byte)])
    );
    assertEquals(groups, [[[0, 10, 13], [1, 11]], [[3, 12]]]);
    assertEquals(workers.map(({ epoch }) => epoch), [7, 7]);
    assertEquals(workers[1]?.stages["in"]?.groups, []);
  });

  it("has the first worker commit what all had prepared, and no other", () => {
    assertEquals(restored().workers.map(({ sinks }) => sinks), [
      { out: ["of one", "of another"] },
      {},
    ]);
  });

  it("has the shards go on from their positions, but not those of a source that is no more", () => {
    assertEquals(restored().shards, {
      in: [
        { id: "old", parents: [], state: "ended", position: undefined },
        { id: "s0", parents: ["old"], state: "reading", position: "9" },
      ],
    });
    const plan = { ...KEYED_PLAN, maxParallelism: 4, sources: [] };
    assertEquals(restored({ plan }).shards, {});
  });

  it("has calls made again where their key group is now, and those of shards by whoever reads the shard", () => {
    const stages = [
      stage("in", { pending: [call("look up", "in/s0")] }),
      stage("sum", { pending: [call("look up", 0), call("look up", 3), call("look up", 1)] }),
    ];
    const plan = {
      ...KEYED_PLAN,
      maxParallelism: 4,
      stages: KEYED_PLAN.stages.map((of) => ({ ...of, calls: ["look up"] })),
    };
    const owners = restored({ stages, plan }).workers.map(({ stages }) =>
      ["in", "sum"].map((name) => stages[name]?.pending.map(({ owner }) => owner))
    );
    assertEquals(owners, [[["in/s0"], [0, 1]], [["in/s0"], [3]]]);
  });

  it("gives all workers times and broadcast state, and says what is written anew", () => {
    const broadcast = { rules: new Map([["a", 1]]) };
    const { workers } = restored({
      stages: [stage("in"), stage("sum", { watermark: 8, broadcast })],
      anew: "sum",
    });
    for (const { stages } of workers) {
      const { watermark, broadcast: of, anew, dropped } = stages["sum"] ?? {};
      assertEquals([watermark, of, anew, dropped], [8, broadcast, true, []]);
      assertEquals(stages["in"]?.anew, false);
    }
  });

  it("leaves a stage out that the checkpoint does not know", () => {
    assertEquals(Object.keys(restored({ stages: [stage("in")] }).workers[0]?.stages ?? {}), ["in"]);
  });
});
