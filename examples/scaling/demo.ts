/**
 * The scaling demonstration, `deno task demo:scaling`: a load that rises, falls and drifts, on workers that come and go.
 * It shows what happens, then every decision with its reasons, and counts whether anything was lost or doubled.
 *
 * @module
 */

import { decisionLines } from "../../runtime/cli/decision_lines.ts";
import { UsageError } from "../../runtime/cli/arguments.ts";
import type { Console } from "../../runtime/cli/run_command.ts";
import { terminal } from "../../runtime/ports/terminal.ts";
import {
  type JobStatus,
  type LogFields,
  type Logger,
  responsive,
  silentLogger,
  startJob,
} from "../../mod.ts";
import { Account, type Audit } from "./account.ts";
import { DEMO_HELP, type DemoOptions, parseDemoOptions } from "./demo_options.ts";
import { Load, RECORDS_OF_STAY } from "./load.ts";
import { decisionText, type DemoState, line, screen, type WorkerView } from "./view.ts";
import { roundsPerMs } from "./work.ts";

/** What a record takes, ms. */
const RECORD_MS = 0.1;
/** The peak, for each worker that there may be, in cores: the last one is needed, and has room. */
const PEAK_CORES_PER_WORKER = 0.57;
const CLEAR = "\x1b[H\x1b[J";

/** How the demonstration shows what happens: takes the state of each second. */
type Show = (state: DemoState) => void;

/** Makes states of statuses, one a second. */
class Watcher {
  readonly #load: Load;
  readonly #options: DemoOptions;
  readonly #startedAt: number;
  readonly #rates: number[] = [];
  readonly #since = new Map<number, number>();
  #before: { readonly at: number; readonly status: JobStatus } | undefined;

  constructor(load: Load, options: DemoOptions, startedAt: number) {
    this.#load = load;
    this.#options = options;
    this.#startedAt = startedAt;
  }

  look(status: JobStatus, at: number): DemoState {
    const before = this.#before;
    this.#before = { at, status };
    const ms = at - this.#startedAt;
    const intervalMs = before === undefined ? ms : Math.max(1, at - before.at);
    const rows = (of: JobStatus | undefined) => of?.stages["correlate"]?.rows ?? 0;
    const more = rows(status) - rows(before?.status);
    // A worker that has gone takes its counters along: then it goes on as before.
    this.#rates.push(more < 0 ? this.#rates.at(-1) ?? 0 : more * 1000 / intervalMs);
    for (const worker of this.#since.keys()) {
      if (!status.workers.some((of) => of.worker === worker)) this.#since.delete(worker);
    }
    const workers = status.workers.map(({ worker, cpuMs, groups, heapUsed }): WorkerView => {
      const since = this.#since.get(worker) ?? at;
      this.#since.set(worker, since);
      const earlier = before?.status.workers.find((of) => of.worker === worker)?.cpuMs ?? 0;
      const busy = cpuMs < 0 ? -1 : Math.max(0, cpuMs - earlier) / intervalMs;
      return { worker, busy, groups, heapMb: heapUsed / 1e6, age: (at - since) / 1000 };
    });
    return {
      ...{ second: ms / 1000, seconds: this.#options.seconds, phase: this.#load.phaseAt(ms) },
      ...{ due: RECORDS_OF_STAY * this.#load.rateAt(ms), rates: this.#rates, workers },
      lagMs: Math.max(-1, ...Object.values(status.sources).map((source) => source.lagMs)),
      workersMax: this.#options.maxWorkers,
      ...{ startedAt: this.#startedAt, decisions: status.decisions },
    };
  }
}

/** Runs the demonstration; resolves with the exit code. */
async function runDemo(options: DemoOptions, { clock, ...console }: Console): Promise<number> {
  const { seconds, seed, minWorkers, maxWorkers } = options;
  const peak = Math.round(PEAK_CORES_PER_WORKER * maxWorkers * 1000 / RECORD_MS / RECORDS_OF_STAY);
  const load = new Load({ seconds, seed, peak });
  const folder = await Deno.makeTempDir({ prefix: "penstock-scaling-" });
  const out = `${folder}/out`;
  await Deno.mkdir(out);
  const rounds = Math.round(roundsPerMs(clock) * RECORD_MS);
  const job = new URL("./job.ts", import.meta.url);
  for (const [name, value] of Object.entries({ seconds, seed, peak, rounds, out })) {
    job.searchParams.set(name, String(value));
  }
  const show = shown(options, console.print);
  const watcher = new Watcher(load, options, clock.now());
  const troubles: string[] = [];
  let interrupted = false;
  try {
    const handle = startJob(job.href, {
      scaling: {
        policy: responsive({ downAfter: `${Math.round(seconds / 11)}s`, rest: "3s" }),
        ...{ minWorkers, maxWorkers },
      },
      workers: minWorkers,
      checkpoints: { store: `${folder}/checkpoints.db`, interval: "5s" },
      logger: troubleLogger(troubles),
      onStatus: (status) => show(watcher.look(status, clock.now())),
    });
    console.onInterrupt(() => {
      interrupted = true;
      handle.stop();
    });
    const outcome = await handle.outcome;
    const last = watcher.look(handle.status, clock.now());
    console.print("\nDecisions:");
    for (const made of last.decisions) {
      for (const text of decisionText(made, last.startedAt)) console.print(text);
    }
    for (const trouble of troubles) console.printError(trouble);
    if (outcome.kind === "failed") return 1;
    if (interrupted) {
      console.printError("Stopped before the load was over: what came out is not counted");
      return 1;
    }
    const { stays, lost, doubled } = await audited(load, out);
    console.print(
      `\n${stays} stays of bookings correlated with their events: lost ${lost}, doubled ${doubled}`,
    );
    return lost === 0 && doubled === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A screen that is painted again and again, or lines. */
function shown({ lines }: DemoOptions, print: (text: string) => void): Show {
  if (!lines && Deno.stdout.isTerminal()) {
    return (state) => {
      const { columns, rows } = Deno.consoleSize();
      // A terminal that does not say how large it is says 0.
      print(CLEAR + screen(state, { columns: columns || 100, rows: rows || 30 }));
    };
  }
  let before: DemoState["decisions"] = [];
  return (state) => {
    for (const text of decisionLines(before, state.decisions)) print(text);
    before = state.decisions;
    print(line(state));
  };
}

/** Keeps what goes wrong: the screen is not to be written over. */
function troubleLogger(troubles: string[]): Logger {
  const keep = (message: string, fields: LogFields = {}) => {
    troubles.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { ...silentLogger, warn: keep, error: keep, critical: keep };
}

async function audited(load: Load, out: string): Promise<Audit> {
  const account = new Account(load.expected());
  for await (const { name } of Deno.readDir(out)) {
    if (!name.startsWith("part-")) continue;
    const text = await Deno.readTextFile(`${out}/${name}`);
    for (const row of text.split("\n")) if (row !== "") account.add(JSON.parse(row));
  }
  return account.audit();
}

async function main(): Promise<number> {
  try {
    const options = parseDemoOptions(Deno.args);
    if (!options.help) return await runDemo(options, terminal);
    terminal.print(DEMO_HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.printError(error.message);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main());
