/**
 * `deno task start`: runs a job, or the booking example when none is named. Arguments are in `cli/arguments.ts`.
 *
 * @module
 */

import { HELP, parseStartArguments, type StartArguments, UsageError } from "./cli/arguments.ts";
import { describeUnderConsole } from "./cli/describe_command.ts";
import { jobUrl } from "./cli/job_url.ts";
import { runUnderConsole, startOptions } from "./cli/run_command.ts";
import { isFile, terminal } from "./ports/terminal.ts";

/** The job of the example: it can be described without its Kinesis. */
const EXAMPLE = new URL("../examples/booking_correlation/job.ts", import.meta.url).href;

async function run(args: StartArguments): Promise<number> {
  if (args.help) {
    terminal.print(HELP);
    return 0;
  }
  if (args.describe !== undefined) {
    const url = args.job === undefined ? EXAMPLE : jobUrl(args.job, isFile);
    return await describeUnderConsole(url, args, args.describe, terminal);
  }
  if (args.job === undefined) {
    const { runExample } = await import("../examples/booking_correlation/example.ts");
    return await runExample(args, terminal);
  }
  return await runUnderConsole(jobUrl(args.job, isFile), startOptions(args), terminal).exitCode;
}

async function main(): Promise<number> {
  try {
    return await run(parseStartArguments(Deno.args, Deno.env.toObject()));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.printError(error.message);
    return 2;
  }
}

// Exits by itself: a client's idle connections would keep the process for a while.
if (import.meta.main) Deno.exit(await main());
