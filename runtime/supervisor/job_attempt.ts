/**
 * One attempt at running a job: its workers from spawning to their end. What is decided is decided elsewhere
 * (`placement.ts`, `shard_tracker.ts`); here it is carried out.
 *
 * @module
 */

import { type Cancel, type Clock, delay } from "../clock.ts";
import type { DeadLetter } from "../dead_letter.ts";
import { SHARD_DISCOVERY_MS, WORKER_CLOSE_MS_MAX } from "../limits.ts";
import type { LogFields, LogLevel } from "../logger.ts";
import type { JobPlan } from "../stage_plan.ts";
import { type JobSettings, receivedError, type WorkerReport } from "../worker/protocol.ts";
import { placeKeyGroups, placeShard } from "./placement.ts";
import { ShardTracker } from "./shard_tracker.ts";
import { WorkerHandle, type WorkerNotice } from "./worker_handle.ts";
import type { LinkEnds, WorkerHost } from "./worker_port.ts";

/** How an attempt ended. */
export type AttemptOutcome =
  | { readonly kind: "finished" }
  | {
    readonly kind: "failed";
    readonly error: Error;
    readonly policy: "restart" | "stop";
    /** Whether records were being processed already. */
    readonly started: boolean;
  };

/** Who listens to an attempt. */
export interface AttemptListener {
  /** The job has been built; nothing has been opened yet. */
  planned(plan: JobPlan): void;
  running(): void;
  deadLetters(letters: readonly DeadLetter[]): void;
  log(worker: number, level: LogLevel, message: string, fields: LogFields): void;
}

/** What an attempt is made with. */
export interface AttemptOptions {
  readonly host: WorkerHost;
  readonly clock: Clock;
  readonly settings: JobSettings;
  readonly workers: number;
  /** Workers over which each keyed stage is spread: at most all. */
  readonly parallelism: number;
  readonly listener: AttemptListener;
}

/** One attempt. */
export class JobAttempt {
  readonly #options: AttemptOptions;
  readonly #reports = new Map<number, WorkerReport>();
  readonly #trackers = new Map<string, ShardTracker>();
  /** Of each shard that is being read, by source and id, its worker. */
  readonly #workerOfShard = new Map<string, number>();
  readonly #bounded = new Set<string>();
  #handles: WorkerHandle[] = [];
  #cancelDiscovery: Cancel | undefined;
  #running = false;
  #stopping = false;
  /** The outcome is known: nothing more is asked of workers that let go. */
  #over = false;
  #endedWorkers = 0;
  #finish: (outcome: AttemptOutcome) => void = () => {};
  readonly #outcome = new Promise<AttemptOutcome>((resolve) => {
    this.#finish = resolve;
  });

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /** The workers' last reports. */
  get reports(): Iterable<WorkerReport> {
    return this.#reports.values();
  }

  /** Runs until the job ends, is stopped or fails. Never rejects. */
  async run(): Promise<AttemptOutcome> {
    this.#start().catch((error) => this.#fail(asError(error), "stop"));
    const outcome = await this.#outcome;
    this.#over = true;
    this.#cancelDiscovery?.();
    await this.#close();
    for (const handle of this.#handles) handle.terminate();
    return outcome;
  }

  /** Reads no further; what was read is processed and written before `run` resolves. */
  stop(): void {
    this.#stopping = true;
    // Before anything is read there is nothing to drain.
    if (!this.#running) return this.#finish({ kind: "finished" });
    for (const handle of this.#handles) handle.tell({ type: "stop" });
  }

  /** Asks all workers for a report. */
  askReports(): void {
    if (this.#running) { for (const handle of this.#handles) handle.tell({ type: "report" }); }
  }

  async #start(): Promise<void> {
    const { host, clock, settings, workers, listener } = this.#options;
    this.#handles = Array.from(
      { length: workers },
      (_, worker) =>
        new WorkerHandle(worker, host.spawn(worker), clock, {
          notice: (from, notice) => this.#notice(from, notice),
          died: (_, error) => this.#fail(error, "restart"),
        }),
    );
    await Promise.all(this.#handles.map((handle) => handle.ready));
    const [plan] = await Promise.all(
      this.#handles.map((handle) => handle.ask<"describe">({ type: "describe", job: settings })),
    );
    if (plan === undefined) throw new Error("Cannot start a job without workers");
    if (this.#over) return;
    listener.planned(plan);
    for (const { name, bounded } of plan.sources) {
      if (bounded) this.#bounded.add(name);
      this.#trackers.set(name, new ShardTracker());
      await this.#discover(name);
      if (this.#over) return;
    }
    await this.#open(plan);
    if (this.#over) return;
    this.#running = true;
    listener.running();
    if (this.#stopping) return;
    for (const name of this.#trackers.keys()) this.#openReadable(name);
    this.#discoverLater();
  }

  /** Opens all workers, each linked to each other. */
  async #open(plan: JobPlan): Promise<void> {
    const { host, workers, parallelism } = this.#options;
    const routing = placeKeyGroups(plan.maxParallelism, parallelism);
    const shards = Object.fromEntries(
      [...this.#trackers].map(([name, tracker]) => [name, tracker.readable]),
    );
    const links: { of: LinkEnds; end: unknown }[][] = this.#handles.map(() => []);
    for (let a = 0; a < workers; a++) {
      for (let b = a + 1; b < workers; b++) {
        const of = host.link();
        const [endA, endB] = of.ends;
        (links[a] ??= [])[b] = { of, end: endA };
        (links[b] ??= [])[a] = { of, end: endB };
      }
    }
    await Promise.all(this.#handles.map((handle, worker) => {
      const mine = links[worker] ?? [];
      const placement = { worker, workers, routing, shards };
      const sent = Array.from({ length: workers }, (_, other) => mine[other]?.end);
      const transfer = mine.flatMap((link) => link.of.transfer(link.end));
      return handle.ask<"open">({ type: "open", placement, links: sent }, transfer);
    }));
  }

  async #discover(source: string): Promise<void> {
    const shards = await this.#handles[0]?.ask<"discover">({ type: "discover", source });
    this.#trackers.get(source)?.list(shards ?? []);
  }

  /** Sources that can grow are listed again from time to time. */
  #discoverLater(): void {
    const growing = [...this.#trackers.keys()].filter((name) => !this.#bounded.has(name));
    if (growing.length === 0) return;
    this.#cancelDiscovery = this.#options.clock.setTimer(SHARD_DISCOVERY_MS, async () => {
      for (const name of growing) await this.#rediscover(name);
      if (!this.#stopping && !this.#over) this.#discoverLater();
    });
  }

  async #rediscover(source: string): Promise<void> {
    try {
      await this.#discover(source);
    } catch (error) {
      if (this.#over) return;
      const { message } = asError(error);
      this.#options.listener.log(0, "warn", "Shards could not be listed; trying again", {
        source,
        reason: message,
      });
      return;
    }
    if (!this.#stopping) this.#openReadable(source);
  }

  #openReadable(source: string): void {
    const tracker = this.#trackers.get(source);
    for (const shard of tracker?.takeReadable() ?? []) {
      const shardsOf = this.#handles.map((_, worker) =>
        [...this.#workerOfShard.values()].filter((of) => of === worker).length
      );
      const worker = placeShard(shardsOf);
      this.#workerOfShard.set(shardKey(source, shard), worker);
      this.#handles[worker]?.tell({ type: "openShard", source, shard, after: undefined });
    }
    if (this.#bounded.has(source) && tracker?.allEnded) {
      for (const handle of this.#handles) handle.tell({ type: "endSource", source });
    }
  }

  #notice(worker: number, notice: WorkerNotice): void {
    const { listener } = this.#options;
    switch (notice.type) {
      case "report":
        this.#reports.set(worker, notice.report);
        return;
      case "deadLetters":
        return listener.deadLetters(notice.letters);
      case "log":
        return listener.log(worker, notice.level, notice.message, notice.fields);
      case "failure":
        return this.#fail(receivedError(notice.error), notice.policy);
      case "shardEnded":
        this.#shardEnded(worker, notice.source, notice.shard)
          .catch((error) => this.#fail(asError(error), "restart"));
        return;
      case "ended":
        this.#endedWorkers++;
        if (this.#endedWorkers === this.#handles.length) this.#finish({ kind: "finished" });
        return;
    }
  }

  async #shardEnded(worker: number, source: string, shard: string): Promise<void> {
    const tracker = this.#trackers.get(source);
    tracker?.end(shard);
    this.#workerOfShard.delete(shardKey(source, shard));
    if (!this.#bounded.has(source) && !this.#stopping) await this.#rediscover(source);
    const successors = tracker?.successorsOf(shard) ?? [];
    this.#handles[worker]?.tell({ type: "releaseShard", source, shard, successors });
    if (!this.#stopping) this.#openReadable(source);
  }

  #fail(error: Error, policy: "restart" | "stop"): void {
    this.#finish({ kind: "failed", error, policy, started: this.#running });
  }

  /** Lets go of everything. A worker that doesn't answer in time is ended all the same. */
  async #close(): Promise<void> {
    const closed = Promise.allSettled(
      this.#handles.map((handle) => handle.ask<"close">({ type: "close" })),
    );
    const patience = new AbortController();
    await Promise.race([closed, delay(this.#options.clock, WORKER_CLOSE_MS_MAX, patience.signal)]);
    patience.abort();
  }
}

function shardKey(source: string, shard: string): string {
  return `${source}/${shard}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
