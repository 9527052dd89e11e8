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
): RestartDecision {
  const recent = restarts.filter((at) => now - at < RESTART_WINDOW_MS).length;
  if (recent >= RESTARTS_MAX) {
    return { kind: "give up", restarts: recent, windowMs: RESTART_WINDOW_MS };
  }
  const nominal = Math.min(RESTART_DELAY_MS_MAX, RESTART_DELAY_MS * 2 ** recent);
  return { kind: "restart", afterMs: Math.round(nominal * (0.5 + random() / 2)) };
}
