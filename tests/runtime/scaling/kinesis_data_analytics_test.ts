import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { kinesisDataAnalytics } from "../../../runtime/scaling/kinesis_data_analytics.ts";
import { group, loadOf } from "./loads.ts";
import { PolicedJob } from "./policed_job.ts";

/** A job in virtual minutes. */
class Policed extends PolicedJob {
  constructor(workers: number, parallelism = 1) {
    const bounds = { minWorkers: 1, maxWorkers: 64, parallelism };
    super(kinesisDataAnalytics().begin(), workers, bounds);
  }

  /** What it has after so many minutes in which the workers use such shares of a core, the last for all others. */
  minutes(count: number, cpus: readonly number[], intervalMs = 1000): number {
    for (let ms = 0; ms < count * 60_000; ms += intervalMs) {
      const load = loadOf(this.workers, [group(0, 0, 0.1)]);
      const workers = load.workers.map((worker, index) => ({
        ...worker,
        cpu: cpus[index] ?? cpus.at(-1) ?? 0,
      }));
      this.look(intervalMs, { ...load, workers });
    }
    return this.workers;
  }
}

describe("kinesisDataAnalytics()", () => {
  it("doubles after 15 minutes at 75 % or more, and again after 15 more", () => {
    const job = new Policed(3);
    assertEquals([14, 1, 14, 1].map((minutes) => job.minutes(minutes, [0.75])), [3, 6, 6, 12]);
    assertStringIncludes(job.because, "CPU has been at 75 % or more for 15 min");
  });

  it("begins anew after a minute below", () => {
    const job = new Policed(1);
    job.minutes(14, [0.9]);
    job.minutes(1, [0.74]);
    assertEquals([job.minutes(14, [0.9]), job.minutes(1, [0.9])], [1, 2]);
  });

  it("goes by the worker that uses most, and by means of a minute", () => {
    const job = new Policed(4);
    assertEquals(job.minutes(15, [0, 0, 0.8, 0]), 8);
    const peaks = new Policed(1);
    for (let i = 0; i < 60; i++) {
      peaks.minutes(0.5, [1]);
      assertEquals(peaks.minutes(0.5, [0.4]), 1);
    }
  });

  it("halves after 6 hours below 10 %, rounded up, and not at 10 %", () => {
    const job = new Policed(5);
    assertEquals([359, 1, 359, 1].map((minutes) => job.minutes(minutes, [0.09])), [5, 3, 3, 2]);
    assertEquals(new Policed(5).minutes(1000, [0.1]), 5);
  });

  it("never goes below what is configured", () => {
    const job = new Policed(8, 3);
    assertEquals([360, 360, 360, 720].map((minutes) => job.minutes(minutes, [0.01])), [4, 3, 3, 3]);
    assertEquals(new Policed(2, 3).minutes(720, [0.01]), 2);
  });

  it("does the same with a look every five minutes", () => {
    const job = new Policed(1);
    assertEquals([10, 5].map((minutes) => job.minutes(minutes, [0.8], 300_000)), [1, 2]);
  });
});
