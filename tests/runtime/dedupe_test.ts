import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { dedupeHandlers } from "../../runtime/dedupe.ts";
import type { MapState } from "../../runtime/state/state.ts";

interface Row {
  readonly id: string;
  readonly n: number;
}

/** One key: its state, its clock and its timer. */
function keyOf(keepFor: number) {
  const ids = new Map<string, number>();
  const passed: MapState<string, number> = {
    get: (id) => ids.get(id),
    has: (id) => ids.has(id),
    set: (id, at) => void ids.set(id, at),
    delete: (id) => void ids.delete(id),
    entries: () => ids.entries(),
    clear: () => ids.clear(),
    get size() {
      return ids.size;
    },
  };
  const timers: number[] = [];
  const context = {
    key: "k",
    state: { passed },
    timestamp: -Infinity,
    watermark: -Infinity,
    setTimer() {},
    clearTimer() {},
    timeDomain: undefined,
    side: {},
    processingTime: 1000,
    setProcessingTimer: (name: string | number, at = Number(name)) => void timers.push(at),
    clearProcessingTimer() {},
  };
  const { onEvent, onTimer } = dedupeHandlers<string, Row>("once", { id: ({ id }) => id, keepFor });
  const see = (id: string, n: number, at: number) => {
    context.processingTime = at;
    return [...onEvent({ id, n }, context) ?? []].map((row) => row.n);
  };
  const fire = () => {
    context.processingTime = timers.shift() ?? NaN;
    onTimer?.("prune", context);
  };
  return { ids, timers, see, fire };
}

describe("dedupe", () => {
  it("passes the first row of an id and drops those within keepFor after it", () => {
    const { see } = keyOf(100);
    assertEquals([see("a", 1, 1000), see("b", 2, 1000), see("a", 3, 1099)], [[1], [2], []]);
    assertEquals([see("a", 4, 1100), see("a", 5, 1199), see("a", 6, 1200)], [[4], [], [6]]);
  });

  it("has one timer a key while there are ids, which forgets those that are over", () => {
    const { see, fire, ids, timers } = keyOf(100);
    for (const [n, id] of ["a", "b", "c", "d"].entries()) see(id, n, 1000 + 30 * n);
    assertEquals(timers, [1100]);
    fire();
    assertEquals([[...ids.keys()], timers], [["b", "c", "d"], [1200]]);
    see("b", 5, 1150);
    assertEquals([...ids.keys()], ["c", "d", "b"]);
    fire();
    assertEquals([[...ids.keys()], timers], [["b"], [1300]]);
    fire();
    assertEquals([ids.size, timers], [0, []]);
    see("b", 6, 1301);
    assertEquals(timers, [1401]);
  });

  it("refuses what is no id, and a time that is none", () => {
    const { see } = keyOf(100);
    // @ts-expect-error A number is no id.
    assertThrows(() => see(5, 1, 1000), TypeError, "of type number");
    assertThrows(() => dedupeHandlers("once", { id: String, keepFor: 0 }), RangeError, "once");
  });
});
