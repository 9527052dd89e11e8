import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { BOOKINGS, Load, SHARDS, TICK_MS } from "./load.ts";

const options = { seconds: 40, seed: 1, peak: 1000 };
const load = new Load(options);
const bookingsOf = (of: Load, tick: number) => {
  const bookings: number[] = [];
  for (let stay = of.firstOf(tick); stay < of.firstOf(tick + 50); stay++) {
    bookings.push(of.bookingAt(0, stay, of.tickOf(stay)));
  }
  return bookings;
};

describe("Load", () => {
  it("rises, drifts, stays at its peak, falls and is quiet", () => {
    const seconds = Array.from({ length: 40 }, (_, second) => second);
    const phases = seconds.map((second) => load.phaseAt(second * 1000));
    assertEquals(phases.filter((phase, at) => phase !== phases[at - 1]), [
      ...["quiet", "rising", "drifting", "rising", "peak", "falling", "quiet"],
    ]);
    assertEquals(load.rateAt(20_000), 1000);
    assertEquals([load.rateAt(0), load.rateAt(39_999), load.rateAt(99_999)], [120, 120, 120]);
  });

  it("has each stay in one tick, as many as the rate says", () => {
    const ticks = Array.from({ length: load.ticks }, (_, tick) => tick);
    assertEquals(load.ticks * TICK_MS, 40_000);
    for (const tick of ticks) {
      for (let stay = load.firstOf(tick); stay < load.firstOf(tick + 1); stay++) {
        assertEquals(load.tickOf(stay), tick);
      }
    }
    assertEquals(load.firstOf(load.ticks), load.staysOfShard);
    const due = ticks.reduce((sum, tick) => sum + load.rateAt(tick * TICK_MS) * TICK_MS / 1000, 0);
    assert(Math.abs(load.staysOfShard * SHARDS - due) < 10, `${load.staysOfShard} of ${due}`);
  });

  it("is the same for the same seed, and knows how many stays each booking has", () => {
    assertEquals(bookingsOf(new Load(options), 900), bookingsOf(load, 900));
    assertNotEquals(bookingsOf(new Load({ ...options, seed: 2 }), 900), bookingsOf(load, 900));
    const counts = new Uint32Array(BOOKINGS);
    for (let shard = 0; shard < SHARDS; shard++) {
      for (let stay = 0; stay < load.staysOfShard; stay++) {
        const booking = load.bookingAt(shard, stay, load.tickOf(stay));
        counts[booking] = (counts[booking] ?? 0) + 1;
      }
    }
    assertEquals(load.expected(), counts);
  });

  it("has bookings that are hot, and later others", () => {
    const hottest = (tick: number) => {
      const counts = Map.groupBy(bookingsOf(load, tick), (booking) => booking);
      const [[booking, stays] = [-1, []]] = [...counts].sort((a, b) => b[1].length - a[1].length);
      return { booking, stays: stays.length };
    };
    const [early, late, quiet] = [hottest(600), hottest(820), hottest(1800)];
    assert(early.stays > 5 && late.stays > 5, `${early.stays}, ${late.stays}`);
    assertNotEquals(early.booking, late.booking);
    assert(quiet.stays <= 2, `${quiet.stays}`);
  });
});
