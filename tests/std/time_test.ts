import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FakeTime } from "@std/testing/time";

describe("FakeTime", () => {
  it("tick() moves the clock and runs what falls due", () => {
    using time = new FakeTime(1000);
    const ran: number[] = [];
    setTimeout(() => ran.push(Date.now()), 50);
    time.tick(49);
    assertEquals(ran, []);
    time.tick(1);
    assertEquals(ran, [1050]);
  });

  it("tickAsync() runs promise jobs between timers", async () => {
    using time = new FakeTime(0);
    const ran: number[] = [];
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const both = wait(10).then(() => wait(10)).then(() => ran.push(Date.now()));
    await time.tickAsync(20);
    await both;
    assertEquals(ran, [20]);
  });

  it("restore() puts the machine's time back", () => {
    const time = new FakeTime(0);
    time.restore();
    assertGreater(Date.now(), 1_000_000_000_000);
    assertThrows(() => time.restore());
  });
});
