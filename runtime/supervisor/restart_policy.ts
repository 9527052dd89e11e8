/**
 * Whether and when a failed job starts again: a limit within a window, and a wait that doubles, with jitter. Pure.
 *
 * @module
 */

import {
  RESTART_DELAY_MS,
  RESTART_DELAY_MS_MAX,
  RESTART_WINDOW_MS,
  RESTARTS_MAX,
} from "../limits.ts";
import type { Random } from "../random.ts";

/** How often a job may start again, and how long it waits before. */
export interface RestartLimits {
  /** Restarts within the window before the job is given up. */
  readonly restartsMax: number;
  readonly windowMs: number;
  /** The wait before the first restart of a window; doubled for each further one. */
  readonly delayMs: number;
  readonly delayMsMax: number;
}

/** The limits of a job that is not given others. */
export const RESTART_LIMITS: RestartLimits = {
  restartsMax: RESTARTS_MAX,
  windowMs: RESTART_WINDOW_MS,
  delayMs: RESTART_DELAY_MS,
  delayMsMax: RESTART_DELAY_MS_MAX,
};

/** What is done about a failure. */
export type RestartDecision =
  | { readonly kind: "restart"; readonly afterMs: number }
  | { readonly kind: "give up"; readonly restarts: number; readonly windowMs: number };

/**
 * The decision for a failure at `now`.
 *
 * @param restarts times of earlier restarts, ms
 * @param random jitter: the wait is between half of its nominal length and all of it
 */
export function decideRestart(
  restarts: readonly number[],
  now: number,
  random: Random,
  { restartsMax, windowMs, delayMs, delayMsMax }: RestartLimits = RESTART_LIMITS,
): RestartDecision {
  const recent = restarts.filter((at) => now - at < windowMs).length;
  if (recent >= restartsMax) {
    return { kind: "give up", restarts: recent, windowMs };
  }
  const nominal = Math.min(delayMsMax, delayMs * 2 ** recent);
  return { kind: "restart", afterMs: Math.round(nominal * (0.5 + random() / 2)) };
}
