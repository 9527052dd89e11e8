/**
 * Real workers that come to harm while a job with checkpoints runs: it is noticed, and the job goes on from its last
 * checkpoint with the right state.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runDeno } from "../cli/subprocess.ts";
import { type PoisonedRun, poisonedRun, SILENT_MS, TOTALS } from "./poisoned_run.ts";

const HUNG =
  /^Worker [01] has not answered for \d+ ms: something in it does not end; look for a loop/;

function assertRecovered(run: PoisonedRun, cause: RegExp): void {
  assertEquals(run.outcome, "finished");
  assertEquals(run.reasons.length, 1, run.reasons.join("\n"));
  assertMatch(run.reasons[0] ?? "", cause);
  assertEquals(run.restored.length, 1);
  assertGreater(run.restored[0] ?? 0, 0);
  assertEquals(run.totals, TOTALS);
}

async function hangingProgram(isolation: string, end = "") {
  const args = ["run", "-A", "--no-lock", "--no-check", "tests/workers/hanging_program.ts"];
  const { code, stdout, stderr } = await runDeno([...args, isolation, end]);
  assertEquals(code, 0, stderr);
  const run: PoisonedRun & { readonly cpuMs: number } = JSON.parse(stdout);
  return run;
}

describe('a job with checkpoints and isolation "thread"', () => {
  it("goes on when a worker throws outside of any turn", async () => {
    const run = await poisonedRun("throw", "thread");
    assertRecovered(run, /^Worker [01] died: Thrown where nobody listens$/);
  });

  it("goes on when a worker is ended", async () => {
    const run = await poisonedRun("end", "thread");
    assertRecovered(run, /^Worker [01] died: the thread ended with code 9$/);
  });

  it("goes on when a worker runs out of memory", async () => {
    const run = await poisonedRun("memory", "thread");
    assertRecovered(run, /^Worker [01] died: .*heap out of memory$/);
  });

  // The program ends by itself, and that only if no thread is stuck any more.
  it("goes on when a worker hangs, and ends the thread that is stuck", async () => {
    const run = await hangingProgram("thread");
    assertRecovered(run, HUNG);
    assert(!run.reasons[0]?.includes("isolation"));
    assertGreater(run.noticedMs, SILENT_MS / 2);
    // A stuck thread would use all of the time that is looked at, 500 ms, unless others have the cores.
    assertLess(run.cpuMs, 250);
  });
});

describe('a job with checkpoints and isolation "web-worker"', () => {
  it("goes on when a worker throws outside of any turn", async () => {
    const run = await poisonedRun("throw", "web-worker");
    assertRecovered(run, /^Worker [01] died: .*Thrown where nobody listens$/);
  });

  it("goes on when a worker is ended, which shows in its silence", async () => {
    assertRecovered(await poisonedRun("end", "web-worker"), HUNG);
  });

  it("goes on when a worker hangs, says what to do, and is ended by Deno.exit()", async () => {
    const run = await hangingProgram("web-worker", "exit");
    assertRecovered(run, HUNG);
    assertMatch(run.reasons[0] ?? "", /cannot be ended .*: run the job with isolation "thread"/);
  });
});
