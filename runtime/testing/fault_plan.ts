/**
 * Which faults a simulated run has, and when they strike. Each seed turns a random subset on, each with a probability of
 * its own (swarm testing, Groce et al. 2012): faults that are always on together hide what one of them alone would show.
 *
 * @module
 */

import type { Random } from "../random.ts";

/** Everything that can go wrong. */
export const FAULTS = [
  /** A worker is gone from one moment to the next. */
  "worker killed",
  /** All of them are, with the supervisor, and the job is started anew. */
  "process killed",
  /** Messages between workers, and to and from the supervisor, are late: in order on a channel, in none among them. */
  "messages late",
  /** Readers are slow, each batch by another time. */
  "source throttled",
  /** A reader gives up, which ends the attempt: what came after the last checkpoint is read a second time. */
  "reader fails",
  /** The store takes its time. */
  "store slow",
  /** A checkpoint is not written. */
  "store fails",
  /** It is written, but the answer gets lost. */
  "answer of store lost",
  /** A checkpoint is written in part: it is there, damaged, and the write fails. */
  "store tears",
  /** While a job starts again, its store can't be read at first. */
  "store unreadable",
  /** Sinks want no more for a while, and prepare and commit slowly. */
  "sink slow",
  /** Preparing or committing fails, which ends the attempt. */
  "sink fails",
  /** A handler throws, where the job lets it: see `SimulatedSurroundings.mayThrow`. */
  "handler throws",
  /** The job is stopped, and started again with another number of workers. */
  "stopped and started again",
  /** Key groups go to other workers while the job runs. */
  "key groups move",
  /** Workers join, and leave, while the job runs. */
  "workers come and go",
  /** Shards are read by other workers while the job runs. */
  "shards move",
  /** Savepoints are asked for, several at once. */
  "savepoints",
  /** Checkpoints have so little time that some are given up. */
  "checkpoints time out",
] as const;

/** The name of a fault. */
export type Fault = typeof FAULTS[number];

/** What every error that a fault has caused begins with: all others are findings. */
export const SIMULATED = "Simulated fault";

/** Faults that end an attempt, in one run: fewer than the restarts that a job is allowed, with those below. */
const ENDING_FAULTS_MAX = 6;
/** Writes that fail, in one run. */
const STORE_FAULTS_MAX = 8;

/** The faults of one run. */
export class FaultPlan {
  /** Those that are on. */
  readonly on: ReadonlySet<Fault>;
  /** Whether they strike; once it is false none does any more. */
  active = true;
  readonly #random: Random;
  readonly #likelihoods = new Map<Fault, number>();
  #endingLeft = ENDING_FAULTS_MAX;
  #storeLeft = STORE_FAULTS_MAX;

  /** @param allowed those of which a subset is drawn */
  constructor(random: Random, allowed: readonly Fault[]) {
    this.#random = random;
    const share = random();
    this.on = new Set(allowed.filter(() => random() < share));
    for (const fault of FAULTS) this.#likelihoods.set(fault, random() ** 2);
  }

  /** Whether a fault strikes now. */
  strikes(fault: Fault, most = 1): boolean {
    return this.active && this.on.has(fault) &&
      this.#random() < most * (this.#likelihoods.get(fault) ?? 0);
  }

  /** The same for one that ends the attempt: there are only so many of them. */
  ends(fault: Fault, most: number): boolean {
    if (this.#endingLeft === 0 || !this.strikes(fault, most)) return false;
    this.#endingLeft--;
    return true;
  }

  /** The same for a write that fails. */
  failsWrite(fault: Fault): boolean {
    if (this.#storeLeft === 0 || !this.strikes(fault, 0.5)) return false;
    this.#storeLeft--;
    return true;
  }

  /** For how long something is held up, ms: 0 unless the fault strikes. */
  delayMs(fault: Fault, mostMs: number): number {
    return this.strikes(fault) ? Math.ceil(this.#random() * mostMs) : 0;
  }
}

/** The error of a fault. */
export function simulatedError(fault: Fault): Error {
  return new Error(`${SIMULATED}: ${fault}`);
}
