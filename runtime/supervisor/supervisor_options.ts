/**
 * What a job is run with, and how that ends.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { DeadLetter } from "../dead_letter.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import { scalingBounds, type ScalingOptions } from "../scaling/scaling_options.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { JobSettings } from "../worker/protocol.ts";
import type { CheckpointCoordinator } from "./checkpoint_coordinator.ts";
import type { MadeDecision } from "./decision_log.ts";
import type { JobStatus } from "./job_status.ts";
import type { RestartLimits } from "./restart_policy.ts";
import type { WorkerHost } from "./worker_port.ts";

/** What a job is run with. */
export interface SupervisorOptions {
  readonly host: WorkerHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: JobSettings;
  /** Workers to begin with. */
  readonly workers: number;
  /** How many there may be while it runs; what `scaling` allows unless said, or else `workers`. */
  readonly workersMax?: number;
  /** Workers over which each keyed stage is spread to begin with: at most all. */
  readonly parallelism: number;
  /** How often workers are asked for a report; without it only at their end. */
  readonly reportMs?: number;
  /** A worker that has said nothing for so long counts as hung; `WORKER_SILENT_MS_MAX` unless said. */
  readonly silentMsMax?: number;
  /** How often the job may start again; `RESTART_LIMITS` unless said. */
  readonly restarts?: RestartLimits;
  /** Called for each round of reports. */
  readonly onStatus?: (status: JobStatus) => void;
  readonly onPlan?: (plan: JobPlan) => void;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** Key groups move to where there is less to do; without it they stay. */
  readonly scaling?: {
    /** Workers come and go; undefined: their number stays. */
    readonly options: ScalingOptions | undefined;
    /** Cores that the job may use. */
    readonly cores: number;
  };
  /** Called for what is decided about that, when it has been carried out. */
  readonly onDecision?: (made: MadeDecision) => void;
  /**
   * Takes the job's checkpoints; without it a job that starts again begins where its sources start.
   *
   * @param job the job's name
   * @param failed to be called when checkpoints fail more often than is tolerated
   */
  readonly checkpoints?: (
    job: string,
    failed: (error: Error) => void,
  ) => Promise<CheckpointCoordinator>;
}

/** How a job ended. */
export type JobOutcome =
  | { readonly kind: "finished"; readonly status: JobStatus }
  | {
    readonly kind: "failed";
    readonly error: Error;
    /** Whether it got as far as processing records: if not, what was asked for can't be run. */
    readonly started: boolean;
    readonly status: JobStatus;
  };

/** How many workers there may be. */
export function workersMax({ workers, workersMax, scaling }: SupervisorOptions): number {
  if (workersMax !== undefined || scaling?.options === undefined) return workersMax ?? workers;
  // The plan says how many key groups there are: it is not known yet.
  const machine = { cores: scaling.cores, keyGroups: Number.MAX_SAFE_INTEGER };
  return Math.max(workers, scalingBounds(scaling.options, machine).maxWorkers);
}
