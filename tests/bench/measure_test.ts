/**
 * The figures leave out the first third of the records.
 *
 * @module
 */

import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Meter, processProbe } from "./measure.ts";

describe("Meter", () => {
  it("finish() divides what came after the warm-up by the records after it", () => {
    let nowMs = 0;
    let cpuMicros = 0;
    const probe = { nowMs: () => nowMs, cpuMicros: () => cpuMicros, peakRssMb: () => 77 };
    const meter = new Meter(3000, probe);
    [nowMs, cpuMicros] = [100, 50_000];
    meter.reached(999);
    [nowMs, cpuMicros] = [500, 90_000];
    meter.reached(1000);
    [nowMs, cpuMicros] = [900, 95_000];
    meter.reached(2000);
    [nowMs, cpuMicros] = [1500, 98_000];
    assertEquals(meter.finish(), {
      records: 2000,
      seconds: 1,
      recordsPerSecond: 2000,
      cpuSecondsPerMillion: 4,
      peakRssMb: 77,
    });
  });

  it("finish() refuses a run that told nothing, or only of its end", () => {
    const silent = new Meter(300, processProbe);
    silent.reached(99);
    assertThrows(() => silent.finish(), Error, "fewer than 100");
    const late = new Meter(300, processProbe);
    late.reached(300);
    assertThrows(() => late.finish(), Error, "all at once");
  });
});

describe("processProbe", () => {
  it("tells of this process", () => {
    assertGreater(processProbe.cpuMicros(), 0);
    assertGreater(processProbe.nowMs(), 0);
  });
});
