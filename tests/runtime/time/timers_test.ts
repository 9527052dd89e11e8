import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  BY_TIMESTAMP,
  type Timer,
  type TimerId,
  TimerQueue,
} from "../../../runtime/time/timers.ts";
import { fc } from "../../deps.ts";

const textOf = ({ slot, name, at }: Timer) => `${slot}/${name}@${at}`;

const fired = (timers: TimerQueue, time: number) => {
  const texts: string[] = [];
  for (let timer = timers.takeDue(time); timer !== undefined; timer = timers.takeDue(time)) {
    texts.push(textOf(timer));
  }
  return texts;
};

interface Listed extends Timer {
  readonly order: number;
}

/** The same queue as a list in order of firing. */
class SortedTimers {
  readonly list: Listed[] = [];
  #order = 0;

  set(slot: number, name: string, at: number): void {
    const id = name === BY_TIMESTAMP ? at : name;
    if (id === at && this.find(slot, id) !== undefined) return;
    this.clear(slot, id);
    this.list.push({ slot, domain: "event", name, at, order: this.#order++ });
    this.list.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  find(slot: number, id: TimerId): Listed | undefined {
    return this.list.find((timer) =>
      timer.slot === slot && (timer.name === BY_TIMESTAMP ? timer.at : timer.name) === id
    );
  }

  clear(slot: number, id: TimerId): void {
    const found = this.find(slot, id);
    if (found !== undefined) this.list.splice(this.list.indexOf(found), 1);
  }

  takeDue(time: number): Listed | undefined {
    return (this.list[0]?.at ?? Infinity) <= time ? this.list.shift() : undefined;
  }
}

describe("TimerQueue", () => {
  it("fires in order of time, ties in order of setting", () => {
    const timers = new TimerQueue();
    timers.set(2, "t", 20);
    timers.set(1, "t", 10);
    timers.set(3, "t", 10);
    timers.set(1, "u", 20);
    assertEquals(fired(timers, 9), []);
    assertEquals(fired(timers, 20), ["1/t@10", "3/t@10", "2/t@20", "1/u@20"]);
    assertEquals([timers.size, timers.nextAt], [0, Infinity]);
  });

  it("has one timer a slot and name: setting again moves it", () => {
    const timers = new TimerQueue();
    timers.set(1, "t", 10);
    timers.set(1, "t", 5);
    timers.set(2, "t", 7);
    assertEquals([timers.size, timers.at(1, "t"), timers.at(1, "u")], [2, 5, undefined]);
    timers.set(1, "t", 30);
    assertEquals([fired(timers, 10), timers.nextAt], [["2/t@7"], 30]);
  });

  it("has any number of timers by timestamp, each once", () => {
    const timers = new TimerQueue();
    for (const at of [30, 10, 30, 20, 10]) timers.set(1, BY_TIMESTAMP, at);
    timers.set(2, BY_TIMESTAMP, 10);
    timers.set(1, BY_TIMESTAMP, 10);
    timers.set(1, "10", 15);
    assertEquals([timers.size, timers.at(1, 10), timers.at(1, 11)], [5, 10, undefined]);
    timers.clear(1, 30);
    timers.clear(1, 31);
    assertEquals(fired(timers, 99), ["1/@10", "2/@10", "1/10@15", "1/@20"]);
  });

  it("lets a timer that is set while others fire take part if it is due", () => {
    const timers = new TimerQueue();
    timers.set(1, "t", 10);
    timers.set(2, "t", 15);
    assertEquals(timers.takeDue(20)?.slot, 1);
    timers.set(1, "t", 12);
    timers.set(1, "later", 21);
    assertEquals(fired(timers, 20), ["1/t@12", "2/t@15"]);
  });

  it("does as a sorted list does, and tells of slots that get their first timer or lose their last", () => {
    const action = fc.record({
      kind: fc.constantFrom("set", "clear", "take"),
      slot: fc.integer({ min: 0, max: 2 }),
      name: fc.constantFrom("x", "y", BY_TIMESTAMP),
      at: fc.integer({ min: -5, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: "max" }), (actions) => {
        const timed = new Set<number>();
        const changing: number[] = [];
        const timers = new TimerQueue("event", {
          // It is told before: what there is then is what there was.
          changing: (slot) => changing.push(slot, timers.ofSlot(slot).length),
          timed: (slot, isTimed) => {
            assertEquals(timed.has(slot), !isTimed);
            if (isTimed) timed.add(slot);
            else timed.delete(slot);
          },
        });
        const model = new SortedTimers();
        const ofSlot = (slot: number) => model.list.filter((timer) => timer.slot === slot);
        for (const { kind, slot, name, at } of actions) {
          const before = model.list.map(textOf);
          const counts = [0, 1, 2].map((slot) => ofSlot(slot).length);
          changing.length = 0;
          if (kind === "take") {
            const [actual, expected] = [timers.takeDue(at), model.takeDue(at)];
            assertEquals(actual && textOf(actual), expected && textOf(expected));
          } else {
            const id = kind === "clear" && name === BY_TIMESTAMP ? at : name;
            if (kind === "set") { for (const queue of [timers, model]) queue.set(slot, name, at); }
            else for (const queue of [timers, model]) queue.clear(slot, id);
            assertEquals(timers.at(slot, id), model.find(slot, id)?.at);
          }
          assertEquals([timers.size, timers.nextAt], [
            model.list.length,
            model.list[0]?.at ?? Infinity,
          ]);
          for (const slot of [0, 1, 2]) {
            assertEquals(timers.ofSlot(slot).map(textOf), ofSlot(slot).map(textOf));
            assertEquals([timers.has(slot), timed.has(slot)], [
              ofSlot(slot).length > 0,
              ofSlot(slot).length > 0,
            ]);
          }
          if (before.join() !== model.list.map(textOf).join()) {
            const [changed = -1, count] = changing;
            assertEquals([changing.length, count], [2, counts[changed]]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps its order over many moves, when it drops what was taken back", () => {
    const timers = new TimerQueue();
    for (let round = 0; round < 50; round++) {
      for (let slot = 0; slot < 20; slot++) timers.set(slot, "t", (slot * 7 + round * 3) % 40);
    }
    assertEquals(timers.size, 20);
    const last = 49 * 3;
    const expected = Array.from({ length: 20 }, (_, slot) => ({ slot, at: (slot * 7 + last) % 40 }))
      .sort((a, b) => a.at - b.at || a.slot - b.slot);
    assertEquals(fired(timers, 40), expected.map(({ slot, at }) => `${slot}/t@${at}`));
  });
});
