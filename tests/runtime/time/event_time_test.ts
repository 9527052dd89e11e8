import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EventTimeGenerator } from "../../../runtime/time/event_time.ts";

describe("EventTimeGenerator", () => {
  it("promises the newest timestamp minus the bound minus 1 ms, once", () => {
    const generator = new EventTimeGenerator(5);
    assertEquals(generator.take(), undefined);
    generator.see(10);
    assertEquals([generator.take(), generator.take()], [{ kind: "advance", at: 4 }, undefined]);
    generator.see(8);
    assertEquals(generator.take(), undefined);
    generator.see(11);
    generator.see(13);
    generator.see(12);
    assertEquals(generator.take(), { kind: "advance", at: 7 });
  });

  it("takes timestamps from before the epoch", () => {
    const generator = new EventTimeGenerator(0);
    generator.see(-10);
    assertEquals(generator.take(), { kind: "advance", at: -11 });
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
});
