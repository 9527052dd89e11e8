/**
 * What the process with the job is told, and what it tells.
 *
 * @module
 */

import type { LogFields } from "../../runtime/logger.ts";

/** The job's name, and so that of its checkpoints. */
export const JOB_NAME = "chaos-bookings";

/** How the job is run. */
export interface JobProcessSettings {
  /** Of the embedded Kinesis. */
  readonly endpoint: string;
  /** The file of its checkpoints. */
  readonly checkpoints: string;
  readonly intervalMs: number;
  /** The job's module. */
  readonly url: string;
  readonly workers: number;
  readonly isolation: "web-worker" | "thread";
  readonly heapMbMax?: number;
  readonly silentMsMax: number;
}

/** What becomes of the job. */
export type JobEvent =
  | { readonly event: "restored"; readonly number: number }
  | { readonly event: "running" }
  | { readonly event: "kept"; readonly number: number }
  | { readonly event: "failed"; readonly reason: string }
  | { readonly event: "letter"; readonly operator: string; readonly reason: string }
  | {
    readonly event: "log";
    readonly level: string;
    readonly message: string;
    readonly fields: LogFields;
  }
  | { readonly event: "finished" };
