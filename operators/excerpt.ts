/**
 * Text from outside as it may stand in a message: short, on one line, and still Unicode. Payloads
 * can be large and private; reasons and log lines carry at most a taste of them.
 *
 * @module
 */

/**
 * The text on one line, cut to `charsMax` UTF-16 code units plus an ellipsis.
 *
 * @example A long text
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { excerpt } from "./excerpt.ts";
 * assertEquals(excerpt("one\ntwo three", 9), "one two t…");
 * ```
 */
export function excerpt(text: string, charsMax: number): string {
  const isCut = text.length > charsMax;
  const head = isCut ? text.slice(0, charsMax) : text;
  // Half of a character, left by the cut or there before, becomes U+FFFD: logs and sinks want
  // well-formed text.
  const line = head.toWellFormed().replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return isCut ? `${line}…` : line;
}
