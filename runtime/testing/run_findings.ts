/**
 * What is found wrong in a simulated run: the first thing counts, and ends the run.
 *
 * @module
 */

import { CheckpointCatalogue } from "../checkpoint/catalogue.ts";
import type { OpenCheckpointStore } from "../checkpoint/store.ts";
import { BATCH_ROWS_MAX, CHANNEL_ROWS_MAX } from "../limits.ts";
import { type LogFields, type Logger, silentLogger } from "../logger.ts";
import type { JobStatus } from "../supervisor/job_status.ts";
import type { EventTrace } from "./event_trace.ts";
import type { CommittedRow } from "./transactional_sink.ts";

/** Channels that may lead into one stage on one worker, for each pair of workers: more than any job of ours has. */
const STAGE_EDGES_MAX = 8;

/** Ends a run in which something is wrong. */
export class Violation extends Error {}

/** The findings of one run. */
export class RunFindings {
  /** The first thing that is wrong, if anything is. */
  violation: string | undefined;
  /** Checkpoints that a fault has damaged. */
  readonly torn = new Set<number>();
  readonly #trace: EventTrace;
  readonly #isExpected: (reason: string) => boolean;

  /** @param isExpected whether an attempt may fail with this */
  constructor(trace: EventTrace, isExpected: (reason: string) => boolean) {
    this.#trace = trace;
    this.#isExpected = isExpected;
  }

  /** Something is wrong: the run ends at its next step. */
  violate(what: string): void {
    if (this.violation !== undefined) return;
    this.violation = what;
    this.#trace.add(`VIOLATION: ${what}`);
  }

  /** The same, at once. */
  fail(what: string): never {
    this.violate(what);
    throw new Violation(what);
  }

  /** Puts what is logged into the trace, and finds what must not be logged. */
  get logger(): Logger {
    const failed = (message: string, { reason }: LogFields = {}) => {
      this.#trace.add(`${message}: ${String(reason).slice(0, 160)}`);
      const isAttempt = message === "Job failed; starting it again";
      if (isAttempt && typeof reason === "string" && !this.#isExpected(reason)) {
        this.violate(`the attempt failed by itself: ${reason}`);
      }
    };
    return {
      ...silentLogger,
      info: (message, fields = {}) => this.#trace.add(`${message}: ${fields["number"]}`),
      warn: failed,
      error: (message, fields = {}) => {
        const { checkpoint } = fields;
        if (typeof checkpoint === "number" && !this.torn.has(checkpoint)) {
          this.violate(`checkpoint ${checkpoint} can't be read: ${fields["reason"]}`);
        }
        failed(message, fields);
      },
    };
  }

  /** No queue is longer than its bound. */
  checkQueues({ stages }: JobStatus, workers: number): void {
    const most = workers * workers * STAGE_EDGES_MAX * (CHANNEL_ROWS_MAX + BATCH_ROWS_MAX);
    for (const [name, { waiting }] of Object.entries(stages)) {
      if (waiting < 0 || waiting > most) {
        this.violate(`${waiting} rows wait at stage ${name}, at most ${most} may`);
      }
    }
  }

  /** No two rows of a sink have one id. */
  checkIds(sink: string, rows: readonly CommittedRow<unknown>[]): void {
    const seen = new Map<string, unknown>();
    for (const { id, value } of rows) {
      if (seen.has(id)) {
        const both = [seen.get(id), value].map((of) => JSON.stringify(of)).join(" and ");
        this.fail(`sink ${sink} has two rows of id ${id}: ${both}`);
      }
      seen.set(id, value);
    }
  }

  /** Reads every checkpoint that is there: all but the torn ones must be whole. Those that are no savepoints, oldest first. */
  async readCheckpoints(store: OpenCheckpointStore): Promise<readonly number[]> {
    const catalogue = new CheckpointCatalogue(store, silentLogger);
    const kept: number[] = [];
    for (const id of await store.list()) {
      if (this.torn.has(id)) continue;
      const { manifest } = await catalogue.load(id);
      if (manifest.kind === "checkpoint") kept.unshift(id);
    }
    return kept;
  }
}
