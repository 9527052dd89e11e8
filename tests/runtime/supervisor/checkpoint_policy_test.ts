import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { checkpointPolicy, untilNextMs } from "../../../runtime/supervisor/checkpoint_policy.ts";

describe("checkpointPolicy()", () => {
  it("takes the options in ms, and has a value for each that is left out", () => {
    assertEquals(checkpointPolicy({}), {
      intervalMs: 10_000,
      timeoutMs: 600_000,
      minPauseMs: 0,
      keep: 3,
      toleratedFailures: 3,
    });
    assertEquals(
      checkpointPolicy({
        interval: "1m",
        timeout: 5,
        minPause: "2s",
        keep: 1,
        toleratedFailures: 0,
      }),
      { intervalMs: 60_000, timeoutMs: 5, minPauseMs: 2000, keep: 1, toleratedFailures: 0 },
    );
  });

  it("refuses what is out of range, by name", () => {
    for (
      const [options, message] of [
        [{ interval: 0 }, "interval 0: expected a whole number from 1"],
        [{ timeout: 0 }, "timeout 0: expected a whole number from 1"],
        [{ keep: 0 }, "keep 0: expected a whole number from 1"],
        [{ keep: 1.5 }, "keep 1.5: expected a whole number from 1"],
        [{ toleratedFailures: -1 }, "toleratedFailures -1: expected a whole number from 0"],
      ] as const
    ) {
      assertThrows(
        () => checkpointPolicy(options),
        RangeError,
        `Cannot take checkpoints with ${message}`,
      );
    }
  });
});

describe("untilNextMs()", () => {
  const policy = checkpointPolicy({ interval: 100, minPause: 30 });

  it("counts the interval from the beginning of the last one", () => {
    assertEquals(untilNextMs(policy, { began: 1000, ended: 1020, now: 1020 }), 80);
  });

  it("leaves the least pause after one that took long", () => {
    assertEquals(untilNextMs(policy, { began: 1000, ended: 1090, now: 1090 }), 30);
    assertEquals(untilNextMs(policy, { began: 1000, ended: 1500, now: 1510 }), 20);
  });

  it("is not before now", () => {
    assertEquals(untilNextMs(policy, { began: 1000, ended: 1010, now: 2000 }), 0);
  });
});
