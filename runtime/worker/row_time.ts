/**
 * The mean time that a row takes, over the last ones that were timed.
 *
 * @module
 */

/** Rows that a mean is made of: behind them, what is older counts half. */
const MEAN_ROWS = 1024;

/** The mean time of a row, or a timer. */
export class RowTime {
  #ms = 0;
  #rows = 0;

  /** ms; undefined before the first. */
  get mean(): number | undefined {
    return this.#rows === 0 ? undefined : this.#ms / this.#rows;
  }

  /** So many rows took so long together. */
  add(ms: number, rows: number): void {
    if (this.#rows >= MEAN_ROWS) {
      this.#ms /= 2;
      this.#rows /= 2;
    }
    this.#ms += ms;
    this.#rows += rows;
  }
}
