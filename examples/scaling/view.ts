/**
 * What the scaling demonstration shows while it runs: a screen for a terminal, or a line. Pure: state in, text out.
 *
 * @module
 */

import { outcomeText } from "../../runtime/cli/decision_lines.ts";
import type { MadeDecision } from "../../mod.ts";
import type { Phase } from "./load.ts";

/** The demonstration at one moment. */
export interface DemoState {
  /** Since the start, and of how many. */
  readonly second: number;
  readonly seconds: number;
  readonly phase: Phase;
  /** Records a second: due, and processed in each second so far. */
  readonly due: number;
  readonly rates: readonly number[];
  /** How far behind the load is, ms; -1 unknown. */
  readonly lagMs: number;
  /** Those there are, by number. */
  readonly workers: readonly WorkerView[];
  readonly workersMax: number;
  /** When the job started, ms since the epoch. */
  readonly startedAt: number;
  readonly decisions: readonly MadeDecision[];
}

/** One worker. */
export interface WorkerView {
  readonly worker: number;
  /** Share of a core that it used within the last second; -1 unknown. */
  readonly busy: number;
  readonly groups: number;
  readonly heapMb: number;
  /** Seconds for which it has been there. */
  readonly age: number;
}

/** How wide and how long. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const LEVELS = "▁▂▃▄▅▆▇█";
const BAR = 24;
/** So long a worker counts as new, seconds. */
const NEW_SECONDS = 3;
const percent = (share: number) => (share < 0 ? "?" : whole.format(100 * share)).padStart(3) + " %";

/** A screen: the load, a bar for each worker there may be, and the last decisions with what came of them. */
export function screen(state: DemoState, { columns, rows }: ScreenSize): string {
  const { second, seconds, phase, due, rates, lagMs, workers, workersMax } = state;
  const top = [
    `Penstock scaling ${phase}: second ${whole.format(second)} of ${seconds}`,
    `records/s ${whole.format(rates.at(-1) ?? 0)}, due ${whole.format(due)}, lag ${lagText(lagMs)}`,
    sparkline(rates.slice(-columns)),
    "",
  ];
  const count = Math.max(workersMax, workers.length);
  for (let number = 0; number < count; number++) {
    top.push(workerLine(number, workers.find(({ worker }) => worker === number)));
  }
  top.push("");
  const room = Math.max(2, rows - top.length - 1);
  const decisions = state.decisions.flatMap((made) => decisionText(made, state.startedAt));
  return [...top, ...decisions.slice(-room)].map((line) => cut(line, columns)).join("\n");
}

/** The same in a line, but for decisions. */
export function line({ second, phase, due, rates, lagMs, workers }: DemoState): string {
  const each = workers.map(({ worker, busy, groups, heapMb }) =>
    `worker ${worker} ${percent(busy).trimStart()} ${groups} groups ${whole.format(heapMb)} MB`
  );
  return [
    `${whole.format(second)} s ${phase}`,
    `${whole.format(rates.at(-1) ?? 0)} records/s of ${whole.format(due)}`,
    `lag ${lagText(lagMs)}`,
    ...each,
  ].join(" | ");
}

/** A decision, and what came of it, with the second at which it was made. */
export function decisionText(made: MadeDecision, startedAt: number): readonly string[] {
  const at = `${whole.format((made.at - startedAt) / 1000)} s`.padStart(6);
  const outcome = made.outcome.kind === "under way" ? "under way" : outcomeText(made);
  const text = `${at}  ${made.text}`;
  return outcome === undefined ? [text] : [text, `        ${outcome}`];
}

function workerLine(number: number, worker: WorkerView | undefined): string {
  if (worker === undefined) return `worker ${number}  ${"·".repeat(BAR)}`;
  const { busy, groups, heapMb, age } = worker;
  const full = Math.round(Math.min(1, Math.max(0, busy)) * BAR);
  const bar = "█".repeat(full) + "░".repeat(BAR - full);
  const isNew = age < NEW_SECONDS ? "  new" : "";
  return `worker ${number}  ${bar} ${percent(busy)}  ${
    String(groups).padStart(3)
  } key groups  heap ${whole.format(heapMb).padStart(4)} MB${isNew}`;
}

function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values.map((value) =>
    LEVELS.charAt(Math.min(LEVELS.length - 1, Math.floor(value / most * LEVELS.length)))
  ).join("");
}

function lagText(lagMs: number): string {
  return lagMs < 0 ? "unknown" : `${whole.format(lagMs)} ms`;
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`;
}
