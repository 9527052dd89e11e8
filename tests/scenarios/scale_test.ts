/**
 * Workers come and go while the job runs: whatever the moment, every key goes on with its state and timers, in its order,
 * and nothing is lost or doubled.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import {
  byKey,
  counting,
  maybeStartAgain,
  rounds,
  someMoves,
  takeAll,
  undisturbed,
} from "./counted_steps.ts";

const WORKERS_MAX = 4;

/** Every other time, to some number of workers: groups leave those that go, and some go to those that have come. */
async function maybeScale(driver: JobDriver, random: Random): Promise<void> {
  if (random() >= 0.5) return;
  const workers = 1 + Math.floor(random() * WORKERS_MAX);
  const leaving = driver.routing.flatMap((from, group) =>
    from < workers ? [] : [{ group, from, to: Math.floor(random() * workers) }]
  );
  if (leaving.length > 0) await driver.move(leaving);
  const figures = await driver.scale(workers);
  if (figures === undefined) return;
  assertEquals([figures.to, driver.status.state], [workers, "running"]);
  const moves = someMoves(driver.routing, workers, random);
  if (moves.length > 0) await driver.move(moves);
}

describe("workers that come and go", () => {
  it("leave every key its state, timers and order, at any moment", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const all = rounds(random);
      const { steps: source, out, job } = counting();
      const workers = 1 + (seed % WORKERS_MAX);
      const driver = await JobDriver.start(job, { workers, workersMax: WORKERS_MAX, seed });
      const scale = () => maybeScale(driver, random);
      await takeAll(all, source, driver, { amongSteps: scale, amongTimers: scale });
      assert(driver.ended);
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });

  it("are those of the next checkpoint, and of the start from it", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(1000 + seed);
      const all = rounds(random);
      const { steps: source, out, job } = counting();
      const options = { workersMax: WORKERS_MAX, checkpoints: memoryStore() };
      const first = await JobDriver.start(job, { ...options, workers: 2, seed });
      await takeAll(all, source, first, {
        amongSteps: (driver) => maybeScale(driver, random),
        afterRound: (driver, { at }) =>
          maybeStartAgain(driver, random, () => {
            const workers = 1 + Math.floor(random() * WORKERS_MAX);
            return JobDriver.start(job, { ...options, workers, seed: seed + at });
          }),
      });
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });

  it("are as many as the job was started for, and none goes that has key groups", async () => {
    const { job } = counting();
    const driver = await JobDriver.start(job, { workers: 2, workersMax: 3 });
    await assertRejects(() => driver.scale(4), RangeError, "the job was started for 1 to 3");
    await assertRejects(() => driver.scale(0), RangeError, "the job was started for 1 to 3");
    await assertRejects(
      () => driver.scale(1),
      RangeError,
      "Cannot let worker 1 of 2 go: it has 4 key groups and 0 shards",
    );
    assertEquals((await driver.scale(3))?.to, 3);
    await driver.stop();
  });

  it("end with the job that is stopped", async () => {
    for (const drain of [false, true]) {
      const { steps: source, out, job } = counting();
      const driver = await JobDriver.start(job, { workers: 1, workersMax: 3 });
      source.push("a", { value: { key: "k0", n: 1 } });
      await driver.settle();
      const scaling = driver.scale(3);
      const stopped = await driver.stop();
      await scaling;
      assertEquals([stopped.kind, out.rows, drain], ["finished", ["k0 1 #1"], drain]);
    }
  });
});
