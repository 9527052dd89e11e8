import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EventTimeGenerator } from "../../../runtime/time/event_time.ts";

describe("EventTimeGenerator", () => {
  it("promises the newest timestamp minus the bound minus 1 ms, once", () => {
    const generator = new EventTimeGenerator(5);
    assertEquals(generator.take(), []);
    generator.see(10);
    assertEquals([generator.take(), generator.take()], [[{ kind: "advance", at: 4 }], []]);
    generator.see(8);
    assertEquals(generator.take(), []);
    generator.see(11);
    generator.see(13);
    generator.see(12);
    assertEquals(generator.take(), [{ kind: "advance", at: 7 }]);
  });

  it("takes timestamps from before the epoch", () => {
    const generator = new EventTimeGenerator(0);
    generator.see(-10);
    assertEquals(generator.take(), [{ kind: "advance", at: -11 }]);
  });

  it("says idle when no record passed between two probes, unless records are held", () => {
    const generator = new EventTimeGenerator(0);
    const idle = { kind: "idle" } as const;
    // The first probe starts the wait.
    assertEquals(generator.probe(false), undefined);
    assertEquals([generator.probe(true), generator.probe(false)], [undefined, idle]);
    generator.see(1);
    assertEquals([generator.probe(false), generator.probe(false)], [undefined, idle]);
    // A record that does not raise the watermark is a sign of life all the same.
    generator.see(0);
    assertEquals(generator.probe(false), undefined);
  });

  it("is idle, once, after ticks without a record for longer than the timeout", () => {
    const generator = new EventTimeGenerator(0, 10);
    generator.see(5);
    assertEquals(generator.tick(0, false), [{ kind: "advance", at: 4 }]);
    // The wait begins at the first quiet tick, and must be exceeded.
    assertEquals([20, 30].map((now) => generator.tick(now, false)), [[], []]);
    assertEquals(generator.tick(31, false), [{ kind: "idle" }]);
    assertEquals(generator.tick(50, false), []);
    // A record that does not raise the watermark leaves it idle.
    generator.see(5);
    assertEquals([60, 70, 90].map((now) => generator.tick(now, false)), [[], [], []]);
    generator.see(6);
    assertEquals(generator.tick(95, false), [{ kind: "active" }, { kind: "advance", at: 5 }]);
  });

  it("does not count time in which records are held", () => {
    const generator = new EventTimeGenerator(0, 10);
    generator.tick(0, false);
    assertEquals(generator.tick(20, true), []);
    assertEquals(generator.tick(30, false), []);
    assertEquals(generator.tick(41, false), [{ kind: "idle" }]);
  });

  it("says what records say, if it rises, and nothing from timestamps then", () => {
    const generator = new EventTimeGenerator(undefined, 10);
    generator.see(7);
    assertEquals([generator.take(), generator.tick(0, false)], [[], []]);
    assertEquals(generator.raise(7), [{ kind: "advance", at: 7 }]);
    assertEquals([generator.raise(7), generator.raise(3)], [[], []]);
  });
});
