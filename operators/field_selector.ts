/**
 * Which field a function reads, if that is all it does. A function can't be looked into, but its text can: an arrow
 * function whose text is `(row) => row.id` reads the field `id` of its argument and nothing else, whatever surrounds it.
 * So the engine can take keys and times of whole batches from columns, and users need no second way to name a field.
 *
 * @module
 */

const NAME = "[A-Za-z_$][A-Za-z0-9_$]*";
/** `row => row.a.b`, `(row) => row.a` */
const READS = new RegExp(
  `^(?:(${NAME})|\\(\\s*(${NAME})\\s*\\))\\s*=>\\s*(${NAME})((?:\\s*\\.\\s*${NAME})+)$`,
);
/** `({ a }) => a` */
const TAKES = new RegExp(`^\\(\\s*\\{\\s*(${NAME})\\s*\\}\\s*\\)\\s*=>\\s*(${NAME})$`);

/**
 * The names on the way to the field that a function returns, or undefined if its text says anything else than that.
 *
 * @example A field, and something more
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { selectedField } from "./field_selector.ts";
 * assertEquals(selectedField((row: { at: number }) => row.at), ["at"]);
 * assertEquals(selectedField((row: { at: number }) => row.at + 1), undefined);
 * ```
 */
export function selectedField(
  select: (value: never) => unknown,
): readonly [string, ...string[]] | undefined {
  // Not `select.toString()`, which may have been replaced.
  const text = Function.prototype.toString.call(select).trim();
  const taken = TAKES.exec(text);
  if (taken !== null) {
    const [, name, returned] = taken;
    return name !== undefined && name === returned ? [name] : undefined;
  }
  const [, bare, bracketed, read, path] = READS.exec(text) ?? [];
  if (path === undefined || read !== (bare ?? bracketed)) return undefined;
  const [, first, ...rest] = path.split(".").map((name) => name.trim());
  return first === undefined ? undefined : [first, ...rest];
}
