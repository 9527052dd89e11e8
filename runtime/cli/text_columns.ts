/**
 * Texts in columns, for a terminal. Pure.
 *
 * @module
 */

/**
 * Rows as lines: cells of a column begin below each other, and a column that is empty throughout is left out.
 *
 * @example Two rows
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { textColumns } from "./text_columns.ts";
 * assertEquals(textColumns([["a", "", "1"], ["bcd", "", "2"]]), ["a    1", "bcd  2"]);
 * ```
 */
export function textColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row.flatMap((cell, column) => {
      const width = widths[column] ?? 0;
      return width === 0 ? [] : [cell.padEnd(width)];
    }).join("  ").trimEnd()
  );
}
