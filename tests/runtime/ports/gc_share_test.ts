import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { GC_LOOK_MS, GC_SAMPLE_MS, sampledGcShare } from "../../../runtime/ports/gc_share.ts";
import { HandClock } from "../hand_clock.ts";

/** What is thrown away is so much that some of it is collected at once. */
function throwAway(): number {
  let length = 0;
  for (let round = 0; round < 200; round++) {
    length += Array.from({ length: 20_000 }, (_, number) => ({ number })).length;
  }
  return length;
}

describe("sampledGcShare()", () => {
  it("tells of the time that was looked at, and looks again when it is asked", () => {
    const clock = new HandClock();
    const share = sampledGcShare(clock);
    assertEquals([share(), share()], [-1, -1]);
    assert(throwAway() > 0);
    assertEquals(share(), -1);
    clock.pass(GC_SAMPLE_MS);
    const first = share();
    assert(first > 0);
    clock.pass(GC_LOOK_MS - GC_SAMPLE_MS - 1);
    assertEquals([share(), clock.waiting], [first, 0]);
    clock.pass(1);
    assertEquals([share(), clock.waiting], [first, 1]);
    clock.pass(GC_SAMPLE_MS);
    assert(share() !== first);
  });
});
