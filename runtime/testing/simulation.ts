/**
 * One simulated run of a job: the real engine in one thread and in virtual time, with faults, until it has ended, and what
 * its readers see then. The seed decides everything.
 *
 * @module
 */

import type { Source } from "../../connectors/source.ts";
import { memoryStore } from "../checkpoint/memory_store.ts";
import type { CheckpointStore, OpenCheckpointStore } from "../checkpoint/store.ts";
import type { Job } from "../job.ts";
import { silentLogger } from "../logger.ts";
import { type InProcessHost, inProcessHost, type SpawnedWorker } from "../ports/in_process_host.ts";
import { type Random, seededRandom } from "../random.ts";
import { openCheckpoints, openStore } from "../supervisor/open_checkpoints.ts";
import { JOB_LEFT, Supervisor } from "../supervisor/supervisor.ts";
import type { JobOutcome } from "../supervisor/supervisor_options.ts";
import { RESTART_LIMITS } from "../supervisor/restart_policy.ts";
import { EventTrace } from "./event_trace.ts";
import { type Fault, FaultPlan, SIMULATED, simulatedError } from "./fault_plan.ts";
import { faultyStore } from "./faulty_store.ts";
import { Interventions } from "./interventions.ts";
import { RunFindings, Violation } from "./run_findings.ts";
import { Scheduler } from "./scheduler.ts";
import { faultySink, pacedSource } from "./simulated_connectors.ts";
import {
  type CommittedRow,
  type TransactionalSink,
  transactionalSink,
} from "./transactional_sink.ts";

/** Virtual time after the last fault within which a job must end, ms. */
export const PROGRESS_MS_MAX = 300_000;
/** Steps within which a run must end: beyond that something goes round in circles. */
const STEPS_MAX = 2_000_000;
const FAULTS_MS_MAX = 5000;
const LATE_MS_MAX = 120;
/** Faults are limited by their own plan. */
const RESTARTS = { ...RESTART_LIMITS, restartsMax: 30 };

/** What a simulated job may ask, for checks of its own. */
export interface SimulatedSurroundings {
  /** The worker whose handler runs now. */
  readonly running: SpawnedWorker | undefined;
  /** Moves of key groups that have ended, and whether one is under way: then a key may go to another worker. */
  readonly moves: number;
  readonly isMoving: boolean;
  /** Throws now and then where the fault is on: for handlers of jobs whose policy is to start again. */
  mayThrow(): void;
  /** Something is wrong: the run ends, and this is what it found. */
  violation(what: string): void;
}

/** A job to be simulated. Its sinks are replaced. */
export interface Subject {
  /** Makes it, for one run. The same each time but for its surroundings. */
  make(around: SimulatedSurroundings): Job;
  readonly workersMax: number;
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** How it is run. */
export interface SimulationOptions {
  readonly seed: number;
  /** Of which faults a subset is drawn. */
  readonly faults: readonly Fault[];
  /** Begins from this checkpoint. */
  readonly from?: { readonly store: CheckpointStore; readonly id: number } | undefined;
  /** Draws nothing: as many. */
  readonly workers?: number | undefined;
}

/** What came of it. */
export interface SimulatedRun {
  /** By sink, what has been committed. */
  readonly outputs: ReadonlyMap<string, readonly CommittedRow<unknown>[]>;
  /** The first thing that is wrong, if anything is. */
  readonly violation: string | undefined;
  readonly trace: EventTrace;
  readonly faults: readonly Fault[];
  readonly store: CheckpointStore;
  /** Checkpoints that were kept and are there, oldest first; no savepoints. */
  readonly checkpoints: readonly number[];
  /** Virtual time at the end, ms. */
  readonly endedAt: number;
  readonly steps: number;
}

/** Runs a job to its end. Rejects only if the job can't be built. */
export async function simulateRun(
  subject: Subject,
  options: SimulationOptions,
): Promise<SimulatedRun> {
  return await new Simulation(subject, options).run();
}

class Simulation {
  readonly #subject: Subject;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #trace: EventTrace;
  readonly #faults: FaultPlan;
  readonly #store = memoryStore();
  readonly #sinks = new Map<string, TransactionalSink<unknown>>();
  readonly #workers = new Set<SpawnedWorker>();
  readonly #paceMs: number;
  readonly #burst: number;
  readonly #findings: RunFindings;
  readonly #interventions: Interventions;
  readonly #intervalMs: number;
  readonly #faultsUntil: number;
  #host: InProcessHost | undefined;
  #supervisor: Supervisor | undefined;
  /** Whether a checkpoint has been kept. */
  #isKept = false;
  #steps = 0;

  constructor(subject: Subject, options: SimulationOptions) {
    this.#subject = subject;
    this.#options = options;
    const random = this.#random = seededRandom(options.seed);
    this.#scheduler = new Scheduler(random);
    this.#scheduler.onStep = () => this.#step();
    this.#trace = new EventTrace(() => this.#scheduler.clock.now());
    this.#faults = new FaultPlan(random, options.faults);
    this.#paceMs = 1 + Math.floor(random() * 150);
    this.#burst = 1 + Math.floor(random() ** 2 * 8);
    this.#intervalMs = 5 + Math.floor(random() ** 2 * 500);
    this.#faultsUntil = Math.floor(random() * FAULTS_MS_MAX);
    this.#findings = new RunFindings(this.#trace, (reason) => this.#isExpected(reason));
    this.#interventions = new Interventions({
      ...{ random, faults: this.#faults, trace: this.#trace, workers: this.#workers },
      workersMax: this.#subject.workersMax,
      supervisor: () => this.#supervisor,
    });
    if (options.faults.length === 0) this.#faults.active = false;
  }

  async run(): Promise<SimulatedRun> {
    const { clock } = this.#scheduler;
    clock.setTimer(this.#faultsUntil, () => this.#faults.active = false);
    try {
      await this.#runToEnd();
      for (const [name, { rows }] of this.#sinks) this.#findings.checkIds(name, rows);
      return this.#outcome(await this.#findings.readCheckpoints(await this.#openStore()));
    } catch (error) {
      if (!(error instanceof Violation)) {
        this.#findings.violate(
          error instanceof Error ? error.stack ?? error.message : String(error),
        );
      }
      return this.#outcome([]);
    }
  }

  #outcome(checkpoints: readonly number[]): SimulatedRun {
    return {
      outputs: new Map([...this.#sinks].map(([name, { rows }]) => [name, rows])),
      violation: this.#findings.violation,
      trace: this.#trace,
      faults: [...this.#faults.on],
      store: this.#store,
      checkpoints,
      endedAt: this.#scheduler.clock.now(),
      steps: this.#steps,
    };
  }

  /** Starts the job until it has ended by itself. */
  async #runToEnd(): Promise<void> {
    const expired = new Promise<"expired">((resolve) => {
      const { clock } = this.#scheduler;
      clock.setTimer(this.#faultsUntil + PROGRESS_MS_MAX, () => resolve("expired"));
    });
    for (let start = 1;; start++) {
      const { workersMax } = this.#subject;
      const workers = this.#options.workers ?? 1 + Math.floor(this.#random() * workersMax);
      this.#trace.add(`start ${start} with ${workers} workers`);
      const stops = this.#interventions.stops;
      this.#supervisor = this.#newSupervisor(workers);
      const outcome = await this.#scheduler.run(
        Promise.race([this.#supervisor.run(), expired]),
      );
      if (outcome === "expired") {
        return this.#findings.fail(
          `no progress: the job has not ended ${PROGRESS_MS_MAX} ms after the last fault`,
        );
      }
      this.#trace.add(`the job ${outcome.kind === "failed" ? "has failed" : "has ended"}`);
      if (this.#mayStartAgain(outcome)) continue;
      if (this.#interventions.stops === stops) return;
    }
  }

  #mayStartAgain(outcome: JobOutcome): boolean {
    if (outcome.kind === "finished") return false;
    const { message } = outcome.error;
    if (!this.#isExpected(message) && message !== JOB_LEFT) this.#findings.fail(message);
    return true;
  }

  /** Whether a failure is a fault, or what comes of one. */
  #isExpected(reason: string): boolean {
    return reason.includes(SIMULATED) ||
      (this.#faults.on.has("checkpoints time out") && reason.includes("was not complete within"));
  }

  #newSupervisor(workers: number): Supervisor {
    const { clock } = this.#scheduler;
    const random = this.#random;
    const { logger } = this.#findings;
    const faults = this.#faults;
    this.#workers.clear();
    const job = this.#job();
    const host = this.#host = inProcessHost(job, this.#scheduler, random, {
      lateMs: () => faults.delayMs("messages late", LATE_MS_MAX),
      onSpawn: (spawned) => {
        if (spawned.worker === 0) {
          this.#workers.clear();
        }
        this.#workers.add(spawned);
      },
      jobOf: (spawned) => this.#jobOf(job, spawned),
    });
    const store = faultyStore(this.#store, {
      ...{ faults, random, trace: this.#trace },
      torn: (id) => this.#findings.torn.add(id),
      isSafe: () => this.#isKept,
    });
    const { from } = this.#options;
    const timesOut = faults.on.has("checkpoints time out");
    return new Supervisor({
      ...{ host, clock, random, logger, workers },
      workersMax: Math.max(workers, this.#subject.workersMax),
      settings: {
        ...{ url: "", aws: {}, startedAt: 0, logLevel: "warn" },
        params: this.#subject.params ?? {},
      },
      parallelism: workers,
      restarts: RESTARTS,
      reportMs: 500,
      onStatus: (status) => this.#findings.checkQueues(status, this.#subject.workersMax),
      onDeadLetter: ({ reason, operator }) => {
        if (reason.includes(SIMULATED)) return;
        this.#trace.add(`dead letter of ${operator}: ${reason}`);
      },
      checkpoints: (name, failed) =>
        openCheckpoints({
          ...{ store, interval: this.#intervalMs, keep: 5, minPause: 0 },
          ...(timesOut ? { timeout: 20 + this.#intervalMs, toleratedFailures: 100_000 } : {}),
          ...(from === undefined ? {} : { from }),
        }, {
          ...{ job: name, aws: {}, clock, random, logger, startedAt: 0, failed },
          onCheckpoint: () => this.#isKept = true,
        }),
    });
  }

  async #openStore(): Promise<OpenCheckpointStore> {
    const { clock } = this.#scheduler;
    const around = { job: this.#job().name, aws: {}, clock, random: this.#random };
    const { signal } = new AbortController();
    return await openStore(this.#store, { ...around, logger: silentLogger }, signal);
  }

  /** With sinks that keep what is committed over all starts. */
  #job(): Job {
    const job = this.#subject.make(
      new Surroundings(() => this.#host, this.#interventions, this.#findings, () => {
        if (!this.#faults.ends("handler throws", 0.05)) return;
        this.#trace.add("a handler throws");
        throw simulatedError("handler throws");
      }),
    );
    for (const name of Object.keys(job.sinks)) {
      if (!this.#sinks.has(name)) this.#sinks.set(name, this.#newSink(name));
    }
    const { deadLetters: _, ...rest } = job;
    return { ...rest, sinks: Object.fromEntries(this.#sinks), build: job.build.bind(job) };
  }

  #newSink(name: string): TransactionalSink<unknown> {
    const marks = new Map<number, number>();
    const onMark = (writer: number, at: number) => {
      if (at < (marks.get(writer) ?? -Infinity)) {
        this.#findings.violate(
          `sink ${name} was told of watermark ${at} behind ${marks.get(writer)}`,
        );
      }
      marks.set(writer, at);
    };
    return transactionalSink({ name, ...(this.#random() < 0.3 ? { onMark } : {}) });
  }

  /** The job as one worker has it. */
  #jobOf(job: Job, spawned: SpawnedWorker): Job {
    const around = {
      ...{ faults: this.#faults, random: this.#random, trace: this.#trace },
      paceMs: this.#paceMs,
      burst: this.#burst,
    };
    return {
      ...job,
      sources: Object.fromEntries(
        Object.entries(job.sources).map(([name, source]): [string, Source<unknown>] => [
          name,
          pacedSource(source, spawned, around),
        ]),
      ),
      sinks: Object.fromEntries(
        [...this.#sinks].map(([name, sink]) => [name, faultySink(sink, spawned, around)]),
      ),
    };
  }

  #step(): void {
    this.#steps++;
    const { violation } = this.#findings;
    if (violation !== undefined) throw new Violation(violation);
    if (this.#steps > STEPS_MAX) this.#findings.fail(`no end after ${STEPS_MAX} steps`);
    this.#interventions.step();
  }
}

/** What a job sees of its run. */
class Surroundings implements SimulatedSurroundings {
  readonly #host: () => InProcessHost | undefined;
  readonly #interventions: Interventions;
  readonly #findings: RunFindings;
  readonly mayThrow: () => void;

  constructor(
    host: () => InProcessHost | undefined,
    interventions: Interventions,
    findings: RunFindings,
    mayThrow: () => void,
  ) {
    this.#host = host;
    this.#interventions = interventions;
    this.#findings = findings;
    this.mayThrow = mayThrow;
  }

  get running(): SpawnedWorker | undefined {
    return this.#host()?.running;
  }

  get moves(): number {
    return this.#interventions.moves;
  }

  get isMoving(): boolean {
    return this.#interventions.isMoving;
  }

  violation(what: string): void {
    this.#findings.violate(what);
  }
}
