/**
 * What the benchmark asks of an engine, and which engines there are. An engine is a module that exports its function
 * for each engine in it; an engine runs in a process of its own, so that memory and CPU time are all its own.
 *
 * @module
 */

import type { ReplayInput, SchemaKind } from "./bench_job.ts";
import type { Checksum } from "./checksum.ts";
import type { LoadedInput } from "./input.ts";
import type { Meter } from "./measure.ts";
import type { Workload } from "./workload.ts";

/** One run, as an engine gets it. */
export interface EngineRun {
  readonly workload: Workload;
  /** The folder with the generated files: for engines whose threads load their own share. */
  readonly dataDir: string;
  /** The workload's file in memory. Loaded when first asked for; engines that load it themselves never ask. */
  readonly input: LoadedInput;
  /** How many records the file has. */
  readonly records: number;
  /** How often the file is replayed, one pass after the other. */
  readonly passes: number;
  /** How many threads process records. */
  readonly workers: number;
  /** Where records are before they are asked for, for engines that load their share themselves; others hold them in memory. */
  readonly replayInput: ReplayInput;
  /** To be told of progress: `meter.reached(records)` after each batch or so. */
  readonly meter: Meter;
  /** Takes every output line. */
  readonly sum: Checksum;
}

/** Runs a workload; resolves when the last output is in `run.sum`. What it prepares comes before the first record. */
export type Engine = (run: EngineRun) => Promise<void>;

/** Where each engine is, and what its module exports it as. */
const FUNCTIONS = {
  loop: { module: "./peers/loop.ts", exported: "loop" },
  rxjs: { module: "./peers/rxjs.ts", exported: "rxjs" },
  penstock: { module: "./penstock.ts", exported: "penstock" },
  "penstock-zod": { module: "./penstock.ts", exported: "penstockZod" },
  "penstock-zod-strict": { module: "./penstock.ts", exported: "penstockZodStrict" },
  "penstock-checkpoints": { module: "./penstock.ts", exported: "penstockCheckpoints" },
} as const;

/** The name of an engine in TypeScript. */
export type ScriptEngineName = keyof typeof FUNCTIONS;

/** Penstock, with the jobs' schemas in several libraries' words. */
export const PENSTOCK_SCHEMAS: ReadonlyMap<string, SchemaKind> = new Map([
  ["penstock", "fields"],
  ["penstock-zod", "zod"],
  ["penstock-zod-strict", "zod-strict"],
  // With a checkpoint a second.
  ["penstock-checkpoints", "fields"],
]);

/** All engines that are TypeScript. */
export const SCRIPT_ENGINES: readonly ScriptEngineName[] = [
  "loop",
  "rxjs",
  "penstock",
  "penstock-zod",
  "penstock-zod-strict",
  "penstock-checkpoints",
];

/** Apache Flink, by how it reads JSON: with Jackson's streaming parser, Jackson's databind, or Jayway's JSONPath. */
export const FLINK_ENGINES = ["flink", "flink-databind", "flink-jsonpath"] as const;
/** One of them. */
export type FlinkEngineName = (typeof FLINK_ENGINES)[number];

/** The name of any engine. */
export type EngineName = ScriptEngineName | FlinkEngineName;

/** The engines of a sitting when nobody says. */
export const ENGINES_DEFAULT: readonly EngineName[] = ["loop", "rxjs", "penstock", "penstock-zod"];

/** Whether an engine is Flink. */
export function isFlink(engine: EngineName): engine is FlinkEngineName {
  return FLINK_ENGINES.some((name) => name === engine);
}

/** Engines that can use more than one thread; the others are run with one worker only. */
export const THREADED_ENGINES: readonly EngineName[] = [
  ...SCRIPT_ENGINES.filter((name) => PENSTOCK_SCHEMAS.has(name)),
  ...FLINK_ENGINES,
];

/**
 * Loads one engine and nothing of the others: what a module loads is part of the memory that is measured.
 *
 * @throws {TypeError} if the engine's module lacks its function
 */
export async function loadEngine(name: ScriptEngineName): Promise<Engine> {
  const { module: path, exported } = FUNCTIONS[name];
  const module: Readonly<Record<string, unknown>> = await import(
    new URL(path, import.meta.url).href
  );
  const engine = module[exported];
  if (typeof engine !== "function") {
    throw new TypeError(
      `Cannot load engine ${name}: ${path} exports no function ${exported}; export it there`,
    );
  }
  return engine as Engine;
}
