/**
 * A shape's rows to bytes, by code made for it: constants between values are stored four bytes at a time, and a row is
 * only written once all of it has been found to be of the shape.
 *
 * A row is of the shape if it is an object, no array, with `Object.prototype` or no prototype and no `toJSON` in sight,
 * and with the shape's keys in order, no more and no fewer, enumerable inherited ones included; likewise for the objects
 * inside it; if every scalar is of a kind that the shape has; and if its strings are short. What this can't see: that a plain prototype was given to
 * an object that `new Number`, `new String` or `new Boolean` made; and accessors, which are read as the values they give,
 * a second time if the row turns out not to be of the shape.
 *
 * @module
 */

import { type JsonShape, ScalarKind, type ScalarMember } from "./json_shape.ts";
import type { RowOutput } from "./row_output.ts";
import { NUMBER_BYTES_MAX, writeNumber } from "./write_number.ts";
import { TEXT_BYTES_PER_UNIT_MAX, writeText } from "./write_text.ts";

/**
 * Writes `values[from ..]` up to the first that is not of the shape, and returns its row number. Nothing of that row is
 * written, nor is there an error if reading it threw: whoever takes it on will see.
 */
export type WriteRows = (
  values: readonly unknown[],
  from: number,
  length: number,
  output: RowOutput,
) => number;

/**
 * UTF-16 code units in a row's strings: beyond it, `JSON.stringify` and one encoding of many rows are cheaper than writing
 * character by character.
 */
export const ROW_TEXT_UNITS_MAX = 96;

/** Bytes of true, false and null. */
const WORD_BYTES_MAX = 5;
/** Bytes of a string's quotes. */
const QUOTES_BYTES = 2;

const QUOTE = 0x22;

/**
 * Makes the function for a shape. Only where code may be generated.
 *
 * @param ending what follows each row: ASCII
 *
 * @example Rows of one shape
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jsonShapeOf } from "./json_shape.ts";
 * import { RowOutput } from "./row_output.ts";
 * import { generatedWriteRows } from "./write_rows.ts";
 * const write = generatedWriteRows(jsonShapeOf({ id: "", n: 0 }) ?? { members: [] }, "\n");
 * const output = new RowOutput();
 * output.start(2);
 * assertEquals(write([{ id: "a", n: 1 }, { id: "b" }], 0, 2, output), 1);
 * assertEquals(new TextDecoder().decode(output.take()), '{"id":"a","n":1}\n');
 * ```
 */
export function generatedWriteRows(shape: JsonShape, ending: string): WriteRows {
  const code = new RowCode();
  code.row(shape, ending);
  const make = new Function(...Object.keys(parts), "keys", code.text());
  const write: WriteRows = make(...Object.values(parts), code.keys);
  return write;
}

function writeScalar(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  value: string | number | boolean | null,
): number {
  if (typeof value === "string") {
    bytes[at] = QUOTE;
    const end = writeText(bytes, at + 1, value);
    bytes[end] = QUOTE;
    return end + 1;
  }
  if (typeof value === "number") return writeNumber(view, at, value);
  const word = String(value);
  for (let index = 0; index < word.length; index++) bytes[at++] = word.charCodeAt(index);
  return at;
}

/** What generated code calls, by the names that it knows it by. */
const parts = {
  writeText,
  writeNumber,
  writeScalar,
  isArray: Array.isArray,
  getPrototypeOf: Object.getPrototypeOf,
  plain: Object.prototype,
};

/** The code of one function, written member by member. */
class RowCode {
  /** Lists of keys, by the number that the code knows them by. */
  readonly keys: (readonly string[])[] = [];
  readonly #utf8 = new TextEncoder();
  #checks = "";
  #writes = "";
  /** Constant text that has not become code yet: what follows may join it. */
  #constant = "";
  #constantBytes = 0;
  /** How long a row's strings are. */
  #unitTerms: string[] = [];
  #variables = 0;

  text(): string {
    const room = this.#constantBytes +
      (this.#unitTerms.length > 0 ? TEXT_BYTES_PER_UNIT_MAX * ROW_TEXT_UNITS_MAX : 0);
    const lists = this.keys.map((_, list) => `const keys${list} = keys[${list}];`);
    return `"use strict";
${lists.join("\n")}
return (values, from, length, output) => {
  const ends = output.ends;
  let bytes, view, row = from, at = 0, limit = -1, column = 0;
  try {
    for (; row < length; row++) {
      const value = values[row];
${this.#checks}
      if (${this.#unitTerms.join(" + ") || 0} > ${ROW_TEXT_UNITS_MAX}) break;
      if (at + ${room} > limit) {
        if (limit >= 0) output.at = at;
        output.room(${room});
        bytes = output.bytes; view = output.view; at = output.at; limit = bytes.length;
      }
${this.#writes}
      ends[row] = at;
    }
  } catch {}
  if (limit >= 0) output.at = at;
  return row;
};`;
  }

  row(shape: JsonShape, ending: string): void {
    this.#object("value", shape);
    this.#constant += ending;
    this.#store();
  }

  #object(name: string, { members }: JsonShape): void {
    const keys = this.keys.push(members.map(({ key }) => key)) - 1;
    this.#checks += `
      if (typeof ${name} !== "object" || ${name} === null || isArray(${name})) break;
      const ${name}Prototype = getPrototypeOf(${name});
      if (${name}Prototype !== plain && ${name}Prototype !== null) break;
      if (${name}.toJSON !== undefined) break;
      column = 0;
      for (const key in ${name}) {
        if (key !== keys${keys}[column]) { column = -1; break; }
        column++;
      }
      if (column !== ${members.length}) break;`;
    this.#constant += "{";
    // Whether a member comes before: where it is not known, the code looks whether anything has been written.
    let before: "none" | "some" | "unknown" = "none";
    for (const member of members) {
      const variable = `v${this.#variables++}`;
      this.#checks += `\n      const ${variable} = ${name}[${JSON.stringify(member.key)}];`;
      const isOptional = member.kind === "scalar" && (member.kinds & ScalarKind.UNDEFINED) !== 0;
      if (isOptional || before === "unknown") {
        this.#store();
        if (before === "none") this.#writes += `\n      const ${name}Start = at;`;
      }
      if (isOptional) this.#writes += `\n      if (${variable} !== undefined) {`;
      if (before === "some") this.#constant += ",";
      if (before === "unknown") {
        this.#writes += `\n      if (at !== ${name}Start) bytes[at++] = 44;`;
      }
      this.#constant += `${JSON.stringify(member.key)}:`;
      if (member.kind === "object") this.#object(variable, member.shape);
      else this.#scalar(variable, member);
      if (isOptional) {
        this.#store();
        this.#writes += "\n      }";
      }
      if (!isOptional) before = "some";
      else if (before === "none") before = "unknown";
    }
    this.#constant += "}";
    // The comma that the code decides on, for each member at most.
    this.#constantBytes += members.length;
  }

  #scalar(variable: string, { kinds }: ScalarMember): void {
    this.#checks += `\n      if (!(${kindTest(variable, kinds)})) break;`;
    const written = kinds & ~ScalarKind.UNDEFINED;
    if (written === ScalarKind.STRING) {
      this.#constant += '"';
      this.#store();
      this.#writes += `\n      at = writeText(bytes, at, ${variable});`;
      this.#constant += '"';
    } else {
      this.#store();
      const write = written === ScalarKind.NUMBER
        ? `writeNumber(view, at, ${variable})`
        : `writeScalar(bytes, view, at, ${variable})`;
      this.#writes += `\n      at = ${write};`;
      this.#constantBytes += QUOTES_BYTES + Math.max(WORD_BYTES_MAX, NUMBER_BYTES_MAX);
    }
    if (kinds === ScalarKind.STRING) {
      this.#unitTerms.push(`${variable}.length`);
    } else if ((kinds & ScalarKind.STRING) !== 0) {
      this.#unitTerms.push(`(typeof ${variable} === "string" ? ${variable}.length : 0)`);
    }
  }

  /** Makes code of constant text. */
  #store(): void {
    const bytes = this.#utf8.encode(this.#constant);
    const view = new DataView(bytes.buffer);
    this.#constant = "";
    if (bytes.length === 0) return;
    let offset = 0;
    this.#writes += "\n     ";
    for (; offset + 4 <= bytes.length; offset += 4) {
      this.#writes += ` view.setInt32(at + ${offset}, ${view.getInt32(offset, true)}, true);`;
    }
    for (; offset < bytes.length; offset++) {
      this.#writes += ` bytes[at + ${offset}] = ${bytes[offset]};`;
    }
    this.#writes += ` at += ${bytes.length};`;
    this.#constantBytes += bytes.length;
  }
}

function kindTest(variable: string, kinds: number): string {
  const tests: string[] = [];
  if (kinds & ScalarKind.STRING) tests.push(`typeof ${variable} === "string"`);
  if (kinds & ScalarKind.NUMBER) tests.push(`typeof ${variable} === "number"`);
  if (kinds & ScalarKind.BOOLEAN) tests.push(`typeof ${variable} === "boolean"`);
  if (kinds & ScalarKind.NULL) tests.push(`${variable} === null`);
  if (kinds & ScalarKind.UNDEFINED) tests.push(`${variable} === undefined`);
  return tests.join(" || ");
}
