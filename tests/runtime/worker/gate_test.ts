import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Gate, Valve } from "../../../runtime/worker/gate.ts";

describe("Valve", () => {
  it("is blocked while any of its gates is closed, and wakes its stage when the last one opens", () => {
    let resumed = 0;
    const valve = new Valve(() => resumed++);
    const [sink, channel] = [new Gate(), new Gate()];
    for (const gate of [sink, channel]) gate.join(valve);
    assertEquals([valve.blocked, resumed], [false, 0]);
    sink.set(true);
    channel.set(true);
    sink.set(false);
    assertEquals([valve.blocked, resumed], [true, 0]);
    channel.set(false);
    assertEquals([valve.blocked, resumed], [false, 1]);
  });
});

describe("Gate", () => {
  it("counts once for a stage that joins twice, and for being closed twice", () => {
    const valve = new Valve(() => {});
    const gate = new Gate();
    gate.join(valve);
    gate.join(valve);
    gate.set(true);
    gate.set(true);
    assertEquals([gate.closed, valve.blocked], [true, true]);
    gate.set(false);
    gate.set(false);
    assertEquals([gate.closed, valve.blocked], [false, false]);
    gate.set(true);
    gate.join(valve);
    gate.set(false);
    assertEquals(valve.blocked, false);
  });

  it("blocks every stage that feeds it, those that join later too", () => {
    const [early, late] = [new Valve(() => {}), new Valve(() => {})];
    const gate = new Gate();
    gate.join(early);
    gate.set(true);
    gate.join(late);
    assertEquals([early.blocked, late.blocked], [true, true]);
    gate.set(false);
    assertEquals([early.blocked, late.blocked], [false, false]);
  });
});
