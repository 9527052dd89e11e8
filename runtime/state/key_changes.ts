/**
 * What a checkpoint has of the keys of a key group: those that have changed, and those that have gone. Bytes are columns
 * in V8's format of structured clone, so that what is read is deeply equal to what was written.
 *
 * @module
 */

import { Deserializer, Serializer } from "node:v8";
import type { Key } from "../key.ts";
import { CloneInspection } from "../transport/clone_inspection.ts";
import {
  ColumnEncoder,
  decodeValues,
  type EncodedValues,
  encodeValues,
} from "../transport/column_codec.ts";
import {
  decodeContents,
  encodeContents,
  type EncodedContents,
  encodeNumbers,
} from "./content_columns.ts";
import type { KeyTimer } from "./group_timers.ts";

/** Raised whenever those who know only the one before can't read what is written. */
export const KEY_CHANGES_FORMAT = 2;
/** The oldest that is read: it has no columns of mere numbers, and is the same otherwise. */
const KEY_CHANGES_FORMAT_MIN = 1;

/** Keys and what they have. */
export interface KeyChanges {
  /** Names of declared state, in the order of `cells`. */
  readonly states: readonly string[];
  /** Keys that have gone: before `keys` are put. */
  readonly deleted: readonly Key[];
  /** Keys with everything that they have. */
  readonly keys: readonly Key[];
  /** By state, then key: a value, the array of a list, or a Map; undefined where nothing is set. */
  readonly cells: readonly (readonly unknown[])[];
  /** By key, in order of firing; undefined for none. */
  readonly timers: readonly (readonly KeyTimer[] | undefined)[];
}

/** The same as it is read from state: a column of which nothing but numbers is set can be one of these, NaN for unset. */
export interface ReadChanges extends Omit<KeyChanges, "cells"> {
  readonly cells: readonly (readonly unknown[] | Float64Array<ArrayBuffer>)[];
}

/** The encoders of an operator's columns: they learn the shapes of what is in them. */
export class ColumnCodecs {
  readonly keys = new ColumnEncoder();
  readonly timers = new ColumnEncoder();
  readonly #states: ColumnEncoder[] = [];

  /** That of a state. */
  of(state: number): ColumnEncoder {
    return this.#states[state] ??= new ColumnEncoder();
  }
}

/** Most chunks have no deleted keys. */
const NO_KEYS = encodeValues([], 0, new ColumnEncoder());

/** What stands in the bytes. */
interface EncodedChanges {
  readonly states: readonly string[];
  readonly deleted: EncodedValues;
  readonly keys: EncodedValues;
  readonly cells: readonly EncodedContents[];
  /** Undefined if no key has any. */
  readonly timers: EncodedContents | undefined;
}

/**
 * The bytes of changes.
 *
 * @throws {TypeError} if a content can't be cloned, naming the first such state and key
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeChanges, encodeChanges } from "./key_changes.ts";
 * const changes = {
 *   states: ["sum", "seen"],
 *   deleted: ["b"],
 *   keys: ["a", 7],
 *   cells: [[5, undefined], [undefined, new Map([["x", new Date(0)]])]],
 *   timers: [undefined, [{ domain: "event" as const, name: "late", at: 99 }]],
 * };
 * assertEquals(decodeChanges(encodeChanges(changes)), changes);
 * ```
 */
export function encodeChanges(
  changes: ReadChanges,
  codecs: ColumnCodecs = new ColumnCodecs(),
): Uint8Array<ArrayBuffer> {
  const { states, deleted, keys, cells, timers } = changes;
  try {
    const encoded: EncodedChanges = {
      states,
      deleted: deleted.length === 0 ? NO_KEYS : encodeValues(deleted, deleted.length, codecs.keys),
      keys: encodeValues(keys, keys.length, codecs.keys),
      cells: cells.map((column, state) =>
        column instanceof Float64Array
          ? encodeNumbers(column)
          : encodeContents(column, codecs.of(state))
      ),
      timers: timers.every((of) => of === undefined)
        ? undefined
        : encodeContents(timers, codecs.timers),
    };
    const serializer = new Serializer();
    serializer.writeHeader();
    serializer.writeUint32(KEY_CHANGES_FORMAT);
    serializer.writeValue(encoded);
    const { buffer, byteOffset, byteLength } = serializer.releaseBuffer();
    return buffer instanceof ArrayBuffer
      ? new Uint8Array(buffer, byteOffset, byteLength)
      : new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
  } catch (error) {
    throw uncloneable(changes, error);
  }
}

/**
 * Changes from their bytes: new objects each time.
 *
 * @throws {TypeError} if the bytes are none, or in a format of another version
 */
export function decodeChanges(bytes: Uint8Array): KeyChanges {
  const { states, deleted, keys, cells, timers } = read(bytes);
  return {
    states,
    deleted: decodeValues(deleted) as Key[],
    keys: decodeValues(keys) as Key[],
    cells: cells.map(decodeContents),
    timers: timers === undefined
      ? new Array<undefined>(keys.length).fill(undefined)
      : decodeContents(timers) as (KeyTimer[] | undefined)[],
  };
}

/**
 * One set of changes with the effect of both, one after the other. Contents are shared with what is merged.
 *
 * @param options `keepDeleted`: whether keys that have gone are still named, for something older to forget them
 *
 * @example The newer one says what a key has
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { mergeChanges } from "./key_changes.ts";
 * const older = { states: ["sum"], deleted: ["x"], keys: ["a", "b", "c"], cells: [[1, 2, 3]], timers: [] };
 * const newer = { states: ["sum"], deleted: ["c"], keys: ["b"], cells: [[20]], timers: [] };
 * const merged = mergeChanges(older, newer, { keepDeleted: true });
 * assertEquals([merged.keys, merged.cells, merged.deleted], [["a", "b"], [[1, 20]], ["x", "c"]]);
 * assertEquals(mergeChanges(older, newer, { keepDeleted: false }).deleted, []);
 * ```
 */
export function mergeChanges(
  older: KeyChanges,
  newer: KeyChanges,
  options: { readonly keepDeleted: boolean },
): KeyChanges {
  const gone = new Set([...newer.deleted, ...newer.keys]);
  const rows: number[] = [];
  for (const [row, key] of older.keys.entries()) if (!gone.has(key)) rows.push(row);
  const states = [...new Set([...older.states, ...newer.states])];
  const keys = [...rows.map((row) => older.keys[row] ?? ""), ...newer.keys];
  const cells = states.map((name) => {
    const [before, after] = [older, newer].map(({ states, cells }) => cells[states.indexOf(name)]);
    return [...rows.map((row) => before?.[row]), ...newer.keys.map((_, row) => after?.[row])];
  });
  const timers = [
    ...rows.map((row) => older.timers[row]),
    ...newer.keys.map((_, row) => newer.timers[row]),
  ];
  const deleted = new Set(options.keepDeleted ? [...older.deleted, ...newer.deleted] : []);
  // What is there says all about itself.
  for (const key of keys) deleted.delete(key);
  return { states, deleted: [...deleted], keys, cells, timers };
}

function read(bytes: Uint8Array): EncodedChanges {
  const refused = (found: string, cause?: unknown) =>
    new TypeError(
      `Cannot read a chunk of state of ${bytes.length} bytes: ${found}; restore it with the version that wrote it, ` +
        "or start from another checkpoint",
      { cause },
    );
  let format: number;
  try {
    const deserializer = new Deserializer(bytes);
    deserializer.readHeader();
    format = deserializer.readUint32();
    if (format >= KEY_CHANGES_FORMAT_MIN && format <= KEY_CHANGES_FORMAT) {
      return deserializer.readValue() as EncodedChanges;
    }
  } catch (error) {
    throw refused(`found ${error instanceof Error ? error.message : String(error)}`, error);
  }
  throw refused(
    `found format ${format}, expected ${KEY_CHANGES_FORMAT_MIN} to ${KEY_CHANGES_FORMAT}`,
  );
}

/** What can't be cloned, if it is a content; else what was thrown. */
function uncloneable({ states, keys, cells }: ReadChanges, thrown: unknown): unknown {
  for (const [state, name] of states.entries()) {
    for (const [row, key] of keys.entries()) {
      const found = findingOf(cells[state]?.[row]);
      if (found === undefined) continue;
      return new TypeError(
        `Cannot keep state ${JSON.stringify(name)} of key ${
          JSON.stringify(key)
        } in a checkpoint: ${found}; ` +
          "keep plain data in state: what structured clone takes",
        { cause: thrown },
      );
    }
  }
  return thrown;
}

function findingOf(content: unknown): string | undefined {
  const finding = new CloneInspection().inspect(content);
  if (finding?.kind === "uncloneable") {
    const { path, what } = finding;
    return `${path === "" ? "it" : JSON.stringify(path.replace(/^\./, ""))} ${what}`;
  }
  try {
    structuredClone(content);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
