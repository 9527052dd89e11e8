/**
 * Makes a planned run in a process of its own and reads the line that it prints.
 *
 * @module
 */

import { isFlink, PENSTOCK_SCHEMAS, type ScriptEngineName } from "./engine.ts";
import { flinkCommand, flinkResult } from "./flink.ts";
import type { PlannedRun } from "./plan.ts";
import { parseResult, type RunResult } from "./result.ts";

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/**
 * Runs and waits.
 *
 * @throws {Error} if the process ends with another code than 0, or prints no result
 */
export async function resultOf(run: PlannedRun, dataDir: string): Promise<RunResult> {
  const { engine } = run;
  if (isFlink(engine)) {
    return flinkResult(await printed(flinkCommand(engine, run, dataDir)), run.passes);
  }
  return parseResult(await printed(engineCommand(engine, run, dataDir)));
}

/** As `deno task start` has it: what a batch leaves behind is picked up sooner, for a third less memory a worker. */
const PENSTOCK_FLAGS = ["--v8-flags=--max-semi-space-size=4"];

function engineCommand(engine: ScriptEngineName, run: PlannedRun, dataDir: string): Command {
  const { workload, workers, passes, input } = run;
  const script = new URL("./run.ts", import.meta.url).href;
  const options = { engine, workload, workers, data: dataDir, passes, input };
  return [
    Deno.execPath(),
    "run",
    "-A",
    ...(PENSTOCK_SCHEMAS.has(engine) ? PENSTOCK_FLAGS : []),
    script,
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]),
  ];
}

/** The last line that a command prints on standard output; what it says on standard error goes to ours. */
async function printed([program, ...args]: Command): Promise<string> {
  const command = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" });
  const { code, stdout } = await command.output();
  const line = new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1) ?? "";
  if (code !== 0 || line === "") {
    throw new Error(
      `Cannot take a result from ${program} ${args.join(" ")}: it ended with code ${code}${
        line === "" ? " and printed none" : ""
      }; see its messages above`,
    );
  }
  return line;
}
