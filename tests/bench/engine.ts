/**
 * What the benchmark asks of an engine, and which engines there are. An engine is a module that exports its function
 * under the engine's own name; it runs in a process of its own, so that memory and CPU time are all its own.
 *
 * @module
 */

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
  /** To be told of progress: `meter.reached(records)` after each batch or so. */
  readonly meter: Meter;
  /** Takes every output line. */
  readonly sum: Checksum;
}

/** Runs a workload; resolves when the last output is in `run.sum`. What it prepares comes before the first record. */
export type Engine = (run: EngineRun) => Promise<void>;

const MODULES = {
  loop: "./peers/loop.ts",
  rxjs: "./peers/rxjs.ts",
  penstock: "./penstock.ts",
} as const;

/** The name of an engine, which is also what its module exports. */
export type EngineName = keyof typeof MODULES;

/** All engines that are TypeScript. */
export const ENGINES: readonly EngineName[] = ["loop", "rxjs", "penstock"];

/** Engines that can use more than one thread; the others are run with one worker only. */
export const THREADED_ENGINES: readonly string[] = ["penstock", "flink"];

/**
 * Loads one engine and nothing of the others: what a module loads is part of the memory that is measured.
 *
 * @throws {TypeError} if the engine's module lacks its function
 */
export async function loadEngine(name: EngineName): Promise<Engine> {
  const module: Readonly<Record<string, unknown>> = await import(
    new URL(MODULES[name], import.meta.url).href
  );
  const engine = module[name];
  if (typeof engine !== "function") {
    throw new TypeError(
      `Cannot load engine ${name}: ${
        MODULES[name]
      } exports no function of that name; export it there`,
    );
  }
  return engine as Engine;
}
