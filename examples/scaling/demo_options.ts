/**
 * The command line of the scaling demonstration. Pure.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "../../runtime/cli/arguments.ts";

/** What the command line asks for. */
export interface DemoOptions {
  readonly help: boolean;
  readonly seconds: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly seed: number;
  /** Lines also on a terminal. */
  readonly lines: boolean;
}

/** What `--help` prints. */
export const DEMO_HELP = `Shows a job that is scaled while it runs: deno task demo:scaling

  --seconds N      how long the load lasts (default 90, at least 30)
  --min-workers N  never fewer workers (default 1)
  --max-workers N  never more (default 3); the load is made for so many
  --seed N         another load of the same kind (default 1)
  --lines          a line a second, also on a terminal
  --help           this

Exit codes: 0 every stay came out once, 1 not so, 2 wrong arguments.
`;

/**
 * Reads the command line.
 *
 * @throws {UsageError} if a flag is not known or its value can't be
 */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const values = parsed(args);
  const minWorkers = count("--min-workers", values["min-workers"] ?? "1", 1);
  const maxWorkers = count("--max-workers", values["max-workers"] ?? "3", 1);
  if (minWorkers > maxWorkers) {
    throw new UsageError(
      `Cannot use --min-workers ${minWorkers} with --max-workers ${maxWorkers}: expected at most ${maxWorkers}`,
    );
  }
  return {
    ...{ help: values.help === true, minWorkers, maxWorkers, lines: values.lines === true },
    seconds: count("--seconds", values.seconds ?? "90", 30),
    seed: count("--seed", values.seed ?? "1", 1),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        seconds: { type: "string" },
        "min-workers": { type: "string" },
        "max-workers": { type: "string" },
        seed: { type: "string" },
        lines: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot read the command line: ${reason}; see --help`, { cause: error });
  }
}

function count(flag: string, text: string, least: number): number {
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`Cannot use ${flag} ${text}: expected a whole number from ${least}`);
}
