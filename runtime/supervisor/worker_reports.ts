/**
 * The last reports of an attempt's workers, of those that have left too: what they have counted still counts.
 *
 * @module
 */

import type { WorkerReport } from "../worker/protocol.ts";

/** Reports by worker. */
export class WorkerReports {
  readonly #present = new Map<number, WorkerReport>();
  readonly #departed: WorkerReport[] = [];
  /** Where the report of the last worker of a number that has left stands, until there is another of that number. */
  readonly #left = new Map<number, number>();

  /** Of workers that take part. */
  get present(): Iterable<WorkerReport> {
    return this.#present.values();
  }

  /** Of workers that have left. */
  get departed(): Iterable<WorkerReport> {
    return this.#departed;
  }

  /** A worker has reported. One that has left does when it is let go of: that is its last. */
  take(worker: number, report: WorkerReport): void {
    const at = this.#left.get(worker);
    if (at === undefined) this.#present.set(worker, report);
    else this.#departed[at] = report;
  }

  /** A worker takes part from now on. */
  joined(worker: number): void {
    this.#left.delete(worker);
  }

  /** A worker takes part no more. */
  left(worker: number): void {
    const report = this.#present.get(worker);
    this.#left.set(worker, this.#departed.length);
    if (report !== undefined) this.#departed.push(report);
    this.#present.delete(worker);
  }
}
