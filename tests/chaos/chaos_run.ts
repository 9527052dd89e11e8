/**
 * A job under load that is killed round by round, and what it has made of its input at the end.
 *
 * @module
 */

import { type KinesisConnection, openKinesis } from "../../connectors/kinesis/client.ts";
import { createStream } from "../../connectors/kinesis/embedded.ts";
import { kinesis } from "../../connectors/kinesis/kinesis.ts";
import { textOf } from "../../connectors/raw_record.ts";
import { CheckpointCatalogue } from "../../runtime/checkpoint/catalogue.ts";
import { sqliteStore } from "../../runtime/checkpoint/sqlite_store.ts";
import { delay, systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { type Random, seededRandom, systemRandom } from "../../runtime/random.ts";
import { openStore } from "../../runtime/supervisor/open_checkpoints.ts";
import { Audit } from "./audit.ts";
import { HOTELS, type Step, STEPS_PER_BOOKING, STREAMS } from "./booking_stream.ts";
import type { ChaosOptions } from "./chaos_options.ts";
import { readOnce } from "./deduped.ts";
import { JOB_NAME } from "./job_events.ts";
import { JobRun } from "./job_run.ts";
import { LineProcess } from "./line_process.ts";
import { Load } from "./load.ts";

const SHARDS = 2;
/** From one look at the output to the next. */
const POLL_MS = 50;
/** Without any progress for so long, what has not come out never will. */
const STALLED_MS = 30_000;
/** The output is read to its end if nothing came for so long. */
const QUIET_MS = 1000;
/** When a process is killed: so long after it has started, or after its job runs. */
const KILL_EARLY_MS = 800;
const KILL_RUNNING_MS = 1200;
const KILLS_EARLY = 0.15;
/** How long the job runs before the next fault. */
const FAULT_AFTER_MS = 600;

/** How it went. */
export interface ChaosResult {
  readonly rounds: number;
  readonly bookings: number;
  readonly rows: number;
  /** Rows that came more than once, with the id that they had. */
  readonly repeats: number;
  readonly checkpoints: number;
  /** Rounds that went on from a checkpoint. */
  readonly restored: number;
  /** From the end of one run to the beginning of the next, ms. */
  readonly goOnMs: { readonly median: number; readonly most: number };
  readonly tookMs: number;
  /** What is wrong; empty if all is well. */
  readonly findings: readonly string[];
}

/** Runs the rounds and checks what came out. */
export async function chaosRun(
  options: ChaosOptions,
  print: (line: string) => void,
): Promise<ChaosResult> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-chaos-" });
  try {
    let endpoint = "";
    await using emulator = new LineProcess("kinesis_process.ts", [], (line) => endpoint ||= line);
    await emulator.until(() => endpoint !== "", "the endpoint");
    const connection = await openKinesis({ endpoint, region: "us-east-1" });
    for (const stream of Object.values(STREAMS)) await createStream(connection, stream, SHARDS);
    const chaos = new Chaos(options, { folder, endpoint, connection, print });
    try {
      return await chaos.run();
    } finally {
      await chaos.close();
      connection.client.destroy();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Surroundings {
  readonly folder: string;
  readonly endpoint: string;
  readonly connection: KinesisConnection;
  readonly print: (line: string) => void;
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #around: Surroundings;
  readonly #random: Random;
  readonly #audit = new Audit();
  readonly #rows: Step[] = [];
  readonly #reading = new AbortController();
  readonly #load: Load;
  readonly #goOnMs: number[] = [];
  readonly #letters: string[] = [];
  #job: JobRun;
  #restored = 0;
  #newest = 0;

  constructor(options: ChaosOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
    this.#random = seededRandom(options.seed);
    this.#load = new Load(around.connection, seededRandom(options.seed + 1), options.rate);
    this.#job = this.#start();
  }

  async run(): Promise<ChaosResult> {
    const began = systemClock.monotonic();
    await this.#read();
    for (let round = 1; round <= this.#options.rounds; round++) {
      if (this.#options.kill === "process") await this.#killProcess(round);
      else await this.#doHarm(round);
    }
    const bookings = await this.#load.finish();
    await this.#untilOut(bookings * STEPS_PER_BOOKING);
    const findings: string[] = [];
    const code = await this.#job.finish();
    if (code !== 0) findings.push(`The job ended with ${code}: ${this.#job.last}`);
    this.#note(this.#job);
    await this.#untilQuiet();
    findings.push(...this.#audit.findings(bookings), ...await this.#stateFindings(bookings));
    const once = await readOnce(this.#rows);
    if (once.length !== bookings * STEPS_PER_BOOKING || new Set(once).size !== once.length) {
      findings.push(
        `A reader with dedupe got ${once.length} rows, ${new Set(once).size} of them different, ` +
          `expected ${bookings * STEPS_PER_BOOKING}`,
      );
    }
    if (this.#letters.length > 0) {
      findings.push(
        `${this.#letters.length} dead letters: ${this.#letters.slice(0, 3).join("; ")}`,
      );
    }
    const sorted = this.#goOnMs.toSorted((a, b) => a - b);
    return {
      rounds: this.#options.rounds,
      bookings,
      rows: this.#audit.rows,
      repeats: this.#audit.rows - this.#audit.ids,
      checkpoints: this.#newest,
      restored: this.#restored,
      goOnMs: { median: sorted[sorted.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 },
      tookMs: systemClock.monotonic() - began,
      findings,
    };
  }

  async close(): Promise<void> {
    this.#reading.abort();
    await this.#load.finish();
    await this.#job[Symbol.asyncDispose]();
  }

  #start(): JobRun {
    const { endpoint, folder } = this.#around;
    const { kill, workers } = this.#options;
    const url = new URL("./jobs/bookings.ts", import.meta.url);
    url.searchParams.set("markers", folder);
    return new JobRun({
      endpoint,
      checkpoints: `${folder}/checkpoints.db`,
      intervalMs: 150,
      url: url.href,
      workers,
      isolation: kill === "process" ? "web-worker" : "thread",
      ...(kill === "memory" ? { heapMbMax: 64 } : {}),
      silentMsMax: kill === "hang" ? 800 : 10_000,
    });
  }

  /** Kills the process at some moment, before the job runs or while it does, and starts it again. */
  async #killProcess(round: number): Promise<void> {
    const job = this.#job;
    const early = this.#random() < KILLS_EARLY;
    const afterMs = this.#random() * (early ? KILL_EARLY_MS : KILL_RUNNING_MS);
    if (!early) await job.running(1, "the job to run");
    if (!early && round === 2) await job.keeps("a checkpoint");
    await delay(systemClock, afterMs);
    await job.kill();
    this.#note(job);
    const from = job.restored.at(-1);
    const goOn = job.goOnMs(0);
    if (goOn !== undefined) this.#goOnMs.push(goOn);
    const began = from === undefined ? "began anew" : `went on from checkpoint ${from}`;
    const ran = goOn === undefined
      ? "did not get to run"
      : `${began} after ${Math.round(goOn)} ms, kept ${job.kept.length} checkpoints`;
    const when = early ? "since its start" : "since it ran";
    this.#around.print(
      `round ${round}: ${ran}; killed ${Math.round(afterMs)} ms ${when}; ${this.#audit.ids} out`,
    );
    this.#job = this.#start();
  }

  /** Lets a record do harm to the worker that meets it, and waits until the job runs again. */
  async #doHarm(round: number): Promise<void> {
    const job = this.#job;
    const { kill } = this.#options;
    await job.running(round, `the job to run before round ${round}`);
    // The first fault may come before there is anything to go on from; not all of them, however slow the machine is.
    if (round === 2) await job.keeps("a checkpoint");
    await delay(systemClock, this.#random() * FAULT_AFTER_MS);
    const worker = this.#random() < 0.5 ? "throw" : "end";
    const fault = kill === "worker" ? worker : kill;
    this.#load.poison(`${fault}:round-${round}`);
    const poisonedAt = systemClock.monotonic();
    await job.failed(round, `the fault "${fault}" to be noticed`);
    const noticedMs = systemClock.monotonic() - poisonedAt;
    await job.running(round + 1, "the job to go on");
    const goOn = job.goOnMs(round) ?? 0;
    this.#goOnMs.push(goOn);
    const from = job.restored.at(-1);
    this.#around.print(
      `round ${round}: ${fault}, noticed after ${Math.round(noticedMs)} ms ` +
        `(${job.reasons.at(-1)?.slice(0, 80)}); went on ` +
        `${from === undefined ? "anew" : `from checkpoint ${from}`} after ${
          Math.round(goOn)
        } ms; ` +
        `${this.#audit.ids} out`,
    );
  }

  #note(job: JobRun): void {
    this.#restored += job.restored.length;
    this.#newest = Math.max(this.#newest, ...job.kept);
    this.#letters.push(...job.letters);
  }

  async #read(): Promise<void> {
    const source = kinesis.source(STREAMS.steps, { start: "trimHorizon" });
    const context = {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      aws: { endpoint: this.#around.endpoint, region: "us-east-1" },
      startedAt: 0,
      signal: this.#reading.signal,
      demand: { next: () => Promise.resolve() },
    };
    for (const { id } of await source.shards(context)) {
      const subscription = source.read(id, undefined, context).subscribe((batch) => {
        for (let row = 0; row < batch.length; row++) {
          const step: Step = JSON.parse(textOf(batch.valueAt(row)));
          this.#audit.take(step);
          this.#rows.push(step);
        }
      });
      this.#reading.signal.addEventListener("abort", () => subscription.unsubscribe());
    }
  }

  async #untilOut(ids: number): Promise<void> {
    let last = this.#audit.rows;
    let movedAt = systemClock.monotonic();
    while (this.#audit.ids < ids && systemClock.monotonic() - movedAt < STALLED_MS) {
      await delay(systemClock, POLL_MS);
      if (this.#audit.rows > last) movedAt = systemClock.monotonic();
      last = this.#audit.rows;
    }
  }

  async #untilQuiet(): Promise<void> {
    for (let rows = -1; rows < this.#audit.rows;) {
      rows = this.#audit.rows;
      await delay(systemClock, QUIET_MS);
    }
  }

  /** What is wrong with the state in the last checkpoint. */
  async #stateFindings(bookings: number): Promise<string[]> {
    const store = await openStore(sqliteStore(`${this.#around.folder}/checkpoints.db`), {
      job: JOB_NAME,
      aws: {},
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    }, this.#reading.signal);
    try {
      const loaded = await new CheckpointCatalogue(store, silentLogger).latest();
      const expected = new Map([["correlate", bookings], ["count", Math.min(HOTELS, bookings)]]);
      const operators = loaded?.manifest.operators ?? [];
      return [...expected].flatMap(([name, keys]) => {
        const found = operators.find((operator) => operator.name === name)?.keys;
        if (found === keys) return [];
        return [`The last checkpoint has ${found} keys in "${name}", expected ${keys}`];
      });
    } finally {
      await store.close();
    }
  }
}
