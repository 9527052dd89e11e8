/**
 * The engine of one worker: builds the job, opens its stages, and speaks the worker protocol with its host. Where it
 * runs (Web Worker, thread, in process) is the business of whoever makes it: all it touches is passed in.
 *
 * @module
 */

import type { SinkWriter } from "../../connectors/sink.ts";
import type { ConnectorContext } from "../../connectors/source.ts";
import type { RestoredWorker } from "../checkpoint/worker_snapshot.ts";
import type { Clock } from "../clock.ts";
import { threadCpuMs } from "../cpu_time.ts";
import { threadHeap } from "../heap_memory.ts";
import { DEAD_LETTERS, type DeadLetter, reasonOf } from "../dead_letter.ts";
import type { Job } from "../job.ts";
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from "../logger.ts";
import { readParams } from "../params.ts";
import type { Random } from "../random.ts";
import { planOf } from "../stage_plan.ts";
import { buildTopology } from "../stream_builder.ts";
import type { Topology } from "../topology.ts";
import type { Outside } from "./async_operator.ts";
import { Failures } from "./failures.ts";
import { OpenJob } from "./open_job.ts";
import {
  type Command,
  type HostMessage,
  type JobSettings,
  type Link,
  type Port,
  PROTOCOL_VERSION,
  type Replies,
  type Request,
  sentError,
  type WorkerMessage,
} from "./protocol.ts";

/** What a worker is given to work with. */
export interface WorkerSurroundings {
  readonly host: Port<WorkerMessage, HostMessage>;
  readonly clock: Clock;
  readonly random: Random;
  readonly outside: Outside;
  /** The job that the settings name. */
  loadJob(settings: JobSettings): Promise<Job>;
  /** Part of the thread's time that goes into garbage collection, asked for at each report; -1 if it isn't known. */
  readonly gcShare?: () => number;
  /** A connection to another worker, of what the host sent for it. */
  openLink(link: unknown): Link;
}

/** A job that has been built, and not opened yet or also opened. */
interface BuiltJob {
  readonly job: Job;
  readonly topology: Topology;
  readonly settings: JobSettings;
  readonly logger: Logger;
}

/** A worker's sides of all sinks. */
interface Writers {
  readonly failures: Failures;
  readonly sinks: ReadonlyMap<string, SinkWriter<never>>;
  readonly deadLetters: SinkWriter<DeadLetter> | undefined;
}

/** Starts a worker: it says hello and answers from then on. */
export function startWorker(around: WorkerSurroundings): void {
  const engine = new WorkerEngine(around);
  around.host.onMessage((message) => engine.take(message));
  around.host.post({ type: "hello", protocol: PROTOCOL_VERSION });
}

class WorkerEngine {
  readonly #around: WorkerSurroundings;
  readonly #closing = new AbortController();
  #built: BuiltJob | undefined;
  /** Opened ahead of the job. */
  #writers: Writers | undefined;
  #open: OpenJob | undefined;
  #letters: DeadLetter[] = [];
  #letterCount = 0;
  #failed = false;
  /** When the job was first started, if that was another run. */
  #startedAt: number | undefined;

  constructor(around: WorkerSurroundings) {
    this.#around = around;
  }

  take(message: HostMessage): void {
    if (message.type !== "request") return this.#command(message);
    const { id, request } = message;
    this.#answer(request).then(
      (result) => this.#post({ type: "reply", id, result }),
      (error) => this.#post({ type: "refused", id, error: sentError(error) }),
    );
  }

  async #answer(request: Request): Promise<Replies[Request["type"]]> {
    switch (request.type) {
      case "describe": {
        const { job, topology } = await this.#build(request.job);
        return planOf(job, topology);
      }
      case "discover": {
        const built = this.#builtJob();
        const source = built.job.sources[request.source];
        if (source === undefined) {
          throw new Error(`Cannot list shards of "${request.source}": the job has no such source`);
        }
        return await source.shards(this.#connectorContext(built));
      }
      case "open":
        await this.#openJob(request);
        return undefined;
      case "prepare":
        this.#writers = await this.#openSinks(this.#builtJob(), request.worker, {});
        return undefined;
      case "connect":
        this.#openedJob("connect a worker")
          .connect(request.worker, this.#around.openLink(request.link));
        return undefined;
      case "leave":
        return await this.#openedJob("leave it").leave();
      case "lastSnapshot":
        return await this.#openedJob("take a snapshot").lastSnapshot(request.epoch);
      case "commits":
        await this.#openedJob("commit").commits;
        return undefined;
      case "expectGroups":
        this.#openedJob("take key groups").moves.expect(request.move, request.groups);
        return undefined;
      case "copyGroups":
        return await this.#openedJob("copy key groups").moves.copy(request.move, request.moves);
      case "adoptShard":
        return this.#openedJob("read a shard").adoptShard(request);
      case "close":
        await this.#close();
        return undefined;
    }
  }

  #command(command: Command): void {
    if (command.type === "report") {
      // While it is let go of, what would be counted is not there any more; its last report has been sent.
      if (!this.#closing.signal.aborted) this.#report();
      return;
    }
    if (command.type === "startedAt") {
      this.#startedAt = command.at;
      return;
    }
    if (command.type === "ping") return this.#post({ type: "pong" });
    try {
      this.#open?.command(command);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)), "stop");
    }
  }

  async #build(settings: JobSettings): Promise<BuiltJob> {
    const job = await this.#around.loadJob(settings);
    const logger = this.#logger(settings.logLevel);
    const params = readParams(job.name, job.params, settings.params);
    const topology = buildTopology(job, { params, logger });
    return this.#built = { job, topology, settings, logger };
  }

  /** Opens the writers of a worker for all sinks, and for dead letters. */
  async #openSinks(
    built: BuiltJob,
    worker: number,
    restored: RestoredWorker["sinks"],
  ): Promise<Writers> {
    const { job, topology, logger } = built;
    const context = this.#connectorContext(built);
    const failures = new Failures(job.onError ?? "resume", {
      deadLetter: (letter, id) => this.#deadLetter(letter, id),
      failed: (error, policy) => this.#fail(error, policy),
    });
    const fail = (error: Error) => failures.fatal(error);
    const open = async (name: string, sink: Job["sinks"][string]): Promise<SinkWriter<never>> =>
      await sink.open({
        ...{ ...context, worker, fail, restored: restored[name] ?? [] },
        reject: ({ value, origin, reason, id = origin }) =>
          failures.letter({ operator: name, origin, reason, value }, id),
      });
    const sinks = new Map<string, SinkWriter<never>>();
    for (const [name, sink] of topology.sinks) sinks.set(name, await open(name, sink));
    const deadLetters = await job.deadLetters?.open({
      ...{ ...context, worker, fail, restored: restored[DEAD_LETTERS] ?? [] },
      // A dead letter that can't be written is logged: it has nowhere else to go.
      reject: ({ reason }) => logger.error("Dead letter was refused by its sink", { reason }),
    });
    return { failures, sinks, deadLetters };
  }

  async #openJob(
    { placement, links, restored, checkpoints }: Extract<Request, { type: "open" }>,
  ): Promise<void> {
    const built = this.#builtJob();
    const { job, topology } = built;
    const { failures, sinks, deadLetters } = this.#writers ??
      await this.#openSinks(built, placement.worker, restored?.sinks ?? {});
    this.#writers = undefined;
    this.#open = new OpenJob({
      plan: planOf(job, topology),
      topology,
      placement,
      links: links.map((link) =>
        link === undefined || link === null ? undefined : this.#around.openLink(link)
      ),
      writers: sinks,
      deadLetters,
      connectors: this.#connectorContext(built),
      clock: this.#around.clock,
      outside: this.#around.outside,
      failures,
      restored,
      checkpoints,
      // A record has been passed over: no snapshot with that is to be kept.
      tell: (message, transfer) => void (this.#failed || this.#post(message, transfer)),
      ended: () => {
        this.#report();
        this.#post({ type: "ended" });
      },
      flushed: () => this.#postLetters(),
    });
  }

  async #close(): Promise<void> {
    try {
      await this.#open?.writeDeadLetters();
    } catch (error) {
      this.#built?.logger.error("Dead letters could not be written", { reason: reasonOf(error) });
    }
    this.#report();
    this.#closing.abort();
    await this.#open?.close();
    this.#open = undefined;
    // Of one that was to join, and did not.
    const { sinks, deadLetters } = this.#writers ?? {};
    for (const writer of sinks?.values() ?? []) await writer.close();
    await deadLetters?.close();
  }

  #fail(error: Error, policy: "restart" | "stop"): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#open?.halt();
    this.#postLetters();
    this.#post({ type: "failure", error: sentError(error), policy });
  }

  #deadLetter(letter: DeadLetter, id: string): void {
    this.#letterCount++;
    this.#letters.push(letter);
    this.#open?.writeDeadLetter(letter, id);
  }

  #postLetters(): void {
    if (this.#letters.length === 0) return;
    const letters = this.#letters;
    this.#letters = [];
    try {
      this.#post({ type: "deadLetters", letters });
    } catch {
      // A value that can't be sent must not take its letter along.
      this.#post({
        type: "deadLetters",
        letters: letters.map((letter) => ({ ...letter, value: String(letter.value) })),
      });
    }
  }

  #report(): void {
    // What is being closed has nothing more to tell.
    const report = this.#closing.signal.aborted ? undefined : this.#open?.report();
    if (report === undefined) return;
    this.#postLetters();
    this.#post({
      type: "report",
      report: {
        ...report,
        deadLetters: this.#letterCount,
        cpuMs: threadCpuMs(),
        heap: threadHeap(),
        gcShare: this.#around.gcShare?.() ?? -1,
      },
    });
  }

  #builtJob(): BuiltJob {
    if (this.#built === undefined) {
      throw new Error("Cannot go on without a job: describe comes first");
    }
    return this.#built;
  }

  #openedJob(what: string): OpenJob {
    if (this.#open === undefined) throw new Error(`Cannot ${what}: no job is open`);
    return this.#open;
  }

  #connectorContext({ settings, logger }: BuiltJob): ConnectorContext {
    const { clock, random } = this.#around;
    return {
      clock,
      random,
      logger,
      aws: settings.aws,
      startedAt: this.#startedAt ?? settings.startedAt,
      signal: this.#closing.signal,
    };
  }

  /** Log lines go to the host, which has the logger. */
  #logger(threshold: LogLevel): Logger {
    const lowest = LOG_LEVELS.indexOf(threshold);
    const at = (level: LogLevel) => (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(level) >= lowest) this.#post({ type: "log", level, message, fields });
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      critical: at("critical"),
    };
  }

  #post(message: WorkerMessage, transfer?: Transferable[]): void {
    this.#around.host.post(message, transfer);
  }
}
