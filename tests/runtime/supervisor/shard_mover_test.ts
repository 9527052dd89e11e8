import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ShardMove } from "../../../runtime/supervisor/placement.ts";
import { ShardMover } from "../../../runtime/supervisor/shard_mover.ts";
import { SourceShards } from "../../../runtime/supervisor/source_shards.ts";
import type { ClosedShard } from "../../../runtime/worker/protocol.ts";
import { turns } from "../../connectors/event_loop.ts";
import { HandClock } from "../hand_clock.ts";
import { handledWorkers, PLAN, type Script } from "./fake_workers.ts";

const move = (shard: string, from: number, to: number): ShardMove => ({
  ...{ source: "in", shard, from, to },
});

const closed: ClosedShard = {
  position: "7",
  closedAt: 0,
  time: { generators: [], merges: [], words: [], feeds: [] },
};

/** Three workers that read a shard each; what they are told is written down, and they adopt when the test says. */
function mover() {
  const clock = new HandClock();
  const log: string[] = [];
  const adopting: (() => void)[] = [];
  const open = { isOpen: true };
  const script: Script = (worker, message) => {
    if (message.type !== "request") {
      if ("shard" in message) log.push(`${worker.worker} ${message.type} ${message.shard}`);
      return true;
    }
    const { id, request } = message;
    if (request.type !== "adoptShard") return;
    log.push(`${worker.worker} adopts ${request.shard} behind ${request.closed.position}`);
    adopting.push(() => worker.reply(id, { pauseMs: 4 }));
    return true;
  };
  const { workers, handles } = handledWorkers(3, script, clock, log);
  const shards = new SourceShards({ workers: 3, restored: {}, tell() {} });
  shards.add("in", true);
  shards.list("in", ["a", "b", "c"].map((id) => ({ id, parents: [] })));
  shards.openReadable();
  const failures: string[] = [];
  const of = new ShardMover({
    handles: () => handles,
    shards: () => shards,
    isOpen: () => open.isOpen,
    failed: ({ message }) => failures.push(message),
  });
  const adopt = async () => {
    for (const reply of adopting.splice(0)) reply();
    await turns(1);
  };
  const close = async (shard: string, as: ClosedShard | undefined = closed) => {
    of.closed("in", shard, as);
    await turns(1);
  };
  return { of, log, open, shards, workers, failures, adopt, close };
}

describe("ShardMover", () => {
  it("has shards closed, then read on elsewhere, and tells for how long nobody read", async () => {
    const { of, log, shards, close, adopt } = mover();
    const moving = of.move([move("a", 0, 1), move("c", 2, 1)]);
    assertEquals(log, ["0 closeShard a", "2 closeShard c"]);
    await close("c");
    assertEquals(log.slice(2), ["2 shardMoved c", "1 adopts c behind 7"]);
    assertEquals([shards.workerOf("in", "a"), shards.workerOf("in", "c")], [0, 1]);
    await close("a");
    await adopt();
    assertEquals(await moving, [
      { ...move("a", 0, 1), pauseMs: 4 },
      { ...move("c", 2, 1), pauseMs: 4 },
    ]);
    assertEquals(of.shardsOf.map((of) => of.map(({ shard }) => shard)), [[], ["b", "c", "a"], []]);
  });

  it("leaves a shard where it was that has ended, at once or while it is closed", async () => {
    const { of, log, shards, close } = mover();
    shards.ended("in", "a");
    assertEquals(await of.move([move("a", 0, 1), move("unheard", 0, 1)]), []);
    assertEquals(log, []);
    const moving = of.move([move("b", 1, 2)]);
    of.closed("in", "b", undefined);
    assertEquals([await moving, shards.workerOf("in", "b")], [[], 1]);
    shards.ended("in", "b");
    await close("b");
    assertEquals(log, ["1 closeShard b"]);
  });

  it("leaves shards where they were when the job is stopped before they are closed", async () => {
    const { of, log, open, shards, close, adopt } = mover();
    const moving = of.move([move("a", 0, 1), move("b", 1, 2)]);
    await close("b");
    open.isOpen = false;
    let isSettled = false;
    of.settled.then(() => isSettled = true);
    await close("a");
    assertEquals(isSettled, false);
    await adopt();
    assertEquals((await moving).map(({ shard }) => shard), ["b"]);
    assertEquals(isSettled, true);
    assertEquals(log.filter((line) => line.endsWith(" a")), ["0 closeShard a"]);
    assertEquals(shards.workerOf("in", "a"), 0);
    assertEquals(await of.move([move("c", 2, 0)]), []);
  });

  it("refuses moves that can't be, before it asks anybody", async () => {
    const { of, log, close, adopt } = mover();
    for (
      const [of_, why] of [
        [move("a", 1, 2), '"a" of "in" from worker 1 to 2: it is read by worker 0 of 3'],
        [move("a", 0, 0), '"a" of "in" from worker 0 to 0'],
        [move("a", 0, 3), '"a" of "in" from worker 0 to 3'],
        [move("a", 0, -1), '"a" of "in" from worker 0 to -1'],
        [move("a", 0, 0.5), '"a" of "in" from worker 0 to 0.5'],
      ] as const
    ) {
      await assertRejects(() => of.move([of_]), RangeError, `Cannot move shard ${why}`);
    }
    const twice = [move("a", 0, 1), move("a", 0, 2)];
    await assertRejects(() => of.move(twice), Error, "on its way already");
    assertEquals(log, []);
    const moving = of.move([move("a", 0, 1)]);
    await assertRejects(() => of.move([move("a", 0, 2)]), Error, "on its way already");
    await close("a");
    await adopt();
    await moving;
    const back = of.move([move("a", 1, 0)]);
    await close("a");
    await adopt();
    assertEquals((await back).length, 1);
  });

  it("leaves shards of sources whose operators remember what is no state", async () => {
    const { of } = mover();
    of.place({ ...PLAN, stages: PLAN.stages.map((stage) => ({ ...stage, remembers: true })) });
    await assertRejects(() => of.move([move("a", 0, 1)]), Error, "remember what is no state");
    of.place({
      ...PLAN,
      stages: [{ name: "in", kind: "keyed", states: [], calls: [], remembers: true }],
    });
    assertEquals(await of.move([]), []);
  });

  it("fails the attempt when the new worker can't read: the shard has no reader", async () => {
    const { of, failures, workers, close } = mover();
    const moving = of.move([move("a", 0, 1)]);
    moving.catch(() => {});
    await close("a");
    workers[1]?.die("gone");
    await assertRejects(() => moving, Error, "gone");
    assertEquals(failures.length, 1);
  });

  it("ends with the attempt", async () => {
    const { of } = mover();
    const moving = of.move([move("a", 0, 1)]);
    of.end();
    await assertRejects(() => moving, Error, "the job has failed or ended meanwhile");
    await of.settled;
  });
});
