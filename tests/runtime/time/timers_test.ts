import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { TimerQueue } from "../../../runtime/time/timers.ts";
import { fc } from "../../deps.ts";

const names = (timers: TimerQueue, watermark: number) => {
  const fired: string[] = [];
  for (
    let timer = timers.takeDue(watermark);
    timer !== undefined;
    timer = timers.takeDue(watermark)
  ) {
    fired.push(`${timer.key}/${timer.name}@${timer.at}`);
  }
  return fired;
};

/** The same queue as a list in order of firing. */
class SortedTimers {
  readonly list: { key: string; name: string; at: number; order: number }[] = [];
  #order = 0;

  set(key: string, name: string, at: number): void {
    this.clear(key, name);
    this.list.push({ key, name, at, order: this.#order++ });
    this.list.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  clear(key: string, name: string): void {
    const index = this.list.findIndex((timer) => timer.key === key && timer.name === name);
    if (index >= 0) this.list.splice(index, 1);
  }

  takeDue(watermark: number) {
    return (this.list[0]?.at ?? Infinity) <= watermark ? this.list.shift() : undefined;
  }
}

describe("TimerQueue", () => {
  it("fires in order of time, ties in order of setting", () => {
    const timers = new TimerQueue();
    timers.set("b", "t", 20);
    timers.set("a", "t", 10);
    timers.set("c", "t", 10);
    timers.set("a", "u", 20);
    assertEquals(names(timers, 9), []);
    assertEquals(names(timers, 20), ["a/t@10", "c/t@10", "b/t@20", "a/u@20"]);
    assertEquals([timers.size, timers.nextAt], [0, Infinity]);
  });

  it("has one timer a key and name: setting again moves it", () => {
    const timers = new TimerQueue();
    timers.set("a", "t", 10);
    timers.set("a", "t", 5);
    timers.set(1, "t", 7);
    timers.set("1", "t", 8);
    assertEquals([timers.size, timers.at("a", "t"), timers.at("a", "u")], [3, 5, undefined]);
    timers.set("a", "t", 30);
    assertEquals([names(timers, 10), timers.nextAt], [["1/t@7", "1/t@8"], 30]);
  });

  it("lets a timer that is set while others fire take part if it is due", () => {
    const timers = new TimerQueue();
    timers.set("a", "t", 10);
    timers.set("b", "t", 15);
    assertEquals(timers.takeDue(20)?.key, "a");
    timers.set("a", "t", 12);
    timers.set("a", "later", 21);
    assertEquals(names(timers, 20), ["a/t@12", "b/t@15"]);
  });

  it("does as a sorted list does", () => {
    const keys = fc.constantFrom("a", "b", "c");
    const actions = fc.array(
      fc.oneof(
        fc.tuple(
          fc.constant("set" as const),
          keys,
          fc.constantFrom("x", "y"),
          fc.integer({ min: -5, max: 20 }),
        ),
        fc.tuple(fc.constant("clear" as const), keys, fc.constantFrom("x", "y"), fc.constant(0)),
        fc.tuple(
          fc.constant("take" as const),
          keys,
          fc.constant("x"),
          fc.integer({ min: -5, max: 20 }),
        ),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(actions, (actions) => {
        const [timers, model] = [new TimerQueue(), new SortedTimers()];
        for (const [kind, key, name, at] of actions) {
          if (kind === "take") {
            const [actual, expected] = [timers.takeDue(at), model.takeDue(at)];
            assertEquals([actual?.key, actual?.name, actual?.at], [
              expected?.key,
              expected?.name,
              expected?.at,
            ]);
          } else {
            timers[kind](key, name, at);
            model[kind](key, name, at);
          }
          assertEquals([timers.size, timers.nextAt], [
            model.list.length,
            model.list[0]?.at ?? Infinity,
          ]);
          const found = model.list.find((timer) => timer.key === key && timer.name === name);
          assertEquals(timers.at(key, name), found?.at);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps its order over many moves, when it drops what was taken back", () => {
    const timers = new TimerQueue();
    for (let round = 0; round < 50; round++) {
      for (let key = 0; key < 20; key++) timers.set(key, "t", (key * 7 + round * 3) % 40);
    }
    assertEquals(timers.size, 20);
    const last = 49 * 3;
    const expected = Array.from({ length: 20 }, (_, key) => ({ key, at: (key * 7 + last) % 40 }))
      .sort((a, b) => a.at - b.at || a.key - b.key);
    assertEquals(names(timers, 40), expected.map(({ key, at }) => `${key}/t@${at}`));
  });
});
