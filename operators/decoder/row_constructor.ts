/**
 * Makes a row's object from the columns of a batch: as an object literal in generated code where that is allowed, else
 * field by field. The result is the same.
 *
 * @module
 */

import { codeGenerationAllowed, literalEntry } from "../../runtime/transport/generated_code.ts";
import { Cell, type DecodedColumns } from "./column_layout.ts";
import type { FieldColumn, MemberColumn, ScalarColumn } from "./program.ts";

/**
 * Makes the object of an accepted row.
 *
 * @param key the value of the field that is the key, for a constructor that was made for one
 */
export type RowConstructor = (columns: DecodedColumns, row: number, key?: unknown) => unknown;

/** How rows are made. */
export interface RowConstructorOptions {
  /** The field whose value is handed over, since somebody has it already. */
  readonly key?: FieldColumn | undefined;
  /** Whether a member that is missing is left out of the object; by default it is there as `undefined`. */
  readonly omitsMissing?: boolean;
  /** Whether to generate code. */
  readonly generates?: boolean;
}

/**
 * The constructor of rows with these fields.
 *
 * @example A row with one number
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rowConstructor } from "./row_constructor.ts";
 * import { TextColumn } from "./text_column.ts";
 * const at = { kind: "number", cells: 0, values: 0, mayBeAbsent: false } as const;
 * const row = rowConstructor({ kind: "object", members: [{ name: "at", column: at }] });
 * const columns = {
 *   rows: 1,
 *   numbers: new Float64Array([5]),
 *   spans: new Uint32Array(),
 *   cells: new Uint8Array([2]),
 *   texts: new TextColumn(new Uint8Array(), new Uint32Array()),
 * };
 * assertEquals(row(columns, 0), { at: 5 });
 * ```
 */
export function rowConstructor(
  fields: Extract<FieldColumn, { kind: "object" }>,
  options: RowConstructorOptions = {},
): RowConstructor {
  if (!(options.generates ?? codeGenerationAllowed())) {
    return (columns, row, key) => objectOf(fields.members, options, columns, row, key);
  }
  const body = `"use strict";
return ({ rows, numbers, spans, cells, texts }, row, key) => (${expressionOf(fields, options)});`;
  const construct: RowConstructor = new Function(body)();
  return construct;
}

function expressionOf(column: FieldColumn, options: RowConstructorOptions): string {
  if (column === options.key) return "key";
  switch (column.kind) {
    case "object": {
      const entries = column.members.map((member) => entryOf(member, options));
      return `{ ${entries.join(", ")} }`;
    }
    case "literal":
      return JSON.stringify(column.value);
    case "string": {
      const [start, end] = [2 * column.values, 2 * column.values + 1];
      return orAbsent(column, `texts.textAt(${at("spans", start)}, ${at("spans", end)})`);
    }
    case "number":
      return orAbsent(column, at("numbers", column.values));
    case "boolean":
      return orAbsent(column, `${at("cells", column.cells)} === ${Cell.TRUE}`);
    default:
      return column satisfies never;
  }
}

function entryOf({ name, column }: MemberColumn, options: RowConstructorOptions): string {
  const entry = literalEntry(name, expressionOf(column, options));
  if (options.omitsMissing !== true || !mayBeAbsent(column)) return entry;
  return `...(${at("cells", column.cells)} === ${Cell.MISSING} ? undefined : { ${entry} })`;
}

function mayBeAbsent(column: FieldColumn): column is ScalarColumn {
  return column.kind !== "object" && column.kind !== "literal" && column.mayBeAbsent;
}

function at(list: string, column: number): string {
  return column === 0 ? `${list}[row]` : `${list}[${column} * rows + row]`;
}

function orAbsent(column: ScalarColumn, value: string): string {
  if (!column.mayBeAbsent) return value;
  const cell = at("cells", column.cells);
  return `${cell} === ${Cell.MISSING} ? undefined : ${cell} === ${Cell.NULL} ? null : ${value}`;
}

function objectOf(
  members: readonly MemberColumn[],
  options: RowConstructorOptions,
  columns: DecodedColumns,
  row: number,
  key: unknown,
): unknown {
  const present = options.omitsMissing !== true
    ? members
    : members.filter(({ column }) =>
      !mayBeAbsent(column) || columns.cells[column.cells * columns.rows + row] !== Cell.MISSING
    );
  // Defines own properties, `__proto__` too.
  return Object.fromEntries(
    present.map(({ name, column }) => [name, valueOf(column, options, columns, row, key)]),
  );
}

function valueOf(
  column: FieldColumn,
  options: RowConstructorOptions,
  columns: DecodedColumns,
  row: number,
  key: unknown,
): unknown {
  if (column === options.key) return key;
  const { rows, numbers, spans, cells, texts } = columns;
  switch (column.kind) {
    case "object":
      return objectOf(column.members, options, columns, row, key);
    case "literal":
      return column.value;
    case "string":
    case "number":
    case "boolean": {
      const cell = cells[column.cells * rows + row];
      if (cell === Cell.MISSING) return undefined;
      if (cell === Cell.NULL) return null;
      if (column.kind === "boolean") return cell === Cell.TRUE;
      if (column.kind === "number") return numbers[column.values * rows + row];
      const start = spans[2 * column.values * rows + row] ?? 0;
      return texts.textAt(start, spans[(2 * column.values + 1) * rows + row] ?? start);
    }
    default:
      return column satisfies never;
  }
}
