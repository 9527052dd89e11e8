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

  it("goes on from a checkpoint as if there had been none, wherever that was taken", () => {
    const sees = new Set([0, 1, 4, 9, 10]);
    const run = (ask: (of: EventTimeGenerator, now: number) => unknown, interruptedAt?: number) => {
      let generator = new EventTimeGenerator(0, 10);
      return Array.from({ length: 16 }, (_, step) => {
        if (sees.has(step)) generator.see(step);
        if (step === interruptedAt) {
          const time = generator.snapshot(step * 7);
          generator = new EventTimeGenerator(0, 10);
          // The new clock says something else.
          generator.restore(time, step * 7 + 1000, true);
        }
        const now = step * 7 + (interruptedAt === undefined || step < interruptedAt ? 0 : 1000);
        return ask(generator, now);
      });
    };
    const tick = (of: EventTimeGenerator, now: number) => of.tick(now, false);
    const probe = (of: EventTimeGenerator) => [of.probe(false), of.take()];
    for (const ask of [tick, probe]) {
      const whole = run(ask);
      for (let step = 0; step < 16; step++) assertEquals(run(ask, step), whole, `step ${step}`);
    }
  });

  it("waits for idleness anew where it was not listening, and stays idle if it was", () => {
    const idle = { kind: "idle" } as const;
    const quiet = new EventTimeGenerator(0, 10);
    for (const now of [0, 10]) quiet.tick(now, false);
    const restored = (of: EventTimeGenerator, now: number) => {
      const generator = new EventTimeGenerator(0, 10);
      generator.restore(of.snapshot(now), now, false);
      return generator;
    };
    const anew = restored(quiet, 10);
    assertEquals([11, 12, 22].map((now) => anew.tick(now, false)), [[], [], []]);
    assertEquals(anew.tick(23, false), [idle]);
    const still = restored(anew, 23);
    assertEquals([30, 40, 60].map((now) => still.tick(now, false)), [[], [], []]);
    still.see(5);
    assertEquals(still.tick(70, false), [{ kind: "active" }, { kind: "advance", at: 4 }]);
    const probed = new EventTimeGenerator(0, 10);
    probed.probe(false);
    assertEquals(restored(probed, 0).probe(false), undefined);
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
