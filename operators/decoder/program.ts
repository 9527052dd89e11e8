/**
 * What the decoder in WebAssembly runs: paths and fields as a tree of nodes in bytes (`assembly/decoder.ts` lists their
 * layout), with names in a form that is compared 16 bytes at a time. Made once, when a job is built.
 *
 * @module
 */

import type { FieldRule, LiteralRule, ObjectRule, ScalarRule } from "../field_rule.ts";
import { parseJsonPath } from "../json_path/parser.ts";
import { singularQuery } from "../json_path/syntax.ts";
import type { ColumnCounts } from "./column_layout.ts";

/** Members of one object that a program looks for: a bit each says which were seen. */
export const PROGRAM_MEMBERS_MAX = 64;
/** Columns of a program. */
export const PROGRAM_COLUMNS_MAX = 256;
/** JSON texts in one another. */
export const PROGRAM_LEVELS_MAX = 8;
/** Steps of one path. */
export const PROGRAM_STEPS_MAX = 32;
/** Size of a program. */
export const PROGRAM_BYTES_MAX = 1 << 16;

/** Where a field's values are. */
export type FieldColumn =
  | { readonly kind: "object"; readonly members: readonly MemberColumn[] }
  | { readonly kind: "literal"; readonly value: string }
  | ScalarColumn;

/** The column of a field that is no object. */
export interface ScalarColumn {
  readonly kind: "string" | "number" | "boolean";
  /** Which column says what each row has: nothing, null or a value. */
  readonly cells: number;
  /** Which column of its kind has the values; booleans are in `cells`. */
  readonly values: number;
  /** Whether a row may have something else than a value. */
  readonly mayBeAbsent: boolean;
}

/** A field of an object. */
export interface MemberColumn {
  readonly name: string;
  readonly column: FieldColumn;
}

/** A compiled program. */
export interface Program extends ColumnCounts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** JSON texts that a record consists of: itself and those in one another. */
  readonly levels: number;
  readonly fields: Extract<FieldColumn, { kind: "object" }>;
}

/**
 * The program for fields at a path; several paths lead through JSON texts in strings. Undefined if it can't be one:
 * paths that may select several nodes or count from an array's end, names and literals that JSON has to escape, or
 * something beyond a bound.
 *
 * @throws {SyntaxError} if a path is not JSONPath
 *
 * @example What compiles and what does not
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { objectRule } from "../field_rule.ts";
 * import { compileProgram } from "./program.ts";
 * const rule = objectRule({ id: "string", at: "number" });
 * const program = compileProgram(["$.detail", "$.event"], rule);
 * assertEquals([program?.levels, program?.stringColumns, program?.numberColumns], [2, 1, 1]);
 * assertEquals(compileProgram(["$.events[*]"], rule), undefined);
 * ```
 */
export function compileProgram(paths: readonly string[], rule: ObjectRule): Program | undefined {
  const levels = paths.map((path) => singularQuery(parseJsonPath(path))?.steps);
  if (levels.length === 0 || levels.length > PROGRAM_LEVELS_MAX) return undefined;
  const assembler = new Assembler(levels.length);
  for (const [level, steps] of levels.entries()) {
    if (steps === undefined || !steps.every(isStep) || steps.length > PROGRAM_STEPS_MAX) {
      return undefined;
    }
    const isLast = level === levels.length - 1;
    assembler.level(level, steps, isLast ? rule : undefined);
  }
  return assembler.program();
}

function isStep(step: string | number): boolean {
  return typeof step === "string" || (step >= 0 && step < 2 ** 31);
}

// As in assembly/decoder.ts.
const NODE_OBJECT = 1;
const NODE_ELEMENT = 2;
const NODE_TEXT = 3;
const SCALAR_NODES = { string: 4, number: 5, boolean: 6 } as const;
const NODE_LITERAL = 7;
const ROLE_PATH = 0;
const ROLE_FIELDS = 1;
const ROLE_ROOT = 2;
const NAME_BYTES = 32;
const OBJECT_BYTES = 32;

/** A member to look for, and what makes the node of its value. */
interface Member {
  readonly name: string;
  readonly isRequired: boolean;
  readonly node: () => number;
}

class Assembler {
  readonly #view = new DataView(new ArrayBuffer(PROGRAM_BYTES_MAX));
  #end: number;
  /** Whether something did not fit; nothing is written any more. */
  #isOver = false;
  #cellColumns = 0;
  #numberColumns = 0;
  #stringColumns = 0;
  #fields: Program["fields"] = { kind: "object", members: [] };
  readonly #levels: number;

  constructor(levels: number) {
    this.#levels = levels;
    this.#view.setInt32(0, levels, true);
    this.#end = 4 + 4 * levels;
  }

  /** @param rule the fields, at the last level */
  level(level: number, steps: readonly (string | number)[], rule: ObjectRule | undefined): void {
    let node = () => rule === undefined ? this.#words([NODE_TEXT]) : this.#root(rule);
    for (const step of steps.toReversed()) {
      const onward = node;
      node = typeof step === "string"
        ? () => this.#object(ROLE_PATH, [{ name: step, isRequired: false, node: onward }])
        : () => this.#words([NODE_ELEMENT, step, onward()]);
    }
    this.#set(4 + 4 * level, node());
  }

  program(): Program | undefined {
    if (this.#isOver || this.#cellColumns > PROGRAM_COLUMNS_MAX) return undefined;
    return {
      bytes: new Uint8Array(this.#view.buffer.slice(0, this.#end)),
      levels: this.#levels,
      cellColumns: this.#cellColumns,
      numberColumns: this.#numberColumns,
      stringColumns: this.#stringColumns,
      fields: this.#fields,
    };
  }

  #root(rule: ObjectRule): number {
    const { node, column } = this.#fieldsObject(ROLE_ROOT, rule);
    this.#fields = column;
    return node;
  }

  #fieldsObject(role: number, rule: ObjectRule): { node: number; column: Program["fields"] } {
    const members: MemberColumn[] = [];
    const node = this.#object(
      role,
      rule.members.map(({ name, rule }) => ({
        name,
        isRequired: rule.kind === "object" || rule.kind === "literal" || !rule.mayBeMissing,
        node: () => {
          const { node, column } = this.#field(rule);
          members.push({ name, column });
          return node;
        },
      })),
    );
    return { node, column: { kind: "object", members } };
  }

  #field(rule: FieldRule): { node: number; column: FieldColumn } {
    switch (rule.kind) {
      case "object":
        return this.#fieldsObject(ROLE_FIELDS, rule);
      case "literal":
        return this.#literal(rule);
      case "string":
      case "number":
      case "boolean":
        return this.#scalar(rule);
      default:
        return rule satisfies never;
    }
  }

  #literal({ value }: LiteralRule): { node: number; column: FieldColumn } {
    const node = this.#allocate(16 + NAME_BYTES);
    this.#set(node, NODE_LITERAL);
    this.#name(node + 16, value, 0);
    return { node, column: { kind: "literal", value } };
  }

  #scalar({ kind, mayBeMissing, mayBeNull }: ScalarRule): { node: number; column: FieldColumn } {
    const cells = this.#cellColumns++;
    const values = kind === "string"
      ? this.#stringColumns++
      : kind === "number"
      ? this.#numberColumns++
      : 0;
    const node = this.#words([SCALAR_NODES[kind], cells, values, mayBeNull ? 1 : 0]);
    return { node, column: { kind, cells, values, mayBeAbsent: mayBeMissing || mayBeNull } };
  }

  #object(role: number, members: readonly Member[]): number {
    const node = this.#allocate(OBJECT_BYTES + members.length * NAME_BYTES);
    if (members.length > PROGRAM_MEMBERS_MAX) this.#isOver = true;
    if (this.#isOver) return 0;
    this.#set(node, NODE_OBJECT);
    this.#set(node + 4, members.length);
    this.#set(node + 8, role);
    let required = 0n;
    for (const [index, member] of members.entries()) {
      if (member.isRequired) required |= 1n << BigInt(index);
      this.#name(node + OBJECT_BYTES + index * NAME_BYTES, member.name, member.node());
    }
    this.#view.setBigUint64(node + 16, required, true);
    return node;
  }

  /** Text up to and with its closing quote, as it stands in JSON if nothing is escaped that need not be. */
  #name(at: number, text: string, node: number): void {
    // What must be escaped never stands there plainly. A lone surrogate has no bytes.
    if (!text.isWellFormed() || JSON.stringify(text) !== `"${text}"`) this.#isOver = true;
    const bytes = new TextEncoder().encode(`${text}"`);
    const rest = bytes.length > 16 ? this.#allocate(bytes.length - 16) : 0;
    if (this.#isOver) return;
    const all = new Uint8Array(this.#view.buffer);
    all.set(bytes.subarray(0, 16), at);
    all.set(bytes.subarray(16), rest);
    this.#set(at + 16, bytes.length >= 16 ? 0xffff : (1 << bytes.length) - 1);
    this.#set(at + 20, bytes.length);
    this.#set(at + 24, rest);
    this.#set(at + 28, node);
  }

  #words(words: readonly number[]): number {
    const node = this.#allocate(words.length * 4);
    for (const [index, word] of words.entries()) this.#set(node + index * 4, word);
    return node;
  }

  #allocate(bytes: number): number {
    const at = Math.ceil(this.#end / 16) * 16;
    if (at + bytes > PROGRAM_BYTES_MAX) this.#isOver = true;
    if (this.#isOver) return 0;
    this.#end = at + bytes;
    return at;
  }

  #set(at: number, word: number): void {
    if (!this.#isOver) this.#view.setUint32(at, word, true);
  }
}
