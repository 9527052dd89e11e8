import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  allowanceAfter,
  BYTES_PER_SECOND_MAX,
  CALLS_PER_SECOND_MAX,
  FULL_ALLOWANCE,
  IDLE_POLL_MS,
  IDLE_POLL_MS_MAX,
  idleMs,
  waitMs,
} from "../../../connectors/kinesis/pacing.ts";

/** When calls go whose answers have these sizes, asked for as fast as allowed. */
function callTimes(sizes: readonly number[], startMs = 0): number[] {
  let allowance = FULL_ALLOWANCE;
  let nowMs = startMs;
  return sizes.map((bytes) => {
    nowMs += waitMs(allowance, nowMs);
    allowance = allowanceAfter(allowance, bytes, nowMs);
    return nowMs;
  });
}

describe("waitMs()", () => {
  it("lets the first call go at once, whatever the clock shows", () => {
    assertEquals(waitMs(FULL_ALLOWANCE, 0), 0);
    assertEquals(waitMs(FULL_ALLOWANCE, 1e12), 0);
  });

  it("spaces calls with small answers 200 ms", () => {
    assertEquals(callTimes([0, 10, 10, 10]), [0, 200, 400, 600]);
  });

  it("spaces calls with large answers by their bytes", () => {
    const mib = 1024 * 1024;
    assertEquals(callTimes([10 * mib, 2 * mib, 0, 0]), [0, 5000, 6000, 6200]);
  });

  it("saves nothing up in quiet times", () => {
    const after = allowanceAfter(FULL_ALLOWANCE, 0, 0);
    const later = allowanceAfter(after, BYTES_PER_SECOND_MAX * 2, 60_000);
    assertEquals(waitMs(later, 60_000), 2000);
  });

  it("never lets more through in any second than the service allows", () => {
    const times = callTimes(Array.from({ length: 50 }, (_, index) => (index % 7) * 200_000), 5);
    for (const from of times) {
      const inSecond = times.filter((time) => time >= from && time < from + 999.999);
      assert(inSecond.length <= CALLS_PER_SECOND_MAX);
    }
  });
});

describe("idleMs()", () => {
  it("rests longer when a shard stays quiet, within bounds", () => {
    assertEquals([1, 20, 21, 41, 61, 1e6].map(idleMs), [250, 250, 500, 750, 1000, 1000]);
    assertEquals([idleMs(1), idleMs(1e9)], [IDLE_POLL_MS, IDLE_POLL_MS_MAX]);
  });
});
