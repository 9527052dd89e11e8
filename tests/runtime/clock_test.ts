import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FakeTime } from "@std/testing/time";
import { delay, systemClock } from "../../runtime/clock.ts";
import { HandClock } from "./hand_clock.ts";

/** Whether a promise has resolved once all microtasks have run. */
async function resolved(promise: Promise<void>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true);
  await new Promise<void>((resolve) => void systemClock.defer(resolve));
  return done;
}

describe("delay()", () => {
  it("resolves when the clock has passed it, not before", async () => {
    const clock = new HandClock(1000);
    const waiting = delay(clock, 50);
    clock.pass(49);
    assertEquals(await resolved(waiting), false);
    clock.pass(1);
    assertEquals(await resolved(waiting), true);
  });

  it("resolves at once when aborted, and takes its timer back", async () => {
    const clock = new HandClock();
    const aborting = new AbortController();
    const waiting = delay(clock, 50, aborting.signal);
    assertEquals(clock.waiting, 1);
    aborting.abort();
    assertEquals([await resolved(waiting), clock.waiting], [true, 0]);
    assertEquals(await resolved(delay(clock, 50, aborting.signal)), true);
    assertEquals(clock.waiting, 0);
  });
});

describe("systemClock", () => {
  it("waits longer than the system's timers can", () => {
    using time = new FakeTime(0);
    const days = 24 * 3_600_000;
    const fired: number[] = [];
    systemClock.setTimer(60 * days, () => void fired.push(time.now));
    const cancel = systemClock.setTimer(61 * days, () => void fired.push(-1));
    time.tick(60 * days - 1);
    assertEquals(fired, []);
    cancel();
    time.tick(2 * days);
    assertEquals(fired, [60 * days]);
  });

  it("tells time in whole milliseconds, and durations that never go back", () => {
    assert(Number.isInteger(systemClock.now()));
    assert(systemClock.now() > Date.UTC(2024));
    const before = systemClock.monotonic();
    assert(systemClock.monotonic() >= before);
  });

  it("runs timers and deferred calls once, and not after they were cancelled", async () => {
    const calls: string[] = [];
    const cancels = [
      systemClock.setTimer(0, () => calls.push("cancelled timer")),
      systemClock.defer(() => calls.push("cancelled call")),
    ];
    for (const cancel of cancels) cancel();
    await Promise.all([
      new Promise<void>((resolve) =>
        systemClock.setTimer(0, () => resolve(void calls.push("timer")))
      ),
      new Promise<void>((resolve) => systemClock.defer(() => resolve(void calls.push("call")))),
    ]);
    for (const cancel of cancels) cancel();
    assertEquals(calls.sort(), ["call", "timer"]);
  });
});
