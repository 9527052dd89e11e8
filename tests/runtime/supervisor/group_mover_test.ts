import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { GroupMover } from "../../../runtime/supervisor/group_mover.ts";
import type { CopyFigures, GroupMove } from "../../../runtime/worker/protocol.ts";
import { turns } from "../../connectors/event_loop.ts";
import { HandClock } from "../hand_clock.ts";
import { type FakeWorker, handledWorkers, type Script } from "./fake_workers.ts";

const move = (group: number, from: number, to: number): GroupMove => ({ group, from, to });

/** Three workers with two key groups each; what they are asked is written down, and copies wait for the test. */
function mover() {
  const clock = new HandClock();
  const log: string[] = [];
  const copying: { readonly worker: FakeWorker; readonly id: number }[] = [];
  const open = { isOpen: true };
  const script: Script = (worker, message) => {
    if (message.type !== "request") return;
    const { id, request } = message;
    if (request.type === "expectGroups") {
      log.push(`${worker.worker} expects ${request.groups} in move ${request.move}`);
      worker.reply(id, undefined);
    } else if (request.type === "copyGroups") {
      const groups = request.moves.map(({ group, to }) => `${group} to ${to}`);
      log.push(`${worker.worker} copies ${groups} in move ${request.move}`);
      copying.push({ worker, id });
    }
    return true;
  };
  const { workers, handles } = handledWorkers(3, script, clock, log);
  const of = new GroupMover({
    handles: () => handles,
    clock,
    tellAll(command) {
      const more = command.type === "handOver" ? ` ${command.epoch}` : "";
      log.push(`${command.type}${more}`);
    },
    isOpen: () => open.isOpen,
  });
  of.place([0, 0, 1, 1, 2, 2]);
  let epoch = 4;
  const begin = (...moves: GroupMove[]) => of.move(moves, () => ++epoch);
  const copied = async (figures: CopyFigures = { keys: 1, bytes: 10 }) => {
    for (const { worker, id } of copying.splice(0)) worker.reply(id, figures);
    await turns(1);
  };
  const handedOver = (number: number, pausesMs: readonly number[] = [0, 0, 0]) => {
    for (const pauseMs of pausesMs) of.handedOver(number, { keys: 2, bytes: 5, pauseMs });
  };
  return { of, clock, log, open, workers, begin, copied, handedOver };
}

describe("GroupMover", () => {
  it("has groups expected, then copied, then handed over at one barrier, and tells how it went", async () => {
    const { of, clock, log, begin, copied, handedOver } = mover();
    const moving = begin(move(0, 0, 1), move(1, 0, 2), move(4, 2, 1));
    await turns(1);
    assertEquals(log, [
      "1 expects 0,4 in move 1",
      "2 expects 1 in move 1",
      "0 copies 0 to 1,1 to 2 in move 1",
      "2 copies 4 to 1 in move 1",
    ]);
    clock.pass(30);
    await copied();
    assertEquals([log.slice(4), of.routing], [["handOver 5"], [0, 0, 1, 1, 2, 2]]);
    clock.pass(4);
    handedOver(5, [0, 3, 2]);
    assertEquals(await moving, {
      groups: 3,
      copied: { keys: 2, bytes: 20 },
      copyMs: 30,
      rest: { keys: 6, bytes: 15 },
      handOverMs: 4,
      pauseMs: 3,
    });
    assertEquals(of.routing, [1, 2, 1, 1, 1, 2]);
  });

  it("waits for all workers, and takes nothing for it that is of another barrier", async () => {
    const { of, begin, copied, handedOver } = mover();
    let isThere = false;
    const moving = begin(move(0, 0, 1)).finally(() => isThere = true);
    await turns(1);
    handedOver(5);
    await copied();
    handedOver(4);
    handedOver(5, [0, 0]);
    await turns(1);
    assertEquals(isThere, false);
    handedOver(5, [0]);
    await moving;
    assertEquals(of.routing[0], 1);
  });

  it("refuses moves that can't be, before it asks anybody, and moves again then", async () => {
    const { of, log, begin, copied, handedOver } = mover();
    for (
      const [moves, why] of [
        [[move(0, 1, 2)], "key group 0 from worker 1 to 2: it is on worker 0 of 3"],
        [[move(0, 0, 0)], "key group 0 from worker 0 to 0"],
        [[move(0, 0, 3)], "key group 0 from worker 0 to 3"],
        [[move(0, 0, -1)], "key group 0 from worker 0 to -1"],
        [[move(0, 0, 0.5)], "key group 0 from worker 0 to 0.5"],
        [[move(6, 0, 1)], "key group 6 from worker 0 to 1: it is on worker undefined"],
        [[move(1, 0, 1), move(1, 0, 2)], "key group 1 from worker 0 to 2"],
      ] as const
    ) await assertRejects(() => begin(...moves), RangeError, `Cannot move ${why}`);
    assertEquals(log, []);
    const moving = begin(move(0, 0, 1));
    await turns(1);
    await assertRejects(() => begin(move(2, 1, 0)), Error, "others are copying");
    await copied();
    await assertRejects(() => begin(move(2, 1, 0)), Error, "others are handing over");
    handedOver(5);
    await moving;
    const back = begin(move(0, 1, 0));
    await turns(1);
    assertEquals(log.slice(-2), ["0 expects 0 in move 2", "1 copies 0 to 0 in move 2"]);
    await copied();
    handedOver(6);
    await back;
    assertEquals(of.routing, [0, 0, 1, 1, 2, 2]);
  });

  it("moves nothing of a job that is being stopped: what has been copied is abandoned", async () => {
    const { of, log, open, begin, copied } = mover();
    const moving = begin(move(0, 0, 1));
    await turns(1);
    open.isOpen = false;
    await copied();
    assertEquals([await moving, log.slice(2)], [undefined, ["abandonMove"]]);
    assertEquals(await begin(move(0, 0, 1)), undefined);
    assertEquals([of.routing, log.length], [[0, 0, 1, 1, 2, 2], 3]);
  });

  it("comes to nothing when the attempt is over, whether it copies or hands over", async () => {
    for (const when of ["copying", "handing over"]) {
      const { of, begin, copied } = mover();
      const moving = begin(move(0, 0, 1));
      const refused = assertRejects(() => moving, Error, "the job has failed or ended meanwhile");
      await turns(1);
      if (when === "handing over") await copied();
      of.end();
      await refused;
      await of.settled;
      assertEquals(of.routing, [0, 0, 1, 1, 2, 2], when);
    }
  });

  it("fails with the worker that can't copy, and is settled then", async () => {
    const { of, begin, workers } = mover();
    const moving = begin(move(0, 0, 1));
    const refused = assertRejects(() => moving, Error, "Worker 0 died: out of memory");
    await turns(1);
    workers[0]?.die("out of memory");
    await refused;
    await of.settled;
    assertEquals(of.routing, [0, 0, 1, 1, 2, 2]);
  });

  it("is settled when no move is under way, and not before", async () => {
    const { of, begin, copied, handedOver } = mover();
    await of.settled;
    const moving = begin(move(0, 0, 1));
    let isSettled = false;
    of.settled.then(() => isSettled = true);
    await turns(1);
    await copied();
    assertEquals(isSettled, false);
    handedOver(5);
    await moving;
    await turns(1);
    assertEquals(isSettled, true);
  });
});
