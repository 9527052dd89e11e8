import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PROCESSING_WAIT_MS_MAX } from "../../../runtime/limits.ts";
import { PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { ProcessingTime } from "../../../runtime/worker/processing_time.ts";
import { HandClock } from "../hand_clock.ts";

function processingTime(clock = new HandClock(1000)) {
  const actors = [0, 1].map((group) => new PartitionActor(group));
  const due: string[] = [];
  const start = () =>
    new ProcessingTime(clock, actors, (actor) => due.push(`${actor.group} at ${clock.now()}`));
  const [first = new PartitionActor(0), second = first] = actors;
  return { clock, first, second, due, start };
}

describe("ProcessingTime", () => {
  it("waits for the next timer of all actors, and tells each when it is due", () => {
    const { clock, first, second, due, start } = processingTime();
    const time = start();
    assertEquals(clock.waiting, 0);
    first.processing.set(1, "t", 1500);
    time.watch(first);
    second.processing.set(1, "t", 1200);
    time.watch(second);
    first.processing.set(2, "t", 1700);
    time.watch(first);
    assertEquals(clock.waiting, 1);
    clock.pass(199);
    assertEquals(due, []);
    clock.pass(1);
    assertEquals([due, second.isBusy, first.isBusy], [["1 at 1200"], true, false]);
    clock.pass(1000);
    assertEquals(due.slice(-2), ["0 at 1500", "1 at 1500"]);
    time.watch(first);
    assertEquals([first.processingTime, clock.waiting], [1500, 0], "what is due needs a turn only");
    first.processing.takeDue(first.processingTime);
    time.watch(first);
    clock.pass(0);
    assertEquals([due.includes("0 at 2200"), first.processingTime], [true, 2200]);
  });

  it("tells soon of a time that is over, and at once of timers from before", () => {
    const { clock, first, due, start } = processingTime();
    first.processing.set(1, "t", 10);
    start();
    assertEquals(due, []);
    clock.pass(0);
    assertEquals(due, ["0 at 1000"]);
  });

  it("waits for times beyond what the machine's timers can count to, and for parts of a millisecond", () => {
    const waits: number[] = [];
    class WaitsNoted extends HandClock {
      override setTimer(delayMs: number, callback: () => void) {
        waits.push(delayMs);
        return super.setTimer(delayMs, callback);
      }
    }
    const { clock, first, due, start } = processingTime(new WaitsNoted(1000));
    first.processing.set(1, "t", 1000 + 2.5 * PROCESSING_WAIT_MS_MAX);
    start();
    clock.pass(2.5 * PROCESSING_WAIT_MS_MAX - 1);
    assertEquals(due, []);
    clock.pass(2);
    assertEquals(due.length, 1);
    assertEquals(waits, [
      PROCESSING_WAIT_MS_MAX,
      PROCESSING_WAIT_MS_MAX,
      Math.ceil(PROCESSING_WAIT_MS_MAX / 2),
    ]);
  });

  it("fires nothing once it is closed, not even what was due", () => {
    const { clock, first, second, due, start } = processingTime();
    const time = start();
    first.processing.set(1, "t", 1001);
    second.processing.set(1, "t", 1002);
    for (const actor of [first, second]) time.watch(actor);
    clock.pass(1);
    time.close();
    time.watch(second);
    assertEquals([clock.waiting, first.isBusy], [0, false]);
    clock.pass(1000);
    assertEquals(due, ["0 at 1001"]);
  });
});
