/**
 * The terminal that commands are run at: its output, Ctrl-C, and the files that are named there.
 *
 * @module
 */

import type { Console } from "../cli/run_command.ts";
import { systemClock } from "../clock.ts";

/** That of this process. */
export const terminal: Console = {
  clock: systemClock,
  // deno-lint-ignore no-console
  print: (line) => console.log(line),
  // deno-lint-ignore no-console
  printError: (line) => console.error(line),
  onInterrupt(callback) {
    let interrupted = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => {
        if (interrupted) Deno.exit(130);
        interrupted = true;
        callback();
      });
    }
  },
};

/** Whether a file is there. Throws if that can't be found out. */
export function isFile(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
