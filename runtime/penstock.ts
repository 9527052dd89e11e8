/**
 * The `penstock` command: runs jobs, and looks after their checkpoints. Arguments are in `cli/penstock_arguments.ts`.
 *
 * ```sh
 * deno task penstock --help
 * deno run --allow-net --allow-env --allow-read --allow-write --allow-sys --allow-import runtime/penstock.ts --help
 * ```
 *
 * @module
 */

import { HELP, UsageError } from "./cli/arguments.ts";
import { controlUnderConsole } from "./cli/control_commands.ts";
import { describeUnderConsole } from "./cli/describe_command.ts";
import { inspectUnderConsole } from "./cli/inspect_command.ts";
import { jobUrl } from "./cli/job_url.ts";
import { listUnderConsole } from "./cli/list_command.ts";
import {
  parsePenstockArguments,
  PENSTOCK_HELP,
  type PenstockCommand,
} from "./cli/penstock_arguments.ts";
import { runUnderConsole, startOptions } from "./cli/run_command.ts";
import { systemClock } from "./clock.ts";
import { commandJob, stateOfJob } from "./ports/control_socket.ts";
import { isFile, terminal } from "./ports/terminal.ts";
import { systemRandom } from "./random.ts";

const around = { clock: systemClock, random: systemRandom };

async function run(command: PenstockCommand): Promise<number> {
  switch (command.kind) {
    case "help":
      terminal.print(PENSTOCK_HELP);
      return 0;
    case "run": {
      const { args } = command;
      if (args.help || args.job === undefined) {
        terminal.print(HELP);
        return 0;
      }
      const url = jobUrl(args.job, isFile);
      if (args.describe !== undefined) {
        return await describeUnderConsole(url, args, args.describe, terminal);
      }
      return await runUnderConsole(url, startOptions(args), terminal).exitCode;
    }
    case "savepoint":
    case "stop":
      return await controlUnderConsole(command, terminal, around, {
        ask: (job, request) => commandJob(command.store, job, request),
        stateOf: (job) => stateOfJob(command.store, job, systemClock),
      });
    case "list":
      return await listUnderConsole(
        command,
        terminal,
        around,
        (job) => stateOfJob(command.store, job, systemClock),
      );
    case "inspect":
      return await inspectUnderConsole(command, terminal, around);
  }
}

async function main(): Promise<number> {
  try {
    return await run(parsePenstockArguments(Deno.args, Deno.env.toObject()));
  } catch (error) {
    terminal.printError(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

// Exits by itself: a client's idle connections would keep the process for a while.
if (import.meta.main) Deno.exit(await main());
