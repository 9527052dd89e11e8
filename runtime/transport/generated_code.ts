/**
 * Code made at run time, where that is allowed. A function that names a record's fields is several times as fast as one
 * that loops over their names. A thread that refuses (`--disallow-code-generation-from-strings`) is asked once; whoever
 * generates code has a slower way that does the same.
 *
 * @module
 */

let allowed: boolean | undefined;

/** Whether this thread makes functions of text. */
export function codeGenerationAllowed(): boolean {
  if (allowed === undefined) {
    try {
      new Function("");
      allowed = true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/**
 * An object literal's entry that defines its own property, whatever the name is: written plainly, `__proto__` would set
 * the prototype.
 *
 * @example The one name that is special
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { literalEntry } from "./generated_code.ts";
 * assertEquals(literalEntry("a-b", "x"), '"a-b": x');
 * assertEquals(literalEntry("__proto__", "x"), '["__proto__"]: x');
 * ```
 */
export function literalEntry(name: string, expression: string): string {
  const text = JSON.stringify(name);
  return name === "__proto__" ? `[${text}]: ${expression}` : `${text}: ${expression}`;
}
