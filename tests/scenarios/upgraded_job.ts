/**
 * A job whose code changes: one version runs and is stopped, the next one starts from its savepoint. Sources and sinks
 * are the test's, and go on.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import { memory, type MemorySink } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import type { CheckpointStore } from "../../runtime/checkpoint/store.ts";
import { defineJob, type Job, type SinkMap, type SourceMap } from "../../runtime/job.ts";
import { type LogFields, silentLogger } from "../../runtime/logger.ts";
import type { Stream } from "../../runtime/stream.ts";
import { JobDriver, type JobDriverOptions } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

/** What these jobs read: something of a key. */
export interface Entry {
  readonly key: string;
  readonly n: number;
}

/** How a version is started. */
export interface UpgradeOptions {
  readonly workers?: number;
  readonly allowDroppedState?: boolean;
  /** What it starts from: the last savepoint unless said, or the newest checkpoint, as by itself. */
  readonly from?: "savepoint" | "newest";
}

/** What a version says of itself besides what it chains. */
export type VersionOptions = Partial<Pick<Job, "maxParallelism" | "deadLetters" | "sinks">>;

/** A job of one source, `entries` of shards a and b, and one sink, `out`, in any version. */
export class UpgradedJob {
  readonly store: CheckpointStore = memoryStore();
  readonly entries = new ScriptedSource<Entry>({ shards: ["a", "b"] });
  readonly out: MemorySink<string> = memory.sink<string>();
  /** What was logged as a warning or worse. */
  readonly logged: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  #seen = 0;
  #savepoint: number | undefined;
  #now = 0;

  /** A version of the job; rows that it puts out are texts. */
  version(
    build: (entries: Stream<Entry>) => Stream<string>,
    options: Omit<VersionOptions, "sinks"> = {},
  ): Job {
    return this.job(
      { entries: this.entries },
      ({ entries }, { out }) => build(entries).to(out),
      { ...options, sinks: { out: this.out } },
    );
  }

  /** A version of the job with sources and sinks of its own. */
  job<const S extends SourceMap, const O extends SinkMap>(
    sources: S,
    build: Job<S, O>["build"],
    { sinks, ...options }: Omit<VersionOptions, "sinks"> & { readonly sinks: O },
  ): Job {
    const job = defineJob({ name: "upgraded", sources, sinks, build, ...options });
    return { ...job, build: job.build.bind(job) as Job["build"] };
  }

  /** Starts a version from the last savepoint, if there is one. */
  async start(
    job: Job,
    { workers = 1, allowDroppedState = false, from = "savepoint" }: UpgradeOptions = {},
  ): Promise<JobDriver> {
    const id = from === "savepoint" ? this.#savepoint : undefined;
    const log = (message: string, fields?: LogFields) => void this.logged.push({ message, fields });
    const options: JobDriverOptions = {
      workers,
      seed: workers,
      startTime: this.#now,
      checkpoints: this.store,
      checkpointing: { allowDroppedState, ...(id === undefined ? {} : { from: { id } }) },
      logger: { ...silentLogger, warn: log, error: log },
    };
    return await JobDriver.start(job, options);
  }

  /** Takes a savepoint, from which the next version starts, and ends the job as it stands. */
  async leave(driver: JobDriver): Promise<void> {
    this.#savepoint = await driver.savepoint();
    this.#now = driver.now;
    await driver.leave();
  }

  /** Starts a version, gives it entries and stops it with a savepoint; what it put out, sorted. */
  async run(job: Job, entries: readonly Entry[], options?: UpgradeOptions): Promise<string[]> {
    const driver = await this.start(job, options);
    this.push(...entries);
    await driver.settle();
    this.#savepoint = await driver.savepoint();
    await driver.stop();
    this.#now = driver.now;
    return this.newRows();
  }

  /** Puts entries into the shards by turns. */
  push(...entries: readonly Entry[]): void {
    for (const [index, value] of entries.entries()) {
      this.entries.push(index % 2 === 0 ? "a" : "b", { value });
    }
  }

  /** What was put out since this was last asked, sorted. */
  newRows(): string[] {
    const rows = this.out.rows.slice(this.#seen);
    this.#seen = this.out.rows.length;
    return rows.toSorted();
  }

  /** Why a version does not start from the savepoint. */
  async refusal(job: Job, options?: UpgradeOptions): Promise<string> {
    const { message } = await assertRejects(() => this.start(job, options), Error);
    return message;
  }

  /** What was dropped, as it was logged last. */
  get dropped(): unknown {
    return this.logged.findLast(({ message }) => message.includes("dropped"))?.fields?.["dropped"];
  }
}

/** An entry. */
export function entry(key: string, n: number): Entry {
  return { key, n };
}
