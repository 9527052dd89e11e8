/**
 * Key groups move between workers while the job runs: whatever the moment, every key goes on with its state and timers, in
 * its order, and nothing is lost or doubled.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { seededRandom } from "../../runtime/random.ts";
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

describe("key groups that move", () => {
  it("keep state, timers and order, at any moment", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const all = rounds(random);
      const { steps: source, out, job } = counting();
      const workers = 2 + (seed % 3);
      const driver = await JobDriver.start(job, { workers, seed });
      let moved = 0;
      const move = async () => {
        const moves = someMoves(driver.routing, workers, random);
        if (moves.length === 0) return;
        moved += (await driver.move(moves))?.groups ?? 0;
        for (const { group, to } of moves) assertEquals(driver.routing[group], to);
      };
      await takeAll(all, source, driver, { amongSteps: move, amongTimers: move });
      assert(driver.ended);
      assert(moved > 10, `${moved} groups moved`);
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });

  it("hold back what comes behind the barrier until their keys are there", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(2000 + seed);
      // So many that they still come in when the groups are handed over; and keys that come and go meanwhile.
      const all = rounds(random, 3, 3000, 40);
      const { steps: source, out, job } = counting();
      const driver = await JobDriver.start(job, { workers: 3, seed });
      await takeAll(all, source, driver, {
        async amongSteps() {
          for (let moved = 0; moved < 3; moved++) {
            const moves = someMoves(driver.routing, 3, random);
            if (moves.length > 0) await driver.move(moves);
          }
        },
      });
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });

  it("are in the next checkpoint with all they have, and only once", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(1000 + seed);
      const all = rounds(random);
      const { steps: source, out, job } = counting();
      const checkpoints = memoryStore();
      let workers = 3;
      const first = await JobDriver.start(job, { workers, seed, checkpoints });
      await takeAll(all, source, first, {
        async amongSteps(driver) {
          const moves = random() < 0.5 ? someMoves(driver.routing, workers, random) : [];
          if (moves.length > 0) await driver.move(moves);
        },
        afterRound: (driver, { at }) =>
          maybeStartAgain(driver, random, () => {
            workers = 1 + Math.floor(random() * 3);
            return JobDriver.start(job, { workers, seed: seed + at, checkpoints });
          }),
      });
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });
});
