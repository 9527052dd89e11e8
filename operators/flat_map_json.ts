/**
 * Raw records to typed values: text, JSON, path, schema in one operator. What does not fit is not
 * lost: each bad record, and each bad node of a good record, is refused with a reason and becomes a
 * dead letter, while its siblings go on.
 *
 * @module
 */

import { batchOf, type RawRecord, rowOf, textOf } from "../connectors/raw_record.ts";
import type { OperatorFunction } from "../deps.ts";
import { ColumnDecoder, decoding } from "./decoder/column_decoder.ts";
import { REFUSED, RowStatus } from "./decoder/decoded_batch.ts";
import { excerpt } from "./excerpt.ts";
import { type Emit, fused, type Refusals, type Step } from "./fused.ts";
import { compileJsonPath, type JsonPath } from "./json_path.ts";
import { jsonFault } from "./json_text.ts";
import { issuesText, type StandardSchema, validator } from "./standard_schema.ts";

/** How much of a value that was found a reason quotes, in UTF-16 code units. */
export const FOUND_CHARS_MAX = 40;

/**
 * A JSON path (RFC 9535), or several: then each but the last leads to strings that hold JSON texts.
 */
export type FlatMapJsonPath = string | readonly [string, ...string[]];

/** What becomes of records and nodes that are not what was asked for. */
export interface FlatMapJsonOptions {
  /**
   * - `"deadLetter"` (default): each is refused with its reason; the rest of the record goes on.
   * - `"drop"`: each is left out without a trace. The only way to lose data on purpose.
   * - `"throw"`: the first one ends the record with an error, which the job's policy handles. Nodes
   *   before it have been emitted.
   */
  readonly onInvalid?: "deadLetter" | "drop" | "throw";
}

/** A record, or a node of one, that is not what was asked for. */
export interface InvalidRecord {
  /** The raw record if its payload is no JSON text, else the node. */
  readonly value: unknown;
  readonly reason: string;
}

/** Goes on from a node of a document: to the next path, or to the schema. */
type Onward<T> = (node: unknown, emit: Emit<T>, refusals: Refusals) => void;

/**
 * Handles what is invalid. The reason is a function since not everybody wants it, and it costs more
 * than the finding.
 */
type Reject = (
  value: unknown,
  kind: "text" | "shape",
  reason: () => string,
  refusals: Refusals,
) => void;

/**
 * Parses each record's payload as JSON, selects nodes by path, validates each with the schema, and
 * emits what the schema gives, in order. A path that selects nothing emits nothing: that is no
 * error.
 *
 * Several paths reach JSON inside JSON: what a path selects must be a string that holds a JSON
 * text, to which the next path applies.
 *
 * Invalid is a payload that is not UTF-8 or not JSON (a byte order mark is not JSON), a node that
 * is no string where a JSON text is expected, and what the schema has issues with. Reasons name the
 * path and what was found, and quote little of it ({@linkcode FOUND_CHARS_MAX}, and the schema's
 * own messages up to a bound). In a pipe outside the engine an invalid value errors the stream
 * unless it is dropped.
 *
 * @param path parsed here, once
 * @param schema any Standard Schema; one made by `fields` is the fastest: where paths are of names and
 * indexes only, batches are decoded without parsing the records wholly, with the same results.
 * What a schema throws is a failure of the record, not an invalid value
 * @throws {SyntaxError} if a path is not JSONPath
 * @throws {TypeError} if `schema` is no Standard Schema; while running, if it is asynchronous
 *
 * @example Bookings in a JSON text in a JSON text
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { of } from "npm:rxjs@7.8.2";
 * import { z } from "npm:zod@4.6.7";
 * import { flatMapJson } from "./flat_map_json.ts";
 * const Booking = z.object({ id: z.string() });
 * const detail = JSON.stringify({ bookings: [{ id: "a" }, { id: "b" }] });
 * const data = new TextEncoder().encode(JSON.stringify({ detail }));
 * const place = { partitionKey: "", sequenceNumber: "1", approximateArrival: 0, shardId: "s" };
 * const ids: string[] = [];
 * of({ data, ...place })
 *   .pipe(flatMapJson(["$.detail", "$.bookings[*]"], Booking))
 *   .subscribe(({ id }) => ids.push(id));
 * assertEquals(ids, ["a", "b"]);
 * ```
 */
export function flatMapJson<T>(
  path: FlatMapJsonPath,
  schema: StandardSchema<T>,
  options: FlatMapJsonOptions = {},
): OperatorFunction<RawRecord, T> {
  const paths = typeof path === "string" ? [path] : path;
  if (paths.length === 0) {
    throw new RangeError("Cannot make flatMapJson without a path: give at least one, such as $");
  }
  const reject = rejection(options.onInvalid ?? "deadLetter");
  let onward = accepting(schema, paths.join(" > "), reject);
  for (const [index, step] of [...paths.entries()].reverse()) {
    onward = selecting(compileJsonPath(step), onward);
    if (index > 0) onward = parsing(paths.slice(0, index).join(" > "), onward, reject);
  }
  const step = reading(onward, reject);
  const decoder = ColumnDecoder.of(paths, schema);
  const operator = fused(decoder === undefined ? step : batchStep(decoder, step));
  return decoding(operator, paths, schema, decoder);
}

/** The first step where a whole batch can be decoded at once. What the decoder leaves undecided goes on to `otherwise`. */
function batchStep<T>(
  decoder: ColumnDecoder<T>,
  otherwise: Step<RawRecord, T>,
): Step<RawRecord, T> {
  return (record, emit, refusals) => {
    const batch = batchOf(record);
    if (batch === undefined) return otherwise(record, emit, refusals);
    const decoded = decoder.decoded(batch);
    const row = rowOf(record);
    const status = decoded.statusAt(row);
    if (status === RowStatus.NOTHING) return;
    const value = status === RowStatus.ACCEPTED ? decoded.rowAt(row) : REFUSED;
    if (value !== REFUSED) emit(value);
    else otherwise(record, emit, refusals);
  };
}

/** The last step: what the schema makes of a node. */
function accepting<T>(schema: StandardSchema<T>, where: string, reject: Reject): Onward<T> {
  const validate = validator(schema);
  return (node, emit, refusals) => {
    const validation = validate(node);
    if (validation.issues) {
      const { issues } = validation;
      const reason = () => `Cannot accept ${found(node)} at ${where}: ${issuesText(issues)}`;
      reject(node, "shape", reason, refusals);
    } else {
      emit(validation.value);
    }
  };
}

function selecting<T>(path: JsonPath, onward: Onward<T>): Onward<T> {
  const { lookup } = path;
  if (lookup === undefined) {
    return (document, emit, refusals) =>
      path.select(document, (node) => onward(node, emit, refusals));
  }
  return (document, emit, refusals) => {
    const node = lookup(document);
    if (node !== undefined) onward(node, emit, refusals);
  };
}

/** A node that holds a JSON text of its own. */
function parsing<T>(where: string, onward: Onward<T>, reject: Reject): Onward<T> {
  const what = `the text at ${where}`;
  return (node, emit, refusals) => {
    if (typeof node !== "string") {
      const reason = () =>
        `Cannot parse ${what}: expected a string that holds a JSON text, found ${found(node)}`;
      return reject(node, "shape", reason, refusals);
    }
    const document = parsed(node);
    if (document === notJson) return reject(node, "text", () => faultText(what, node), refusals);
    onward(document, emit, refusals);
  };
}

/** The first step: a record's payload. */
function reading<T>(onward: Onward<T>, reject: Reject): Step<RawRecord, T> {
  const what = "the record's payload";
  return (record, emit, refusals) => {
    let text: string;
    try {
      text = textOf(record);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const reason = () =>
        `Cannot parse ${what}: expected UTF-8, found ${record.data.length} bytes that are not`;
      return reject(record, "text", reason, refusals);
    }
    const document = parsed(text);
    if (document === notJson) return reject(record, "text", () => faultText(what, text), refusals);
    onward(document, emit, refusals);
  };
}

const notJson = Symbol("not JSON");

/**
 * The document, or `notJson`. Nothing else runs within the try: errors of what follows are no
 * invalid data.
 */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return notJson;
    throw error;
  }
}

function rejection(onInvalid: "deadLetter" | "drop" | "throw"): Reject {
  switch (onInvalid) {
    case "deadLetter":
      return (value, _kind, reason, refusals) => refusals.refuse(value, reason());
    case "drop":
      return () => {};
    case "throw":
      return (_value, kind, reason) => {
        throw kind === "text" ? new SyntaxError(reason()) : new TypeError(reason());
      };
    default:
      throw new RangeError(
        `Cannot make flatMapJson with onInvalid ${
          JSON.stringify(onInvalid satisfies never)
        }: expected "deadLetter", "drop" or "throw"`,
      );
  }
}

function faultText(what: string, text: string): string {
  const fault = jsonFault(text);
  if (fault === undefined) return `Cannot parse ${what}: JSON.parse refuses it`;
  const place = `expected ${fault.expected} at position ${fault.position}`;
  return `Cannot parse ${what} as JSON: ${place}, found ${fault.found}`;
}

/** A value in a few words. */
function found(value: unknown): string {
  if (typeof value === "string") return `the string "${excerpt(value, FOUND_CHARS_MAX)}"`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
