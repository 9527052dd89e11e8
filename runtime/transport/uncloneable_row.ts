/**
 * The error for a row that can't cross to another worker, and the search for such rows. One such row must not take the
 * batch with it: the engine makes a dead letter of it and sends the rest.
 *
 * @module
 */

import { CloneInspection, type Finding } from "./clone_inspection.ts";

/**
 * A row of a batch holds what structured clone refuses, such as a function. What `postMessage` would have thrown is
 * its `cause` where there was one.
 *
 * @example Which row, and why
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { UncloneableRow } from "./uncloneable_row.ts";
 * const error = new UncloneableRow(3, 'field "f" is a function');
 * assertEquals(error.row, 3);
 * assertEquals(
 *   error.message,
 *   'Cannot send row 3 to another worker as its value cannot be cloned: field "f" is a function',
 * );
 * ```
 */
export class UncloneableRow extends TypeError {
  override readonly name = "UncloneableRow";
  /** The row's number in its batch. */
  readonly row: number;

  constructor(row: number, reason: string, options?: ErrorOptions) {
    super(
      `Cannot send row ${row} to another worker as its value cannot be cloned: ${reason}`,
      options,
    );
    this.row = row;
  }
}

/**
 * Every row that structured clone refuses, in order. It clones each row, so it is for a batch that is known to hold
 * one: after {@linkcode UncloneableRow} was thrown, or after `postMessage` threw a `DataCloneError`.
 *
 * @example Two of three
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { uncloneableRows } from "./uncloneable_row.ts";
 * const found = uncloneableRows([Symbol("a"), 1, { f: () => 1 }], 3);
 * assertEquals(found.map((error) => error.row), [0, 2]);
 * ```
 */
export function uncloneableRows(values: readonly unknown[], length: number): UncloneableRow[] {
  const found: UncloneableRow[] = [];
  for (let row = 0; row < length; row++) {
    const error = refusal(row, values[row]);
    if (error !== undefined) found.push(error);
  }
  return found;
}

/** What structured clone itself says about a row. */
export function refusal(row: number, value: unknown): UncloneableRow | undefined {
  try {
    structuredClone(value);
    return undefined;
  } catch (cause) {
    const finding = new CloneInspection().inspect(value);
    if (finding?.kind === "uncloneable") return uncloneableRow(row, finding, cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new UncloneableRow(row, reason, { cause });
  }
}

/** The error for what an inspection of a row found. */
export function uncloneableRow(
  row: number,
  finding: Extract<Finding, { kind: "uncloneable" }>,
  cause: unknown = finding.cause,
): UncloneableRow {
  const { path, what } = finding;
  const subject = path === "" ? "it" : `field ${JSON.stringify(path.replace(/^\./, ""))}`;
  const reason = `${subject} ${what}`;
  return cause === undefined
    ? new UncloneableRow(row, reason)
    : new UncloneableRow(row, reason, { cause });
}
