/**
 * What a run costs: wall time, CPU time and memory of the whole process, compilers and collectors included. The first
 * third of all records is warm-up and is left out of both times.
 *
 * @module
 */

import { cpuUsage } from "node:process";

/** Where the figures come from. */
export interface Probe {
  /** A clock that only goes forward, in ms. */
  nowMs(): number;
  /** User and system time of all threads, in microseconds. */
  cpuMicros(): number;
  /** The most memory that the process ever had resident, in MB of 2^20 bytes. */
  peakRssMb(): number;
}

/** The figures of this process. */
export const processProbe: Probe = {
  nowMs: () => performance.now(),
  cpuMicros: () => {
    const { user, system } = cpuUsage();
    return user + system;
  },
  peakRssMb: () => {
    const peak = /^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"));
    if (peak === null) {
      throw new TypeError("Cannot read peak memory from /proc/self/status: there is no VmHWM line");
    }
    return Math.round(Number(peak[1]) / 1024);
  },
};

/** What came out of a measurement. */
export interface Measured {
  /** Records after the warm-up: those that the figures are about. */
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakRssMb: number;
}

/** Measures one run of an engine. */
export class Meter {
  /** The measurement starts when so many records went in. */
  readonly warmAt: number;
  readonly #total: number;
  readonly #probe: Probe;
  #warm:
    | { readonly records: number; readonly nowMs: number; readonly cpuMicros: number }
    | undefined;

  constructor(totalRecords: number, probe: Probe) {
    this.#total = totalRecords;
    this.warmAt = Math.ceil(totalRecords / 3);
    this.#probe = probe;
  }

  /**
   * To be called by the engine now and then, such as once a batch, with how many records went in since its start, over
   * all passes and threads. The first call with {@linkcode warmAt} or more starts the measurement; others do nothing.
   */
  reached(records: number): void {
    if (this.#warm !== undefined || records < this.warmAt) return;
    this.#warm = { records, nowMs: this.#probe.nowMs(), cpuMicros: this.#probe.cpuMicros() };
  }

  /**
   * Ends the measurement: when all outputs are written.
   *
   * @throws {Error} if the engine never said that a third of the records went in, or only when all had
   */
  finish(): Measured {
    const nowMs = this.#probe.nowMs();
    const cpuMicros = this.#probe.cpuMicros();
    if (this.#warm === undefined || this.#warm.records >= this.#total) {
      throw new Error(
        `Cannot measure a run of ${this.#total} records: the engine told of ${
          this.#warm === undefined ? `fewer than ${this.warmAt}` : "all at once"
        }; call meter.reached() after each batch`,
      );
    }
    const records = this.#total - this.#warm.records;
    const seconds = (nowMs - this.#warm.nowMs) / 1000;
    return {
      records,
      seconds: rounded(seconds),
      recordsPerSecond: Math.round(records / seconds),
      // Microseconds a record are seconds a million records.
      cpuSecondsPerMillion: rounded((cpuMicros - this.#warm.cpuMicros) / records),
      peakRssMb: this.#probe.peakRssMb(),
    };
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
