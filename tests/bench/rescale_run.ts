/**
 * A run of the job of the rescale benchmarks: started, watched, and counted when it is over.
 *
 * @module
 */

import { delay, systemClock } from "../../runtime/clock.ts";
import { type LogFields, silentLogger } from "../../runtime/logger.ts";
import { webWorkerHost } from "../../runtime/ports/web_worker_host.ts";
import { systemRandom } from "../../runtime/random.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import type { SupervisorOptions } from "../../runtime/supervisor/supervisor_options.ts";
import {
  RESCALE_RATE,
  RESCALE_STRIDE,
  rowNumber,
  SEEN_MESSAGE,
  type SeenRows,
} from "./rescale_load.ts";

const LOOK_MS = 20;

/** What became of all records. */
export interface RescaleCount {
  readonly records: number;
  readonly lost: number;
  readonly doubled: number;
  /** Whether every key has each of its counts once. */
  readonly isRight: boolean;
}

/** One run. */
export class RescaleRun {
  readonly supervisor: Supervisor;
  readonly #keys: number;
  /** By worker; those of one that has left, and of the next of its number, are others. */
  readonly #seen = new Map<string, SeenRows>();
  readonly #ended: ReturnType<Supervisor["run"]>;

  /**
   * @param keys keys with state
   * @param told called for each word of a sink
   */
  constructor(
    keys: number,
    options: Pick<SupervisorOptions, "workers" | "workersMax" | "parallelism">,
    told: (seen: SeenRows) => void = () => {},
  ) {
    this.#keys = keys;
    const url = new URL("./jobs/rescale.ts", import.meta.url);
    url.searchParams.set("keys", String(keys));
    const info = (message: string, fields: LogFields | undefined) => {
      if (message !== SEEN_MESSAGE || fields === undefined) return;
      const seen = fields as LogFields & SeenRows & { worker: number };
      this.#seen.set(`${seen.worker} ${seen.openedAt}`, seen);
      told(seen);
    };
    this.supervisor = new Supervisor({
      ...{ host: webWorkerHost(), clock: systemClock, random: systemRandom },
      logger: { ...silentLogger, info },
      settings: {
        url: url.href,
        ...{ params: {}, aws: {}, startedAt: systemClock.now(), logLevel: "info" },
      },
      reportMs: 1000,
      ...options,
    });
    this.#ended = this.supervisor.run();
  }

  /** Rows that have been written. */
  get rows(): number {
    return [...this.#seen.values()].reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Resolves when every key has state, and a second more has gone by. */
  async loaded(): Promise<void> {
    while (this.rows < this.#keys + RESCALE_RATE) await delay(systemClock, LOOK_MS);
  }

  /** Stops the job and counts. */
  async end(): Promise<RescaleCount> {
    this.supervisor.stop();
    const outcome = await this.#ended;
    if (outcome.kind === "failed") throw outcome.error;
    const records = outcome.status.sources["updates"]?.records ?? 0;
    const sum = [...this.#seen.values()].reduce((total, { sum }) => total + sum, 0);
    return {
      records,
      lost: Math.max(0, records - this.rows),
      doubled: Math.max(0, this.rows - records),
      isRight: sum === expectedSum(this.#keys, records),
    };
  }
}

/** The counts in a line. */
export function countLine({ records, lost, doubled, isRight }: RescaleCount): string {
  return `${records} records, lost ${lost}, doubled ${doubled}; counts ${
    isRight ? "all right" : "WRONG"
  }`;
}

/** Each key has each count once: a row that is lost or doubled makes all later ones of its key differ. */
function expectedSum(keys: number, records: number): number {
  const counts = new Uint32Array(keys);
  let sum = 0;
  for (let row = 0; row < records; row++) {
    const key = row * RESCALE_STRIDE % keys;
    const count = (counts[key] ?? 0) + 1;
    counts[key] = count;
    sum += rowNumber(key, count);
  }
  return sum;
}
