/**
 * Real workers that die while they work, in ways that no handler can catch: the process lives, the job is started again
 * or ends with an error that says which worker died of what.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type JobHandle,
  type JobOutcome,
  type Logger,
  silentLogger,
  startJob,
  type StartJobOptions,
} from "../../mod.ts";
import { ISOLATIONS, jobModule } from "./job_module.ts";
import { NdjsonFolder } from "./ndjson_folder.ts";
import { endOf } from "./patience.ts";

/** Runs a job until it fails for the first time, and stops it before it is started again. */
async function firstFailure(
  trouble: string,
  options: StartJobOptions,
): Promise<{ readonly outcome: JobOutcome; readonly logged: readonly string[] }> {
  const logged: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error(message, fields) {
      logged.push(`${message}: ${fields?.["reason"]}`);
      handle.stop();
    },
  };
  const handle: JobHandle = startJob(jobModule("troubled", { trouble }), { ...options, logger });
  return { outcome: await endOf(handle), logged };
}

/** Asserts that a worker died while the job ran, and was noticed. */
function assertDeath(
  { outcome, logged }: Awaited<ReturnType<typeof firstFailure>>,
  cause: RegExp,
): void {
  assert(outcome.kind === "failed");
  assertEquals(outcome.started, true);
  assertMatch(outcome.error.message, /^Worker [01] died: /);
  assertMatch(outcome.error.message, cause);
  assertEquals(logged, [`Job failed; starting it again: ${outcome.error.message}`]);
}

for (const isolation of ISOLATIONS) {
  describe(`startJob() with isolation "${isolation}"`, () => {
    it("notices an error that a worker throws outside of any turn", async () => {
      assertDeath(await firstFailure("stray error", { isolation }), /Thrown where nobody listens$/);
    });

    it("notices a rejection that nobody handles", async () => {
      const failure = await firstFailure("stray rejection", { isolation });
      assertDeath(failure, /Rejected where nobody listens$/);
    });

    it("goes on with new workers", async () => {
      await using folder = new NdjsonFolder();
      const url = jobModule("troubled", {
        trouble: "stray error once",
        marker: folder.pathOf("marker"),
      });
      const reasons: string[] = [];
      const handle = startJob(url, {
        isolation,
        logger: { ...silentLogger, error: (_, fields) => reasons.push(String(fields?.["reason"])) },
        onDeadLetter(letter) {
          reasons.push(letter.reason);
          handle.stop();
        },
      });
      const { kind, status } = await endOf(handle);
      assertEquals(kind, "finished");
      assertMatch(reasons[0] ?? "", /^Worker [01] died: .*Thrown the first time only$/);
      assertEquals(reasons.slice(1), ["RangeError: Here again"]);
      // Counters are those of the second attempt.
      assertEquals([status.sources["numbers"]?.records, status.deadLetters], [1, 1]);
    });
  });
}

describe("startJob() with heapMbMax", () => {
  it("survives a worker that runs out of memory", async () => {
    const failure = await firstFailure("memory", { isolation: "thread", heapMbMax: 64 });
    assertDeath(failure, /heap out of memory$/);
  });
});
