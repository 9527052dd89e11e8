import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { WorkerSnapshot } from "../../../runtime/checkpoint/worker_snapshot.ts";
import { SNAPSHOT_KEYS_PER_STEP } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { decodeChanges } from "../../../runtime/state/key_changes.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { handlesOf, StateCursor } from "../../../runtime/state/memory_state.ts";
import { store } from "../../../runtime/state/state.ts";
import { EpochSnapshot } from "../../../runtime/worker/epoch_snapshot.ts";
import { stagePart } from "../checkpoint/stage_parts.ts";
import { HandClock } from "../hand_clock.ts";

const specs = { sum: store.value<unknown>() };

/** Keyed state, and a turn that sets a key's sum. */
function counted() {
  const state = new KeyedState(specs, seededRandom(1));
  const cursor = new StateCursor(state);
  const { sum } = handlesOf(specs, cursor);
  const set = (key: string, value: unknown, group = 0) => {
    const slot = state.enterKey(key, group);
    cursor.begin(slot);
    sum.value = value;
    cursor.commit();
    state.leave(slot);
  };
  return { state, set };
}

function snapshot(stages: readonly string[], sinks = 0, epoch = 1) {
  const clock = new HandClock();
  const log: string[] = [];
  const done: WorkerSnapshot[] = [];
  const of = new EpochSnapshot({
    epoch,
    stages,
    sinks,
    clock,
    done: (snapshot) => done.push(snapshot),
    failed: (error) => log.push(`failed: ${error}`),
    passed: () => log.push("passed"),
  });
  return { of, clock, log, done };
}

/** The sums in what was handed over, by key. */
function sumsIn({ bytes, chunks }: WorkerSnapshot, operator: string): Record<string, unknown> {
  const found = chunks.filter((chunk) => chunk.operator === operator)
    .map(({ offset, length }) => decodeChanges(bytes.subarray(offset, offset + length)));
  return Object.fromEntries(
    found.flatMap(({ keys, cells }) => keys.map((key, row) => [key, cells[0]?.[row]])),
  );
}

describe("EpochSnapshot", () => {
  it("hands over once all stages are there and read, and all sinks have written", () => {
    const { of, clock, log, done } = snapshot(["in", "sum", "again"], 2);
    const [sum, again] = [counted(), counted()];
    sum.set("a", 3);
    again.set("b", 4);
    of.source([{ source: "in", shard: "s0", position: "7" }], stagePart("in"));
    assertEquals([of.lacks("in"), of.lacks("sum")], [false, true]);
    of.stage(stagePart("sum"), sum.state, 5);
    clock.runDeferred();
    of.sink("plain", undefined);
    of.stage(stagePart("again"), again.state, 2);
    assertEquals(log, ["passed"]);
    clock.pass(9);
    clock.runDeferred();
    assertEquals(done, []);
    of.sink("exact", { file: 1 });
    const [snap, ...more] = done;
    if (snap === undefined) throw new Error("Nothing was handed over");
    assertEquals(more, []);
    assertEquals([sumsIn(snap, "sum"), sumsIn(snap, "again")], [{ a: 3 }, { b: 4 }]);
    assertEquals(snap.stages.map(({ name }) => name), ["in", "sum", "again"]);
    assertEquals(snap.shards, [{ source: "in", shard: "s0", position: "7" }]);
    assertEquals([snap.epoch, snap.sinks, snap.figures.alignMs, snap.figures.totalMs], [
      1,
      { exact: { file: 1 } },
      5,
      9,
    ]);
  });

  it("has state as it was at the barrier, though turns change it before it is read", () => {
    const { of, clock, done } = snapshot(["sum"]);
    const { state, set } = counted();
    set("a", 3);
    of.stage(stagePart("sum"), state, 0);
    set("a", 4);
    set("b", 1);
    clock.runDeferred();
    assertEquals(done.map((snap) => sumsIn(snap, "sum")), [{ a: 3 }]);
  });

  it("reads a little at a time, between turns", () => {
    const { of, clock, done } = snapshot(["sum"]);
    const { state, set } = counted();
    for (let key = 0; key < 2 * SNAPSHOT_KEYS_PER_STEP; key++) set(`k${key}`, key, key % 2);
    of.stage(stagePart("sum"), state, 0);
    clock.runDeferred();
    assertEquals([done.length, clock.waiting], [0, 1]);
    for (let step = 0; step < 10 && done.length === 0; step++) clock.runDeferred();
    assertEquals(done[0]?.chunks.map(({ keys }) => keys), [
      SNAPSHOT_KEYS_PER_STEP,
      SNAPSHOT_KEYS_PER_STEP,
    ]);
    assertEquals(clock.waiting, 0);
  });

  it("takes only what changed since the one before that was committed", () => {
    const { state, set } = counted();
    const take = (epoch: number) => {
      const { of, clock, done } = snapshot(["sum"], 0, epoch);
      of.stage(stagePart("sum"), state, 0);
      clock.runDeferred();
      return { of, sums: done.map((snap) => sumsIn(snap, "sum")) };
    };
    set("a", 1);
    const first = take(1);
    first.of.committed();
    set("b", 2);
    const second = take(2);
    assertEquals([first.sums, second.sums], [[{ a: 1 }], [{ b: 2 }]]);
    second.of.aborted();
    assertEquals(take(3).sums, [{ b: 2 }], "what was aborted counts as changed again");
  });

  it("says of which stages it is all that there is, and how many timers they have", () => {
    const { of, clock, done } = snapshot(["sum", "other"]);
    const [sum, other] = [counted(), counted()];
    for (const { set } of [sum, other]) set("a", 1);
    sum.state.changed.takeWholeNext();
    const slot = other.state.keys.find("a");
    for (const name of ["x", "y"]) other.state.timersOf(0).event.set(slot, name, 5);
    of.stage(stagePart("sum"), sum.state, 0);
    of.stage(stagePart("other"), other.state, 0);
    clock.runDeferred();
    const [snap] = done;
    assertEquals(snap?.wholes, ["sum"]);
    assertEquals(snap?.chunks.map(({ operator, isBase }) => [operator, isBase]), [
      ["sum", true],
      ["other", false],
    ]);
    assertEquals(snap?.stages.map(({ name, timers }) => [name, timers]), [["sum", 0], [
      "other",
      2,
    ]]);
  });

  it("never hands over what was aborted, at whatever point, and leaves nothing to be done", () => {
    for (const when of ["before the stage", "before it is read", "before the sink"]) {
      const { of, clock, done } = snapshot(["in", "sum"], 1);
      const { state, set } = counted();
      set("a", 1);
      const abortIf = (now: string) => when === now && of.aborted();
      of.source([], stagePart("in"));
      abortIf("before the stage");
      of.stage(stagePart("sum"), state, 0);
      abortIf("before it is read");
      clock.runDeferred();
      abortIf("before the sink");
      of.sink("out", 1);
      clock.runDeferred();
      assertEquals([done, clock.waiting], [[], 0], when);
      const next = snapshot(["sum"]);
      next.of.stage(stagePart("sum"), state, 0);
      next.clock.runDeferred();
      assertEquals(next.done.map((snap) => sumsIn(snap, "sum")), [{ a: 1 }], when);
    }
  });

  it("takes a stage once, whether by its barrier or by its end", () => {
    const { of, clock, done, log } = snapshot(["in", "other"]);
    of.source([{ source: "in", shard: "s0", position: "1" }], stagePart("in"));
    of.source([], stagePart("in"));
    assertEquals(log, []);
    of.source([], stagePart("other"));
    clock.runDeferred();
    assertEquals(done[0]?.stages.map(({ name }) => name), ["in", "other"]);
  });

  it("fails when a value can't be encoded", () => {
    const { of, clock, done, log } = snapshot(["sum"]);
    const { state, set } = counted();
    set("a", { call: () => {} });
    of.stage(stagePart("sum"), state, 0);
    clock.runDeferred();
    assertEquals([done.length, log.length], [0, 2]);
    assertEquals(log[1]?.startsWith("failed: "), true);
  });
});
