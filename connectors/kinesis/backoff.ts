/**
 * Waiting between tries, and saying so without flooding the log. Retries have no limit in number: a stream that is
 * throttled for an hour is an hour late, not broken.
 *
 * @module
 */

import { type Clock, delay } from "../../runtime/clock.ts";
import type { LogFields, Logger } from "../../runtime/logger.ts";
import type { Random } from "../../runtime/random.ts";

/** The longest first wait. */
export const RETRY_DELAY_MS_BASE = 100;
/** The longest wait at all: five calls a second are allowed per shard, so longer ones only add lag. */
export const RETRY_DELAY_MS_MAX = 10_000;
/** A failure that goes on is logged once per this time. */
export const RETRY_LOG_INTERVAL_MS = 10_000;

/**
 * Full jitter: uniform between 0 and an exponentially growing bound (AWS Architecture Blog, "Exponential backoff and
 * jitter", 2015), which spreads readers that were throttled together.
 *
 * @param attempt 0 for the first retry
 *
 * @example The bound grows
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { backoffMs } from "./backoff.ts";
 * assertEquals([0, 1, 2, 20].map((attempt) => backoffMs(attempt, () => 0.5)), [50, 100, 200, 5000]);
 * ```
 */
export function backoffMs(attempt: number, random: Random): number {
  return random() * Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_BASE * 2 ** Math.min(attempt, 30));
}

/** What a retrying loop needs. */
export interface RetryContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The state of one retrying loop: how often it failed in a row, and when that was last said. */
export class Retries {
  readonly #context: RetryContext;
  readonly #fields: LogFields;
  #failures = 0;
  #loggedAt = -Infinity;

  constructor(context: RetryContext, fields: LogFields) {
    this.#context = context;
    this.#fields = fields;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Notes a failure, logs it if that is due, and returns how long to wait.
   *
   * @param attempt failures before this one, where it is not the loop that counts but what it carries
   */
  failed(message: string, error: unknown, attempt = this.#failures): number {
    const { clock, random, logger } = this.#context;
    const waitMs = backoffMs(attempt, random);
    this.#failures++;
    if (clock.monotonic() - this.#loggedAt >= RETRY_LOG_INTERVAL_MS) {
      this.#loggedAt = clock.monotonic();
      const name = error instanceof Error ? error.name : typeof error;
      const text = error instanceof Error ? error.message : String(error);
      logger.warn(message, { ...this.#fields, failures: this.#failures, error: name, text });
    }
    return waitMs;
  }

  /** Notes a failure and waits, or returns at once when `signal` is aborted. */
  async wait(message: string, error: unknown, signal: AbortSignal): Promise<void> {
    await delay(this.#context.clock, this.failed(message, error), signal);
  }

  /** Notes a success. */
  succeeded(): void {
    this.#failures = 0;
  }
}
