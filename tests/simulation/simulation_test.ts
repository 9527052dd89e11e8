/**
 * A few seeds of our own jobs, and each planted bug; `deno task simulate` runs as many as one likes.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { PLANTED_BUGS, plantedBugs } from "../../runtime/testing/planted_bugs.ts";
import { runSeed } from "./seed_run.ts";

/** Seeds within which a planted bug must be found. */
const FOUND_WITHIN = 300;

describe("runSeed()", () => {
  afterEach(() => plantedBugs.clear());

  it("finds nothing", async () => {
    let checkpoints = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const result = await runSeed(seed);
      assertEquals(result.finding, undefined, `seed ${seed}\n${result.trace.join("\n")}`);
      checkpoints += result.checkpoints;
    }
    assert(checkpoints > 0);
  });

  it("is the same each time", async () => {
    for (const seed of [3, 4, 5]) {
      const [one, two] = [await runSeed(seed), await runSeed(seed)];
      assertEquals(one, two);
      assert(one.trace.length > 0);
    }
    assert((await runSeed(3)).fingerprint !== (await runSeed(4)).fingerprint);
  });

  for (const bug of PLANTED_BUGS) {
    it(`finds a planted bug: ${bug}`, async () => {
      plantedBugs.add(bug);
      for (let seed = 1; seed <= FOUND_WITHIN; seed++) {
        const { finding } = await runSeed(seed);
        if (finding !== undefined) return;
      }
      throw new Error(`Not found within ${FOUND_WITHIN} seeds`);
    });
  }
});
