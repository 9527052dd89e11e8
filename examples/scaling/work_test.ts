import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Clock } from "../../runtime/clock.ts";
import { HandClock } from "../../tests/runtime/hand_clock.ts";
import { roundsPerMs, work } from "./work.ts";

describe("work()", () => {
  it("gives what its rounds give, one after the other", () => {
    assertEquals(work(work(7, 3), 4), work(7, 7));
    assertNotEquals(work(7, 6), work(7, 7));
    assertEquals(work(7, 0), 7);
  });
});

describe("roundsPerMs()", () => {
  it("goes by the fastest time that was taken", () => {
    const clock = new HandClock();
    const steps = [50, 20, 100, 200];
    let at = 0;
    const timed: Clock = {
      now: () => clock.now(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
      defer: (callback) => clock.defer(callback),
      monotonic: () => steps.slice(0, at++).reduce((sum, step) => sum + step, 0),
    };
    const rounds = roundsPerMs(timed);
    assertEquals(rounds, 20_000 / 20);
    assert(at >= steps.length);
  });
});
