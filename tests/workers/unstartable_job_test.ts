/**
 * Jobs that real workers can't even start: each fails once, is not tried again, and says what is wrong with it.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Logger, silentLogger, startJob, type StartJobOptions } from "../../mod.ts";
import { jobModule } from "./job_module.ts";
import { endOf } from "./patience.ts";

/** What a job fails with that must not start. */
async function failure(url: string, options: StartJobOptions = {}): Promise<string> {
  const critical: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    critical: (_message, fields) => critical.push(String(fields?.["reason"])),
    error: (message) => {
      throw new Error(`The job was tried again: ${message}`);
    },
  };
  const outcome = await endOf(startJob(url, { workers: 2, ...options, logger }));
  assert(outcome.kind === "failed");
  assertEquals(outcome.started, false);
  assertEquals(outcome.status.state, "failed");
  assertEquals(critical, [outcome.error.message]);
  return outcome.error.message;
}

describe("startJob() can't start", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["a module that throws", "import", "Cannot import the job at"],
    ["a module that throws, saying what", "import", "The job has no mood to be imported"],
    ["a module without a job", "no job", 'its default export is no job; write "export default'],
    ["a job whose build throws", "build", "build() threw: The job cannot be built today"],
    ["a job that does not hang together", "topology", 'sink "results" is never fed'],
  ];
  for (const [what, trouble, message] of cases) {
    it(what, async () => {
      assertStringIncludes(await failure(jobModule("troubled", { trouble })), message);
    });
  }

  it("a module that is not there", async () => {
    const url = new URL("./jobs/nowhere.ts", import.meta.url).href;
    assertStringIncludes(await failure(url), `Cannot import the job at ${url}: Module not found`);
  });

  it("a job with parameters that its schema refuses", async () => {
    const url = jobModule("troubled", {});
    assertStringIncludes(
      await failure(url, { params: { limit: "many" } }),
      'Cannot use the parameters of job "troubled": limit: ',
    );
  });

  it("a job on threads either, for the same reasons", async () => {
    const url = jobModule("troubled", { trouble: "import" });
    assertStringIncludes(await failure(url, { isolation: "thread" }), "no mood to be imported");
  });

  it("a job whose module throws once everybody has gone", async () => {
    const url = jobModule("troubled", { trouble: "stray error on import" });
    assertStringIncludes(
      await failure(url),
      "died: Uncaught Error: Thrown by the module's remains",
    );
  });

  it("with options that make no sense", () => {
    const url = jobModule("troubled", {});
    assertThrows(() => startJob(url, { workers: 0 }), RangeError, "on 0 workers");
    assertThrows(() => startJob(url, { workers: 2, parallelism: 3 }), RangeError, "over 3 of 2");
    assertThrows(() => startJob(url, { heapMbMax: 64 }), TypeError, 'add isolation: "thread"');
    assertThrows(
      () => startJob(url, { isolation: "thread", heapMbMax: 0.5 }),
      RangeError,
      "a heap of 0.5 MiB",
    );
  });
});
