/**
 * A few rounds of each kind; `deno task chaos` does as many as one likes.
 *
 * @module
 */

import { assertEquals, assertGreater } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KILLS } from "./chaos_options.ts";
import { chaosRun } from "./chaos_run.ts";

describe("a job under load", () => {
  for (const kill of KILLS) {
    it(`loses nothing and counts everything once, with --kill ${kill}`, async () => {
      const rounds: string[] = [];
      const options = { rounds: 2, seed: 11, kill, rate: 60, workers: 2 };
      const run = await chaosRun(options, (line) => rounds.push(line));
      assertEquals(run.findings, [], rounds.join("\n"));
      assertEquals(rounds.length, 2);
      assertGreater(run.restored, 0);
    });
  }
});
