import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { responsive, type ResponsiveOptions } from "../../../runtime/scaling/responsive.ts";
import { group, loadOf } from "./loads.ts";
import { PolicedJob } from "./policed_job.ts";

const bounds = { minWorkers: 1, maxWorkers: 16, parallelism: 1 };

/** A job that is fed with cores a second. */
class Policed extends PolicedJob {
  constructor(workers: number, options: ResponsiveOptions = {}) {
    super(responsive(options).begin(), workers, bounds);
  }

  /** What it has after so many seconds of a demand. */
  seconds(count: number, cores: number, oldestMs = 0, intervalMs = 1000): number {
    for (let i = 0; i < count * 1000 / intervalMs; i++) {
      const groups = Array.from(
        { length: 240 },
        (_, index) => group(index, index % this.workers, cores / 240),
      );
      this.look(intervalMs, loadOf(this.workers, groups, { oldestMs }));
    }
    return this.workers;
  }
}

describe("responsive() with a demand that grows", () => {
  it("goes to what it takes at once, after two seconds above 80 %", () => {
    const job = new Policed(1);
    job.seconds(60, 0.3);
    assertEquals([job.seconds(1, 4.5), job.seconds(1, 4.5)], [1, 7]);
    assertStringIncludes(job.because, "demand of at least 4.50 cores for 2 s is 450 % of 1 worker");
  });

  it("does the same with looks four times as often", () => {
    const job = new Policed(1);
    job.seconds(60, 0.3, 0, 250);
    assertEquals([job.seconds(1.75, 4.5, 0, 250), job.seconds(0.25, 4.5, 0, 250)], [1, 7]);
  });

  it("does not for a single second, however high", () => {
    const job = new Policed(1);
    job.seconds(60, 0.3);
    for (let i = 0; i < 5; i++) {
      job.seconds(1, 9);
      assertEquals(job.seconds(1, 0.3), 1);
    }
  });

  it("does not up to 80 %, unless rows wait for long", () => {
    const job = new Policed(2);
    assertEquals(job.seconds(60, 1.59), 2);
    assertEquals(job.seconds(10, 1.59, 2000), 2);
    assertEquals(job.seconds(2, 1.59, 2001), 3);
  });

  it("rests for five seconds after a change", () => {
    const job = new Policed(1);
    assertEquals([job.seconds(4, 2), job.seconds(1, 2)], [1, 3]);
    assertEquals([job.seconds(4, 5), job.seconds(1, 5)], [3, 8]);
  });
});

describe("responsive() with a demand that falls", () => {
  it("keeps what the last minute took, and gives half up at a time", () => {
    const job = new Policed(7);
    job.seconds(70, 4.5);
    const at = [58, 5, 60, 60, 60].map((seconds) => job.seconds(seconds, 0.5));
    assertEquals([at[0], at[1], at[2]], [7, 4, 2]);
    assertEquals(at[4], 1);
    assertStringIncludes(job.because, "limit 55 %");
  });

  it("does not from 55 % on", () => {
    assertEquals(new Policed(4).seconds(600, 2.2), 4);
  });

  it("keeps what a short peak within the minute took", () => {
    const job = new Policed(6);
    job.seconds(61, 3.6);
    for (let i = 0; i < 10; i++) {
      job.seconds(48, 0.5);
      assertEquals(job.seconds(2, 3.6), 6);
    }
  });

  it("waits twice as long after it had to take some back soon", () => {
    const job = new Policed(4);
    job.seconds(65, 2.8);
    const falls = () => {
      let seconds = 0;
      const before = job.workers;
      while (job.workers === before) {
        job.seconds(1, 0.9);
        assert(++seconds < 2000);
      }
      return seconds;
    };
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      waits.push(falls());
      job.seconds(20, 2.8);
      assertEquals(job.workers, 4);
    }
    assert(waits.every((wait, i) => i === 0 || wait > 1.6 * (waits[i - 1] ?? 0)), `${waits}`);
    // A quiet time, and the minute is a minute again.
    falls();
    job.seconds(2000, 0.9);
    job.seconds(65, 2.8);
    const calm = falls();
    assert(calm <= 66, `${calm}`);
  });
});

describe("responsive()", () => {
  it("takes other settings", () => {
    const job = new Policed(1, { target: 0.4, high: 0.5, low: 0.2, rest: "1s", upAfter: "1s" });
    assertEquals(job.seconds(1, 0.5), 1);
    assertEquals(job.seconds(1, 1), 3);
  });

  it("refuses shares that are out of order", () => {
    for (
      const options of [{ low: 0.8 }, { high: 0.6 }, { high: 1.1 }, { low: 0 }, { target: NaN }]
    ) {
      assertThrows(() => responsive(options), RangeError, "0 < low < target <= high <= 1");
    }
  });
});
