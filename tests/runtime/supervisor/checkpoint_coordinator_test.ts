import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeChanges } from "../../../runtime/state/key_changes.ts";
import { CHECKPOINT_WRITE_WAIT_MS_MAX } from "../../../runtime/limits.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { CheckpointCoordinator } from "../../../runtime/supervisor/checkpoint_coordinator.ts";
import type { CheckpointEvent } from "../../../runtime/supervisor/checkpoint_event.ts";
import {
  type CheckpointOptions,
  checkpointPolicy,
} from "../../../runtime/supervisor/checkpoint_policy.ts";
import type { RestoredJob } from "../../../runtime/supervisor/attempt_listener.ts";
import { turns } from "../../connectors/event_loop.ts";
import { HandClock } from "../hand_clock.ts";
import { type Changed, jobSnapshot, KEYED_PLAN, shelfOver, TestStore } from "./checkpoint_parts.ts";

const ROUTING = [0, 0];

/** A coordinator of an attempt that says what it is told; a test gives its snapshots. */
async function coordinated(options: CheckpointOptions = {}, store = new TestStore()) {
  const clock = new HandClock();
  const log: string[] = [];
  const events: CheckpointEvent[] = [];
  const { shelf, catalogue } = await shelfOver(store, clock);
  const coordinator = new CheckpointCoordinator({
    shelf,
    policy: checkpointPolicy({ interval: 100, timeout: 50, ...options }),
    clock,
    logger: silentLogger,
    allowDroppedState: false,
    startedAt: 7,
    failed: (error) => log.push(error.message),
    closed: () => Promise.resolve(void log.push("closed")),
    onCheckpoint: (event) => events.push(event),
  });
  const attempt = {
    isEnding: false,
    barrier(epoch: number) {
      if (!attempt.isEnding) log.push(`barrier ${epoch}`);
      return !attempt.isEnding;
    },
    committed: (epoch: number) => void log.push(`committed ${epoch}`),
    aborted: (epoch: number) => void log.push(`aborted ${epoch}`),
  };
  const restore = () => coordinator.restore(KEYED_PLAN, ROUTING, 1);
  const begin = async () => {
    const restored = await restore();
    coordinator.begin(attempt);
    return restored;
  };
  const hand = async (epoch: number, changed: Changed = {}) => {
    coordinator.snapshot(jobSnapshot(epoch, changed));
    await turns(2);
  };
  return { coordinator, clock, log, events, attempt, begin, restore, hand, store, catalogue };
}

/** The sums that an attempt begins with. */
function sumsIn(restored: RestoredJob | undefined): Record<string, unknown> {
  const groups = restored?.workers[0]?.stages["sum"]?.groups ?? [];
  const sums = new Map<string, unknown>();
  for (const chunk of groups.flatMap(({ chain }) => chain)) {
    const { keys, cells, deleted } = decodeChanges(chunk);
    for (const key of deleted) sums.delete(String(key));
    for (const [row, key] of keys.entries()) sums.set(String(key), cells[0]?.[row]);
  }
  return Object.fromEntries(sums);
}

describe("CheckpointCoordinator", () => {
  it("takes one each interval, counted from the beginning, and tells how it went", async () => {
    const { clock, log, events, begin, hand } = await coordinated();
    assertEquals(await begin(), undefined);
    clock.pass(99);
    assertEquals(log, []);
    clock.pass(1);
    assertEquals(log, ["barrier 1"]);
    clock.pass(30);
    await hand(1, { 0: { put: { a: 1, b: 2 }, gone: ["c"] } });
    assertEquals(log, ["barrier 1", "committed 1"]);
    assertEquals([events[0]?.epoch, events[0]?.tookMs, events[0]?.changedKeys], [1, 30, 3]);
    clock.pass(69);
    assertEquals(log.length, 2);
    clock.pass(1);
    assertEquals(log.slice(2), ["barrier 2"]);
  });

  it("leaves the least pause after one that took long, and never has two under way", async () => {
    const { clock, log, begin, hand } = await coordinated({ minPause: 40, timeout: 1000 });
    await begin();
    clock.pass(400);
    assertEquals(log, ["barrier 1"]);
    await hand(1);
    clock.pass(39);
    assertEquals(log.length, 2);
    clock.pass(1);
    assertEquals(log.slice(2), ["barrier 2"]);
  });

  it("gives up one that takes too long, and takes nothing of it later", async () => {
    const { clock, log, begin, hand, catalogue } = await coordinated();
    await begin();
    clock.pass(100);
    clock.pass(49);
    assertEquals(log, ["barrier 1"]);
    clock.pass(1);
    assertEquals(log, ["barrier 1", "aborted 1"]);
    await hand(1);
    clock.pass(50);
    await hand(1);
    assertEquals(log.slice(2), ["barrier 2"]);
    await hand(2);
    assertEquals(log.slice(3), ["committed 2"]);
    assertEquals((await catalogue.list()).map(({ id }) => id), [2]);
  });

  it("goes on when a worker declines or the store fails, as often in a row as is tolerated", async () => {
    const { clock, log, begin, hand, coordinator, store } = await coordinated({
      toleratedFailures: 1,
    });
    await begin();
    clock.pass(100);
    coordinator.declined(1, new Error("a value can't be encoded"));
    clock.pass(100);
    await hand(2);
    clock.pass(100);
    store.fails = new Error("disk full");
    await hand(3);
    assertEquals(log, [
      ...["barrier 1", "aborted 1", "barrier 2", "committed 2", "barrier 3", "aborted 3"],
    ]);
    clock.pass(100);
    coordinator.declined(3, new Error("late"));
    assertEquals(log.slice(6), ["barrier 4"], "what is said of an earlier one changes nothing");
    coordinator.declined(4, new Error("again"));
    assertEquals(log.slice(7), [
      "aborted 4",
      "2 checkpoints in a row failed, 1 are tolerated: Checkpoint 4 failed: again",
    ]);
    clock.pass(1000);
    assertEquals([log.length, clock.waiting], [9, 0]);
  });

  it("counts failures anew with each attempt", async () => {
    const { clock, log, begin, coordinator } = await coordinated({ toleratedFailures: 0 });
    for (const epoch of [1, 2]) {
      await begin();
      clock.pass(100);
      coordinator.declined(epoch, new Error("no"));
      coordinator.end();
    }
    assertEquals(log.filter((line) => line.startsWith("1 checkpoints in a row")).length, 2);
  });

  it("takes a savepoint at once, and for one asked for meanwhile another behind it", async () => {
    const { clock, log, begin, hand, coordinator } = await coordinated();
    await begin();
    const first = coordinator.checkpoint();
    assertEquals(log, ["barrier 1"]);
    const second = coordinator.checkpoint();
    const third = coordinator.checkpoint();
    assertEquals(log, ["barrier 1"]);
    await hand(1);
    assertEquals([(await first).id, log], [1, ["barrier 1", "committed 1", "barrier 2"]]);
    await hand(2);
    assertEquals([(await second).id, (await third).id], [2, 2]);
    clock.pass(99);
    assertEquals(log.length, 4);
  });

  it("rejects a savepoint that fails, or when the attempt ends, or when none runs", async () => {
    const { begin, coordinator } = await coordinated();
    await assertRejects(() => coordinator.checkpoint(), Error, "the job is not running");
    await begin();
    const declined = coordinator.checkpoint();
    const waiting = coordinator.checkpoint();
    coordinator.declined(1, new Error("no"));
    await assertRejects(() => declined, Error, "Checkpoint 1 failed: no");
    coordinator.end();
    await assertRejects(() => waiting, Error, "the job has stopped or failed meanwhile");
  });

  it("has one number for the last snapshot: aborts what is under way, and serves who waits", async () => {
    const { begin, coordinator, clock, log, hand, catalogue } = await coordinated();
    await begin();
    const served = coordinator.checkpoint();
    const waiting = coordinator.checkpoint();
    assertEquals([coordinator.lastEpoch(), log], [2, ["barrier 1", "aborted 1"]]);
    await hand(1);
    await coordinator.lastSnapshot(jobSnapshot(2));
    assertEquals([(await served).id, (await waiting).id], [2, 2]);
    assertEquals([log.slice(2), clock.waiting], [["committed 2"], 0]);
    assertEquals((await catalogue.list()).map(({ id }) => id), [2]);
  });

  it("leaves a job that is ending alone: those who ask get its last snapshot", async () => {
    const { begin, coordinator, attempt, clock, log } = await coordinated();
    await begin();
    attempt.isEnding = true;
    clock.pass(100);
    assertEquals([log, clock.waiting], [[], 0]);
    const asked = coordinator.checkpoint();
    await coordinator.lastSnapshot(jobSnapshot(coordinator.lastEpoch()));
    assertEquals((await asked).id, 1);
  });

  it("lets what is under way come to nothing when the attempt ends", async () => {
    const { begin, coordinator, clock, log, hand } = await coordinated();
    await begin();
    clock.pass(100);
    coordinator.end();
    await hand(1);
    clock.pass(1000);
    assertEquals([log, clock.waiting], [["barrier 1"], 0]);
    await begin();
    clock.pass(100);
    assertEquals(log.slice(1), ["barrier 2"], "its number is not given again");
  });

  it("restores the last one that was kept, with when the job first started", async () => {
    const store = new TestStore();
    const before = await coordinated({}, store);
    await before.begin();
    before.clock.pass(100);
    await before.hand(1, { 0: { put: { a: 1, b: 2 } } });
    before.clock.pass(100);
    await before.hand(2, { 0: { put: { a: 5 }, gone: ["b"] } });
    const after = await coordinated({}, store);
    const restored = await after.begin();
    assertEquals([sumsIn(restored), restored?.shards["in"]?.[0]?.position], [{ a: 5 }, "2"]);
    assertEquals([restored?.workers[0]?.epoch, restored?.startedAt], [2, 7]);
    after.clock.pass(100);
    assertEquals(after.log, ["barrier 3"]);
    await after.hand(3, { 0: { put: { c: 1 } } });
    assertEquals(sumsIn(await after.restore()), { a: 5, c: 1 });
  });

  it("waits for a write of the attempt before, so that the next one begins with what it wrote", async () => {
    const { begin, restore, coordinator, clock, hand, store, log } = await coordinated();
    await begin();
    clock.pass(100);
    const stored = Promise.withResolvers<void>();
    store.waits = stored.promise;
    await hand(1, { 0: { put: { a: 1 } } });
    coordinator.end();
    let restored: RestoredJob | "not yet" | undefined = "not yet";
    const restoring = restore().then((of) => restored = of);
    await turns(3);
    assertEquals(restored, "not yet");
    stored.resolve();
    await restoring;
    assert(restored !== "not yet");
    assertEquals([sumsIn(restored), log], [{ a: 1 }, ["barrier 1"]]);
  });

  it("takes a checkpoint away that was given up while it was written, and builds nothing upon it", async () => {
    const { begin, restore, clock, hand, store, log, catalogue } = await coordinated();
    await begin();
    clock.pass(100);
    const stored = Promise.withResolvers<void>();
    store.waits = stored.promise;
    await hand(1, { 0: { put: { a: 1, b: 1 } } });
    store.waits = undefined;
    clock.pass(50);
    clock.pass(50);
    assertEquals(log, ["barrier 1", "aborted 1", "barrier 2"]);
    // What was aborted is handed over again.
    await hand(2, { 0: { put: { a: 2, b: 1 } } });
    assertEquals(log.slice(3), ["committed 2"]);
    stored.resolve();
    await turns(4);
    assertEquals((await catalogue.list()).map(({ id }) => id), [2]);
    clock.pass(100);
    await hand(3, { 0: { put: { c: 3 } } });
    assertEquals(log.slice(4), ["barrier 3", "committed 3"]);
    assertEquals(sumsIn(await restore()), { a: 2, b: 1, c: 3 });
  });

  it("leaves a checkpoint in the store that turns up when the next attempt has begun, and builds nothing upon it", async () => {
    const { begin, restore, coordinator, clock, hand, store, log, catalogue } = await coordinated();
    await begin();
    clock.pass(100);
    const stored = Promise.withResolvers<void>();
    store.waits = stored.promise;
    await hand(1, { 0: { put: { a: 1 } } });
    store.waits = undefined;
    // Given up, but whoever begins next may find it there.
    clock.pass(50);
    coordinator.end();
    const beginning = begin();
    await turns(1);
    clock.pass(CHECKPOINT_WRITE_WAIT_MS_MAX);
    assertEquals(await beginning, undefined);
    clock.pass(100);
    stored.resolve();
    await turns(2);
    await hand(2, { 0: { put: { b: 2 } } });
    assertEquals(log, ["barrier 1", "aborted 1", "barrier 2", "committed 2"]);
    assertEquals((await catalogue.list()).map(({ id }) => id), [2, 1]);
    assertEquals(sumsIn(await restore()), { b: 2 });
  });

  it("fails when the last snapshot takes too long, and takes it away should it turn up", async () => {
    const { begin, coordinator, clock, store, log, catalogue } = await coordinated();
    await begin();
    const stored = Promise.withResolvers<void>();
    store.waits = stored.promise;
    const last = coordinator.lastSnapshot(jobSnapshot(coordinator.lastEpoch()));
    await turns(1);
    clock.pass(50);
    await assertRejects(
      () => last,
      Error,
      "Checkpoint 1, the last one, was not complete within 50 ms",
    );
    stored.resolve();
    await turns(2);
    assertEquals([await catalogue.list(), log, clock.waiting], [[], [], 0]);
  });

  it("gives the copy for a savepoint a number below that of the next checkpoint", async () => {
    const { begin, coordinator, hand, log, restore, catalogue } = await coordinated();
    await begin();
    const savepoint = coordinator.savepoint();
    const next = coordinator.checkpoint();
    await hand(1, { 0: { put: { a: 1 } } });
    assertEquals(log, ["barrier 1", "committed 1", "barrier 3"]);
    const { id, kind } = await savepoint;
    assertEquals([id, kind], [2, "savepoint"]);
    await hand(3, { 0: { put: { a: 3 } } });
    assertEquals((await next).id, 3);
    assertEquals((await catalogue.list()).map(({ id }) => id), [3, 2, 1]);
    assertEquals(sumsIn(await restore()), { a: 3 });
  });

  it("copies a savepoint to another store without a number of its own, and waits for the copy at the end", async () => {
    const { begin, coordinator, hand, log, clock } = await coordinated();
    await begin();
    const other = new TestStore();
    const stored = Promise.withResolvers<void>();
    other.waits = stored.promise;
    const savepoint = coordinator.savepoint(await other.open(clock));
    const next = coordinator.checkpoint();
    await hand(1);
    assertEquals(log, ["barrier 1", "committed 1", "barrier 2"]);
    await hand(2);
    assertEquals((await next).id, 2);
    const closing = coordinator.close();
    await turns(2);
    assertEquals(log.includes("closed"), false);
    stored.resolve();
    await closing;
    assertEquals([(await savepoint).id, log.at(-1)], [1, "closed"]);
  });

  it("rejects a savepoint whose copy can't be written, though its checkpoint is there", async () => {
    const { begin, coordinator, hand, log, clock } = await coordinated();
    await begin();
    const other = new TestStore();
    other.fails = new Error("no room");
    const savepoint = coordinator.savepoint(await other.open(clock));
    const refused = assertRejects(() => savepoint, Error, "no room");
    await hand(1);
    await refused;
    assertEquals(log, ["barrier 1", "committed 1"]);
  });

  it("takes no checkpoint while it is held, neither by the clock nor for who asks", async () => {
    const { begin, coordinator, clock, log, hand } = await coordinated();
    await begin();
    clock.pass(60);
    await coordinator.hold();
    assertEquals(clock.waiting, 0);
    const asked = coordinator.checkpoint();
    clock.pass(500);
    assertEquals(log, []);
    assertEquals(coordinator.nextEpoch(), 1);
    coordinator.release(ROUTING);
    assertEquals(log, ["barrier 2"], "a number that was given is not given again");
    await hand(2);
    assertEquals((await asked).id, 2);
  });

  it("counts the interval on while it is held", async () => {
    const { begin, coordinator, clock, log } = await coordinated();
    await begin();
    clock.pass(30);
    await coordinator.hold();
    clock.pass(30);
    coordinator.release(ROUTING);
    clock.pass(39);
    assertEquals(log, []);
    clock.pass(1);
    assertEquals(log, ["barrier 1"]);
  });

  it("holds once the checkpoint under way is there or has failed, one who holds after the other", async () => {
    for (const outcome of ["committed 1", "aborted 1"]) {
      const { begin, coordinator, log, hand } = await coordinated();
      await begin();
      const asked = coordinator.checkpoint().catch(() => {});
      for (const name of ["first", "second"]) {
        coordinator.hold().then(() => log.push(`${name} holds`));
      }
      const later = coordinator.checkpoint().catch(() => {});
      await turns(1);
      assertEquals(log, ["barrier 1"]);
      if (outcome === "aborted 1") coordinator.declined(1, new Error("no"));
      await hand(1);
      await asked;
      assertEquals(log.slice(1), [outcome, "first holds"]);
      coordinator.release(ROUTING);
      await turns(1);
      assertEquals(log.slice(3), ["second holds"]);
      coordinator.release(ROUTING);
      assertEquals(log.slice(4), ["barrier 2"]);
      coordinator.end();
      await later;
    }
  });

  it("lets those go who wait to hold when the attempt ends, and nobody wait when none runs", async () => {
    const { begin, coordinator, clock, log } = await coordinated();
    await coordinator.hold();
    await begin();
    clock.pass(100);
    const holding = coordinator.hold();
    coordinator.end();
    await holding;
    coordinator.release(ROUTING);
    clock.pass(1000);
    assertEquals([log, clock.waiting], [["barrier 1"], 0]);
  });

  it("knows after a release which key groups a worker has: those of others are not its own to end", async () => {
    const { begin, coordinator, hand, log, restore } = await coordinated();
    await begin();
    const first = coordinator.checkpoint();
    await hand(1, { 0: { put: { a: 1 } }, 1: { put: { b: 1 } } });
    await first;
    await coordinator.hold();
    coordinator.release([0, 1]);
    const second = coordinator.checkpoint();
    const [part] = jobSnapshot(2).workers;
    if (part === undefined) throw new Error("There is no worker");
    coordinator.snapshot({ ...jobSnapshot(2), workers: [{ ...part, wholes: ["sum"] }] });
    await second;
    assertEquals(log.slice(2), ["barrier 2", "committed 2"]);
    assertEquals(sumsIn(await restore()), { b: 1 });
  });

  it("lets go of the store once nothing is being written", async () => {
    const { begin, coordinator, clock, hand, store, log } = await coordinated();
    await begin();
    clock.pass(100);
    const stored = Promise.withResolvers<void>();
    store.waits = stored.promise;
    await hand(1);
    const closing = coordinator.close();
    await turns(2);
    assertEquals(log, ["barrier 1"]);
    stored.resolve();
    await closing;
    assertEquals([log, clock.waiting], [["barrier 1", "closed"], 0]);
  });
});
