/**
 * Golden files: cases made by running Apache Flink, one step at a time. Their format is told in the README beside them.
 *
 * @module
 */

/** A time as it is written: the smallest and largest 64-bit number have names. */
export type GoldenTime = number | "min" | "max";

/** A step of a case's input, or an entry of what came out; what its fields mean depends on the family. */
export type GoldenObject = Readonly<Record<string, unknown>>;

/** What appeared, during which step. */
export type GoldenOutput = GoldenObject & { readonly step: number };

/** One case. */
export interface GoldenCase {
  readonly id: string;
  readonly spec: GoldenObject;
  readonly input: readonly GoldenObject[];
  readonly expected: readonly GoldenOutput[];
}

/** The cases of a family. */
export interface GoldenFile {
  readonly family: string;
  readonly cases: readonly GoldenCase[];
}

/** What a golden file of another kind is left out for. */
const FORMAT = 1;

/**
 * Reads the golden files at or below a folder, families in order of their names.
 *
 * @throws {Error} if the folder is not there, or a file is not one of format 1
 */
export async function readGoldenFiles(folder: string): Promise<readonly GoldenFile[]> {
  const files: GoldenFile[] = [];
  for (const path of (await Array.fromAsync(pathsBelow(folder))).sort()) {
    const file: GoldenFile & { readonly format: unknown } = JSON.parse(
      await Deno.readTextFile(path),
    );
    if (file.format !== FORMAT || !Array.isArray(file.cases)) {
      throw new Error(
        `Cannot read ${path} as golden cases: found format ${file.format}, expected ${FORMAT}`,
      );
    }
    files.push(file);
  }
  return files;
}

async function* pathsBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = `${folder.replace(/\/$/, "")}/${name}`;
    if (isDirectory) yield* pathsBelow(path);
    else if (isFile && name === "golden.json") yield path;
  }
}

/** 2^63: beyond the largest 64-bit number, and the nearest that a double has. */
const LONG_END = 2 ** 63;

/** A written time as the engine has it. */
export function timeOf(time: unknown): number {
  if (time === "min") return -Infinity;
  if (time === "max") return Infinity;
  if (typeof time === "number") return time;
  throw new TypeError(
    `Cannot take ${JSON.stringify(time)} as a time: expected a number, "min" or "max"`,
  );
}

/** The same where a finite number is wanted, as for timers. */
export function finiteTimeOf(time: unknown): number {
  return Math.min(Math.max(timeOf(time), -LONG_END), LONG_END);
}

/** A time of the engine as it is written. */
export function goldenTime(time: number): GoldenTime {
  if (time >= LONG_END) return "max";
  return time <= -LONG_END ? "min" : time;
}

/** The timestamp of a record as it is written: null is none. */
export function goldenTimestamp(timestamp: number): GoldenTime | null {
  return timestamp === -Infinity ? null : goldenTime(timestamp);
}

/** A field that is a text. */
export function textOf(object: GoldenObject, field: string): string {
  const value = object[field];
  if (typeof value === "string") return value;
  throw new TypeError(`Cannot read ${JSON.stringify(object)}: expected a text in "${field}"`);
}

/** A field that is a number. */
export function numberOf(object: GoldenObject, field: string): number {
  const value = object[field];
  if (typeof value === "number") return value;
  throw new TypeError(`Cannot read ${JSON.stringify(object)}: expected a number in "${field}"`);
}

/** A field that is an object. */
export function objectOf(object: GoldenObject, field: string): GoldenObject {
  const value = object[field];
  if (typeof value === "object" && value !== null) return value as GoldenObject;
  throw new TypeError(`Cannot read ${JSON.stringify(object)}: expected an object in "${field}"`);
}
