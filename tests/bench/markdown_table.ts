/**
 * Markdown tables as the formatter leaves them: columns of one width, numbers on the right.
 *
 * @module
 */

const RULE_CHARS_MIN = 3;

/**
 * A table. The first `names` columns are texts, the others figures.
 *
 * @example A figure
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { markdownTable } from "./markdown_table.ts";
 * assertEquals(
 *   markdownTable(["job", "CPU"], [["count", "1.25"]], 1),
 *   "| job   |  CPU |\n| ----- | ---: |\n| count | 1.25 |",
 * );
 * ```
 */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  names: number,
): string {
  const widths = header.map((title, column) =>
    Math.max(RULE_CHARS_MIN, title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const isName = (column: number) => column < names;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const padded = (cells: readonly string[]) =>
    line(widths.map((width, column) => {
      const cell = cells[column] ?? "";
      return isName(column) ? cell.padEnd(width) : cell.padStart(width);
    }));
  const rule = line(
    widths.map((width, column) => isName(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`),
  );
  return [padded(header), rule, ...rows.map(padded)].join("\n");
}
