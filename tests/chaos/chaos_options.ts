/**
 * What `deno task chaos` is told on the command line.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { systemRandom } from "../../runtime/random.ts";

/** What is done to the job. */
export const KILLS = ["process", "worker", "hang", "memory"] as const;
/** One of them. */
export type Kill = typeof KILLS[number];

/** `--rounds N [--seed S] [--kill process | worker | hang | memory] [--rate N] [--workers N]`. */
export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly kill: Kill;
  /** Bookings a second. */
  readonly rate: number;
  readonly workers: number;
}

/**
 * Reads the options; a seed is drawn if there is none.
 *
 * @throws {RangeError} if one can't be
 */
export function chaosOptions(args: readonly string[]): ChaosOptions {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: text, seed: text, kill: text, rate: text, workers: text },
  });
  const { kill: wanted = "process" } = values;
  const kill = KILLS.find((kill) => kill === wanted);
  if (kill === undefined) {
    throw new RangeError(`Cannot kill "${wanted}": expected --kill ${KILLS.join(", ")}`);
  }
  const whole = (name: string, text: string | undefined, other: number, least: number) => {
    const value = text === undefined ? other : Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new RangeError(
      `Cannot run chaos with --${name} ${text}: expected a whole number from ${least} on`,
    );
  };
  return {
    rounds: whole("rounds", values.rounds, 200, 0),
    seed: whole("seed", values.seed, Math.floor(systemRandom() * 2 ** 32), 0),
    kill,
    rate: whole("rate", values.rate, 100, 1),
    workers: whole("workers", values.workers, 2, 1),
  };
}
