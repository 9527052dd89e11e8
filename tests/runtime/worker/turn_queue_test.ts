import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SLICE_MS_MAX, TURN_ROWS_MAX } from "../../../runtime/limits.ts";
import { READERS_IN_A_ROW, ROWS_PER_LOOK, TurnQueue } from "../../../runtime/worker/turn_queue.ts";
import { HandClock } from "../hand_clock.ts";

function queue(onFlush: () => void = () => {}) {
  const clock = new HandClock();
  const log: string[] = [];
  const turns = new TurnQueue(clock, () => {
    log.push("flush");
    onFlush();
  });
  const taker = (name: string, then: () => void = () => {}) => ({
    takeTurn() {
      log.push(name);
      then();
    },
  });
  return { clock, log, turns, taker };
}

describe("TurnQueue", () => {
  it("gives turns in order of coming, in a deferred slice, and flushes when nobody is left", () => {
    const { clock, log, turns, taker } = queue();
    turns.add(taker("a", () => turns.add(taker("c"))));
    turns.add(taker("b"));
    assertEquals([log, clock.waiting], [[], 1]);
    clock.runDeferred();
    assertEquals(log, ["a", "b", "c", "flush"]);
  });

  it("is in a slice from the first turn until all is flushed", () => {
    const seen: boolean[] = [];
    const { clock, turns, taker } = queue(() => seen.push(turns.inSlice));
    turns.add(taker("a", () => seen.push(turns.inSlice)));
    seen.push(turns.inSlice);
    clock.runDeferred();
    assertEquals([...seen, turns.inSlice], [false, true, true, false]);
  });

  it("says which flush the slice may end with: none before readers that wait", () => {
    const last: boolean[] = [];
    const clock = new HandClock();
    const turns = new TurnQueue(clock, (isLast) => last.push(isLast));
    const taker = { takeTurn() {} };
    for (let reader = 0; reader <= READERS_IN_A_ROW; reader++) turns.addReader(taker);
    clock.runDeferred();
    assertEquals(last, [false, true]);
    last.length = 0;
    turns.add({ takeTurn: () => clock.pass(SLICE_MS_MAX) });
    turns.addReader(taker);
    clock.runDeferred();
    assertEquals(last, [true], "time is up");
  });

  it("lets readers in only when nobody else waits, and flushes when nobody does", () => {
    let flushes = 0;
    const { clock, log, turns, taker } = queue(() => {
      if (++flushes === 1) turns.add(taker("flushed to"));
    });
    turns.addReader(taker("reader", () => turns.add(taker("behind reader"))));
    turns.addReader(taker("second reader"));
    turns.add(taker("a"));
    clock.runDeferred();
    const expected = [
      "a",
      "reader",
      "behind reader",
      "second reader",
      "flush",
      "flushed to",
      "flush",
    ];
    assertEquals(log, expected);
  });

  it("looks at the clock more often where rows take long, and gives shorter turns; and less again", () => {
    const { clock, turns } = queue();
    let rowMs = 0.5;
    const taker = {
      takeTurn() {
        const rows = turns.turnRows;
        clock.pass(rows * rowMs);
        turns.add(taker);
        return rows;
      },
    };
    const slice = () => {
      const began = clock.monotonic();
      clock.runDeferred();
      return clock.monotonic() - began;
    };
    turns.add(taker);
    assertEquals(slice(), TURN_ROWS_MAX * rowMs);
    for (let n = 0; n < 10; n++) slice();
    assert(slice() <= 2 * SLICE_MS_MAX, `${turns.turnRows} rows`);
    rowMs = 0.001;
    for (let n = 0; n < 10; n++) slice();
    assertEquals(turns.turnRows, TURN_ROWS_MAX);
  });

  it("deals out what readers brought in after a few of them", () => {
    const { clock, log, turns, taker } = queue(() => {
      if (log.length === READERS_IN_A_ROW + 1) turns.add(taker("dealt out"));
    });
    for (let reader = 0; reader <= READERS_IN_A_ROW; reader++) turns.addReader(taker("reader"));
    clock.runDeferred();
    const few = Array.from({ length: READERS_IN_A_ROW }, () => "reader");
    assertEquals(log, [...few, "flush", "dealt out", "reader", "flush"]);
  });

  it("lets messages in after a slice, and goes on in another", () => {
    const { clock, log, turns, taker } = queue();
    const long = (name: string) => taker(name, () => clock.pass(SLICE_MS_MAX / 2));
    for (const name of ["a", "b", "c"]) turns.add(long(name));
    clock.runDeferred();
    assertEquals([log, clock.waiting], [["a", "b", "flush"], 1]);
    clock.runDeferred();
    assertEquals([log, clock.waiting], [["a", "b", "flush", "c", "flush"], 0]);
  });

  it("goes on in another slice when only readers are left, or what the flush brought", () => {
    for (const kind of ["reader", "flush"] as const) {
      let flushes = 0;
      const { clock, log, turns, taker } = queue(() => {
        if (kind === "flush" && ++flushes === 1) turns.add(taker("later"));
      });
      turns.add(taker("long", () => clock.pass(SLICE_MS_MAX)));
      if (kind === "reader") turns.addReader(taker("later"));
      clock.runDeferred();
      assertEquals([log, clock.waiting], [["long", "flush"], 1]);
      clock.runDeferred();
      assertEquals([log.includes("later"), clock.waiting], [true, 0]);
    }
  });

  it("runs a slice to flush alone when it is woken, once however often", () => {
    const { clock, log, turns } = queue();
    turns.wake();
    turns.wake();
    assertEquals(clock.waiting, 1);
    clock.runDeferred();
    assertEquals([log, clock.waiting], [["flush"], 0]);
  });

  it("gives no more turns once it is halted, within a slice or before", () => {
    const { clock, log, turns, taker } = queue();
    turns.add(taker("a", () => turns.halt()));
    turns.add(taker("b"));
    clock.runDeferred();
    turns.add(taker("c"));
    turns.wake();
    clock.runDeferred();
    assertEquals([log, clock.waiting], [["a"], 0]);
  });

  it("looks at the clock only after so many rows of takers that count them", () => {
    const { clock, log, turns } = queue();
    const counting = (name: string, rows: number) => ({
      takeTurn() {
        log.push(name);
        clock.pass(SLICE_MS_MAX);
        return rows;
      },
    });
    for (const name of ["a", "b", "c"]) turns.add(counting(name, ROWS_PER_LOOK / 2));
    clock.runDeferred();
    assertEquals(log, ["a", "b", "flush"]);
    clock.runDeferred();
    assertEquals(log, ["a", "b", "flush", "c", "flush"]);
  });
});
