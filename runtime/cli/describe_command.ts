/**
 * Describing a job from the command line: what would run, without running it. A worker builds the job, as for a start,
 * and is ended when it has told the plan. Nothing is read, and no connection is opened.
 *
 * @module
 */

import { threadHost } from "../ports/thread_host.ts";
import { webWorkerHost } from "../ports/web_worker_host.ts";
import type { JobPlan } from "../stage_plan.ts";
import { WorkerHandle } from "../supervisor/worker_handle.ts";
import type { WorkerHost } from "../supervisor/worker_port.ts";
import type { JobSettings } from "../worker/protocol.ts";
import type { StartArguments } from "./arguments.ts";
import { planText } from "./plan_text.ts";
import type { Console } from "./run_command.ts";

/**
 * Prints a job's plan, for people or as JSON. Resolves with the exit code: 0, or 2 if the job can't be built.
 *
 * @param host what makes the worker; the one that the job would run on unless said
 */
export async function describeUnderConsole(
  url: string,
  { params, endpoint, region, logLevel, isolation }: StartArguments,
  form: "text" | "json",
  terminal: Console,
  host: WorkerHost = isolation === "thread" ? threadHost() : webWorkerHost(),
): Promise<number> {
  const settings: JobSettings = {
    url,
    params,
    aws: { endpoint, region },
    startedAt: terminal.clock.now(),
    logLevel,
  };
  try {
    const plan = await describedJob(settings, terminal, host);
    terminal.print(form === "json" ? JSON.stringify(plan, undefined, 2) : planText(plan));
    return 0;
  } catch (error) {
    terminal.printError(error instanceof Error ? error.message : String(error));
    return 2;
  }
}

async function describedJob(
  settings: JobSettings,
  { clock, printError }: Console,
  host: WorkerHost,
): Promise<JobPlan> {
  const handle = new WorkerHandle(0, host.spawn(0), clock, {
    notice(_worker, notice) {
      // What the job logs while it is built. The standard output is for the plan alone.
      if (notice.type === "log") printError(`${notice.level}: ${notice.message}`);
    },
    // What was asked of it is rejected then, which is all that is wanted here.
    died() {},
  });
  try {
    await handle.ready;
    return await handle.ask<"describe">({ type: "describe", job: settings });
  } finally {
    handle.terminate();
  }
}
