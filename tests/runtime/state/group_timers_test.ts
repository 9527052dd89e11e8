import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { GroupTimers, type KeyTimer } from "../../../runtime/state/group_timers.ts";

describe("GroupTimers", () => {
  it("puts timers of both kinds, and gives them back in order", () => {
    const timers = new GroupTimers();
    const all: KeyTimer[] = [
      { domain: "event", name: "", at: 5 },
      { domain: "event", name: "late", at: 9 },
      { domain: "processing", name: "", at: 1 },
      { domain: "processing", name: "", at: 2 },
    ];
    timers.put(3, all.toReversed());
    timers.put(4, [{ domain: "event", name: "late", at: 0 }]);
    assertEquals([timers.of(3), timers.of(5)], [all, []]);
    assertEquals([timers.event.size, timers.processing.size], [3, 2]);
  });

  it("tells of a slot's first timer and of its last, of whichever kind", () => {
    const told: string[] = [];
    const timers = new GroupTimers({
      changing: (slot) => told.push(`${slot} changes`),
      timed: (slot, isTimed) => told.push(`${slot} ${isTimed ? "timed" : "free"}`),
    });
    timers.processing.set(1, "a", 5);
    timers.event.set(1, "a", 5);
    timers.processing.takeDue(5);
    timers.event.clear(1, "a");
    timers.event.set(1, "a", 5);
    assertEquals(told, [
      ...["1 changes", "1 timed", "1 changes", "1 changes"],
      ...["1 changes", "1 free", "1 changes", "1 timed"],
    ]);
  });
});
