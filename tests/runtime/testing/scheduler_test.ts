import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { Scheduler } from "../../../runtime/testing/scheduler.ts";
import { turns } from "../../connectors/event_loop.ts";

const schedulerOf = (seed = 1, start = 0) => new Scheduler(seededRandom(seed), start);

/** Runs until all tasks have run that are waiting now, and those they bring. */
const idle = (scheduler: Scheduler) =>
  scheduler.run(new Promise<void>((resolve) => void scheduler.clock.setTimer(0, resolve)));

/** The order in which tasks of three channels run. */
async function order(seed: number): Promise<string> {
  const scheduler = schedulerOf(seed);
  const ran: string[] = [];
  for (const name of ["a", "b", "c"]) {
    const channel = scheduler.channel();
    for (let task = 0; task < 6; task++) channel(() => ran.push(`${name}${task}`));
  }
  await idle(scheduler);
  return ran.join(" ");
}

describe("Scheduler", () => {
  it("runs tasks of one channel in order, and mixes channels as the seed says", async () => {
    const orders = await Promise.all([1, 2, 3].map(order));
    for (const each of orders) {
      for (const name of ["a", "b", "c"]) {
        const own = each.split(" ").filter((task) => task.startsWith(name));
        assertEquals(own, own.toSorted());
        assertEquals(own.length, 6);
      }
    }
    assertEquals(await order(1), orders[0]);
    assertEquals(new Set(orders).size, 3);
    assertNotEquals(orders[0], "a0 a1 a2 a3 a4 a5 b0 b1 b2 b3 b4 b5 c0 c1 c2 c3 c4 c5");
  });

  it("lets time pass only when nothing is left to do, and exactly to the next timer", async () => {
    const scheduler = schedulerOf(1, 1000);
    const { clock } = scheduler;
    const log: string[] = [];
    const say = (what: string) => () => void log.push(`${clock.now()} ${what}`);
    clock.setTimer(50, say("second"));
    clock.setTimer(20.4, () => {
      say("first")();
      clock.setTimer(0, say("at once"));
      clock.defer(say("deferred"));
    });
    clock.setTimer(50, say("third"));
    clock.setTimer(10, say("cancelled"))();
    clock.defer(say("cancelled"))();
    clock.defer(say("now"));
    await scheduler.run(new Promise<void>((resolve) => void clock.setTimer(60, resolve)));
    assertEquals(log, [
      "1000 now",
      "1021 first",
      "1021 deferred",
      "1021 at once",
      "1050 second",
      "1050 third",
    ]);
    assertEquals([clock.now(), clock.monotonic()], [1060, 1060]);
  });

  it("gives the outcome of what it runs, be it an error", async () => {
    const scheduler = schedulerOf();
    assertEquals(await scheduler.run(Promise.resolve(5)), 5);
    await assertRejects(
      () => scheduler.run(Promise.reject(new RangeError("boom"))),
      RangeError,
      "boom",
    );
  });

  it("says so when nothing is left that could happen", async () => {
    const scheduler = schedulerOf();
    await assertRejects(
      () => scheduler.run(new Promise<void>(() => {})),
      Error,
      "Cannot go on: nothing is left to do, and the job has not ended",
    );
  });

  it("stands still while something waits for the outside", async () => {
    const scheduler = schedulerOf();
    let passed = false;
    scheduler.clock.setTimer(1, () => passed = true);
    scheduler.enter();
    const outcome = scheduler.run(
      turns(20).then(() => {
        assert(!passed);
        scheduler.leave();
        return new Promise<number>((resolve) =>
          void scheduler.clock.setTimer(2, () => resolve(scheduler.clock.now()))
        );
      }),
    );
    assertEquals([await outcome, passed], [2, true]);
  });

  it("runs until idle without letting time pass", async () => {
    const scheduler = schedulerOf();
    const ran: string[] = [];
    scheduler.clock.setTimer(5, () => ran.push("timer"));
    scheduler.clock.defer(() => {
      ran.push("deferred");
      Promise.resolve().then(() => scheduler.channel()(() => ran.push("task")));
    });
    await scheduler.runUntilIdle();
    assertEquals([ran, scheduler.clock.now()], [["deferred", "task"], 0]);
  });

  it("advances to a time: what is due fires in order, and all of it reads that time", async () => {
    const scheduler = schedulerOf(1, 100);
    const { clock } = scheduler;
    const fired: string[] = [];
    const fire = (name: string) => () => fired.push(`${name}@${clock.now()}`);
    clock.setTimer(20, fire("second"));
    clock.setTimer(10, () => {
      fire("first")();
      clock.setTimer(0, fire("due at once"));
      clock.setTimer(1, fire("later"));
    });
    clock.setTimer(51, fire("beyond"));
    await scheduler.advanceTo(150);
    assertEquals(fired, ["first@150", "second@150", "due at once@150"]);
    await scheduler.advanceTo(151);
    assertEquals(fired.slice(3), ["beyond@151", "later@151"]);
    await assertRejects(() => scheduler.advanceTo(150), RangeError, "it is 151 already");
  });
});
