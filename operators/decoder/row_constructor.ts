/**
 * Makes a row's object from the columns of a batch: as an object literal in generated code where that is allowed, else
 * field by field. The result is the same.
 *
 * @module
 */

import { codeGenerationAllowed, literalEntry } from "../../runtime/transport/generated_code.ts";
import type { FieldColumn, MemberColumn } from "./program.ts";
import type { TextColumn } from "./text_column.ts";

/** The columns of a decoded batch. Those of a kind follow one another, each of as many values as there are rows. */
export interface DecodedColumns {
  readonly rows: number;
  readonly numbers: Float64Array<ArrayBuffer>;
  /** For each column of strings where they start in `texts`, then where they end. */
  readonly spans: Uint32Array<ArrayBuffer>;
  /** What each row has, see {@linkcode Cell}. */
  readonly cells: Uint8Array<ArrayBuffer>;
  readonly texts: TextColumn;
}

/** What a cell can be: as in assembly/decoder.ts. */
export const Cell = { MISSING: 0, NULL: 1, VALUE: 2, FALSE: 3, TRUE: 4 } as const;

/** Makes the object of an accepted row. */
export type RowConstructor = (columns: DecodedColumns, row: number) => unknown;

/**
 * The constructor of rows with these fields.
 *
 * @param generates whether to generate code
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
  generates: boolean = codeGenerationAllowed(),
): RowConstructor {
  if (!generates) return (columns, row) => objectOf(fields.members, columns, row);
  const body = `"use strict";
return ({ rows, numbers, spans, cells, texts }, row) => (${expressionOf(fields)});`;
  const construct: RowConstructor = new Function(body)();
  return construct;
}

function expressionOf(column: FieldColumn): string {
  switch (column.kind) {
    case "object": {
      const entries = column.members
        .map(({ name, column }) => literalEntry(name, expressionOf(column)));
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

function at(list: string, column: number): string {
  return column === 0 ? `${list}[row]` : `${list}[${column} * rows + row]`;
}

function orAbsent(column: { cells: number; mayBeAbsent: boolean }, value: string): string {
  if (!column.mayBeAbsent) return value;
  const cell = at("cells", column.cells);
  return `${cell} === ${Cell.MISSING} ? undefined : ${cell} === ${Cell.NULL} ? null : ${value}`;
}

function objectOf(members: readonly MemberColumn[], columns: DecodedColumns, row: number): unknown {
  // Defines own properties, `__proto__` too.
  return Object.fromEntries(
    members.map(({ name, column }) => [name, valueOf(column, columns, row)]),
  );
}

function valueOf(column: FieldColumn, columns: DecodedColumns, row: number): unknown {
  const { rows, numbers, spans, cells, texts } = columns;
  switch (column.kind) {
    case "object":
      return objectOf(column.members, columns, row);
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
