/**
 * A manifest in JSON. What there are few of is written by name; chains of chunks, of which a large job has ten thousands,
 * are rows of numbers: part, offset, length, keys, deleted. A part is written as its place in the list of parts, and an
 * offset as 0 where the chunk begins at the end of the one before it in the same part, or else as the offset + 1.
 *
 * @module
 */

import { FRAME_BYTES } from "./frame.ts";
import type {
  Chunk,
  Manifest,
  ManifestChain,
  ManifestOperator,
  ManifestPart,
  ManifestShard,
  ManifestSource,
  ManifestState,
  PartRange,
} from "./manifest.ts";

/** The text is no manifest: says where, what was found, and what was expected. */
export class LayoutError extends Error {
  override readonly name = "LayoutError";
}

const CHUNK_NUMBERS = 5;

/**
 * A manifest as a value for `JSON.stringify`.
 *
 * @example Named parts become places
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { layoutOf, manifestOf } from "./manifest_layout.ts";
 * const manifest = {
 *   format: 1 as const, id: 1, job: "a", kind: "savepoint" as const, at: 0, startedAt: 0, maxParallelism: 1, workers: 1,
 *   operators: [], chunks: [], sources: [], sinks: [],
 *   rest: { part: "p", offset: 0, length: 0 },
 *   parts: [{ name: "p", bytes: 24, crc32: 0 }],
 * };
 * assertEquals(manifestOf(JSON.parse(JSON.stringify(layoutOf(manifest)))), manifest);
 * ```
 */
export function layoutOf(manifest: Manifest): unknown {
  const partIndex = new Map(manifest.parts.map(({ name }, index) => [name, index]));
  const operatorIndex = new Map(manifest.operators.map(({ name }, index) => [name, index]));
  const offsets = new Offsets();
  const numbers = (range: PartRange): number[] => {
    const part = partIndex.get(range.part) ?? -1;
    const follows = offsets.expected(part) === range.offset;
    offsets.pass(part, range);
    return [part, follows ? 0 : range.offset + 1, range.length];
  };
  return {
    ...manifest,
    chunks: manifest.chunks.map(({ operator, group, chain }) => [
      operatorIndex.get(operator) ?? -1,
      group,
      chain.flatMap((chunk) => [...numbers(chunk), chunk.keys, chunk.deleted]),
    ]),
    rest: numbers(manifest.rest),
    parts: manifest.parts.map(({ name, bytes, crc32 }) => [name, bytes, crc32]),
  };
}

/**
 * Reads what {@linkcode layoutOf} has written, believing nothing.
 *
 * @throws {LayoutError} if it is no manifest
 *
 * @example A text of somebody else
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { LayoutError, manifestOf } from "./manifest_layout.ts";
 * assertThrows(() => manifestOf({ format: 2 }), LayoutError, "found 2, expected 1 in format");
 * ```
 */
export function manifestOf(layout: unknown): Manifest {
  const root = new Fields(layout, "");
  const format = root.oneOf("format", [1] as const);
  const operators = root.each("operators", operatorOf);
  const parts = root.rows("parts").map(partOf);
  unique("parts", parts.map(({ name }) => name));
  unique("operators", operators.map(({ name }) => name));
  const offsets = new Offsets();
  const rangeOf = (row: Row, from: number): PartRange => {
    const index = row.whole(from);
    const part = parts[index];
    if (part === undefined) throw row.wrong(from, `one of ${parts.length} parts`);
    const written = row.whole(from + 1);
    const range = {
      part: part.name,
      offset: written === 0 ? offsets.expected(index) : written - 1,
      length: row.whole(from + 2),
    };
    if (range.offset + range.length > part.bytes - FRAME_BYTES) {
      throw row.wrong(
        from + 2,
        `bytes that end within part "${part.name}", which has ${part.bytes}`,
      );
    }
    offsets.pass(index, range);
    return range;
  };
  const maxParallelism = root.whole("maxParallelism");
  const chunks = root.rows("chunks").map((row): ManifestChain => {
    const operator = operators[row.whole(0)];
    if (operator === undefined) throw row.wrong(0, `one of ${operators.length} operators`);
    const group = row.whole(1);
    if (group >= maxParallelism) throw row.wrong(1, `a key group below ${maxParallelism}`);
    return { operator: operator.name, group, chain: chainOf(row.row(2), rangeOf) };
  });
  unique("chunks", chunks.map(({ operator, group }) => JSON.stringify([operator, group])));
  return {
    format,
    id: root.whole("id"),
    job: root.text("job"),
    kind: root.oneOf("kind", ["checkpoint", "savepoint"] as const),
    at: root.whole("at"),
    startedAt: root.whole("startedAt"),
    maxParallelism,
    workers: root.whole("workers"),
    operators,
    chunks,
    sources: root.each("sources", sourceOf),
    sinks: root.each("sinks", (sink) => ({
      name: sink.text("name"),
      kind: sink.text("kind"),
      of: sink.text("of"),
    })),
    rest: rangeOf(root.row("rest"), 0),
    parts,
  };
}

function chainOf(row: Row, rangeOf: (row: Row, from: number) => PartRange): Chunk[] {
  if (row.length === 0 || row.length % CHUNK_NUMBERS !== 0) {
    throw new LayoutError(
      `found ${row.length} numbers, expected ${CHUNK_NUMBERS} for each chunk in ${row.path}`,
    );
  }
  const chain: Chunk[] = [];
  for (let at = 0; at < row.length; at += CHUNK_NUMBERS) {
    const { part, offset, length } = rangeOf(row, at);
    chain.push({ part, offset, length, keys: row.whole(at + 3), deleted: row.whole(at + 4) });
  }
  return chain;
}

function partOf(row: Row): ManifestPart {
  return { name: row.text(0), bytes: row.whole(1), crc32: row.whole(2) };
}

function operatorOf(fields: Fields): ManifestOperator {
  return {
    name: fields.text("name"),
    kind: fields.text("kind"),
    ...(fields.has("version") ? { version: fields.whole("version") } : {}),
    states: fields.each("states", stateOf),
    ...(fields.has("broadcast") ? { broadcast: fields.each("broadcast", stateOf) } : {}),
    ...(fields.has("hash") ? { hash: fields.text("hash") } : {}),
    ...(fields.has("keyedBy") ? { keyedBy: fields.row("keyedBy").texts() } : {}),
    ...(fields.has("timers") ? { timers: fields.whole("timers") } : {}),
    keys: fields.whole("keys"),
    bytes: fields.whole("bytes"),
  };
}

function stateOf(fields: Fields): ManifestState {
  return {
    name: fields.text("name"),
    kind: fields.oneOf("kind", ["value", "list", "map"] as const),
    version: fields.whole("version"),
    holds: fields.text("holds"),
  };
}

function sourceOf(fields: Fields): ManifestSource {
  return {
    name: fields.text("name"),
    kind: fields.text("kind"),
    of: fields.text("of"),
    shards: fields.each("shards", (shard): ManifestShard => ({
      id: shard.text("id"),
      state: shard.oneOf("state", ["reading", "ended"] as const),
      ...(shard.has("position") ? { position: shard.text("position") } : {}),
      parents: shard.row("parents").texts(),
    })),
  };
}

/** Where the next chunk of each part begins if it follows the last one. */
class Offsets {
  readonly #next = new Map<number, number>();

  expected(part: number): number {
    return this.#next.get(part) ?? 0;
  }

  pass(part: number, { offset, length }: PartRange): void {
    this.#next.set(part, offset + length);
  }
}

/** An object whose fields are believed one by one. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw wrong(value, "an object", path === "" ? "the manifest" : path);
    }
    this.#fields = new Map(Object.entries(value));
    this.#path = path;
  }

  has(name: string): boolean {
    return this.#fields.get(name) !== undefined;
  }

  text(name: string): string {
    return textOf(this.#fields.get(name), this.#at(name));
  }

  whole(name: string): number {
    return wholeOf(this.#fields.get(name), this.#at(name));
  }

  oneOf<T extends string | number>(name: string, allowed: readonly T[]): T {
    const value = this.#fields.get(name);
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw wrong(value, allowed.join(" or "), this.#at(name));
    return found;
  }

  row(name: string): Row {
    return new Row(this.#fields.get(name), this.#at(name));
  }

  rows(name: string): Row[] {
    const row = this.row(name);
    return Array.from({ length: row.length }, (_, index) => row.row(index));
  }

  each<T>(name: string, read: (fields: Fields) => T): T[] {
    const row = this.row(name);
    return Array.from({ length: row.length }, (_, index) => read(row.fields(index)));
  }

  #at(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}

/** An array whose items are believed one by one. */
class Row {
  readonly path: string;
  readonly #items: readonly unknown[];

  constructor(value: unknown, path: string) {
    if (!Array.isArray(value)) throw wrong(value, "an array", path);
    this.#items = value;
    this.path = path;
  }

  get length(): number {
    return this.#items.length;
  }

  text(index: number): string {
    return textOf(this.#items[index], this.path, index);
  }

  texts(): string[] {
    return this.#items.map((_, index) => this.text(index));
  }

  whole(index: number): number {
    return wholeOf(this.#items[index], this.path, index);
  }

  row(index: number): Row {
    return new Row(this.#items[index], `${this.path}[${index}]`);
  }

  fields(index: number): Fields {
    return new Fields(this.#items[index], `${this.path}[${index}]`);
  }

  wrong(index: number, expected: string): LayoutError {
    return wrong(this.#items[index], expected, this.path, index);
  }
}

function textOf(value: unknown, path: string, index?: number): string {
  if (typeof value !== "string") throw wrong(value, "a string", path, index);
  return value;
}

function wholeOf(value: unknown, path: string, index?: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw wrong(value, "a whole number from 0", path, index);
  }
  return value;
}

function unique(path: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new LayoutError(`found ${name} twice, expected it once in ${path}`);
    seen.add(name);
  }
}

function wrong(value: unknown, expected: string, path: string, index?: number): LayoutError {
  const place = index === undefined ? path : `${path}[${index}]`;
  const found = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
  return new LayoutError(`found ${found}, expected ${expected} in ${place}`);
}
