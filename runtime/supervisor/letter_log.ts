/**
 * Dead letters in the log: at most so many a second, since a stream of bad records must not become a stream of log lines.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { DeadLetter } from "../dead_letter.ts";
import { DEAD_LETTERS_LOGGED_PER_SECOND } from "../limits.ts";
import type { Logger } from "../logger.ts";

/** Logs dead letters. */
export class LetterLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #second = 0;
  #lines = 0;
  #dropped = 0;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Logs one, or counts it: how many were not logged is said with the first of a later second. */
  log({ operator, key, origin, reason, timestamp }: DeadLetter): void {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      if (this.#dropped > 0) {
        this.#logger.warn("More dead letters were not logged", { letters: this.#dropped });
      }
      [this.#second, this.#lines, this.#dropped] = [second, 0, 0];
    }
    if (this.#lines >= DEAD_LETTERS_LOGGED_PER_SECOND) {
      this.#dropped++;
      return;
    }
    this.#lines++;
    this.#logger.warn("Dead letter", { operator, key, origin, reason, timestamp });
  }
}
