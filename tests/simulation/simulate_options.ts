/**
 * What `deno task simulate` is told on the command line.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { PLANTED_BUGS, type PlantedBug } from "../../runtime/testing/planted_bugs.ts";

/** Seeds of a run that does not say how many. */
const SEEDS_DEFAULT = 2000;

/** `--seeds N [--seed S] [--plant NAME]`. */
export interface SimulateTaskOptions {
  readonly seeds: number;
  /** The first one. */
  readonly seed: number;
  /** A bug that is to be found. */
  readonly plant: PlantedBug | undefined;
}

/**
 * Reads the options.
 *
 * @throws {RangeError} if a number is no whole number from 1, or there is no such bug
 */
export function simulateOptions(args: readonly string[]): SimulateTaskOptions {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seeds: text, seed: text, plant: text },
  });
  const whole = (name: string, text: string | undefined, other: number) => {
    const value = text === undefined ? other : Number(text);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new RangeError(`Cannot simulate with --${name} ${text}: expected a whole number from 1`);
  };
  const plant = PLANTED_BUGS.find((bug) => bug === values.plant);
  if (values.plant !== undefined && plant === undefined) {
    throw new RangeError(
      `Cannot plant "${values.plant}": expected one of ${
        PLANTED_BUGS.map((bug) => `"${bug}"`).join(", ")
      }`,
    );
  }
  return {
    seeds: whole("seeds", values.seeds, SEEDS_DEFAULT),
    seed: whole("seed", values.seed, 1),
    plant,
  };
}
