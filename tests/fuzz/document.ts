/**
 * JSON texts near what the decoder looks for: mostly right, and wrong in the ways in which decoders go wrong.
 *
 * @module
 */

import type { Random } from "../../runtime/random.ts";

/** The fields of a document: names, each with a type of `fields()` or with fields of its own. */
export interface DocumentShape {
  readonly [name: string]: string | DocumentShape;
}

/** Drawn from by weight of repetition: plain ones must be there, or nothing is ever accepted. */
const PIECES = [
  "x",
  "x",
  "é",
  "€",
  "😀",
  "\\n",
  '\\"',
  "\\\\",
  "\\/",
  "\\u0041",
  "\\u00e9",
  "\\ud83d\\ude00",
  "\ufeff",
  "\u2028",
];
const BAD_PIECES = ["\\", "\\x", "\\u12", "\\ud800", "\\udc00", "\n", "\0", '"', "\\u00g0"];
const NUMBERS = ["0", "-0", "7", "-12", "0.5", "-1.25", "1e3", "1E-2", "123456789", "1234567890123"]
  .concat("4.35", "1e22", "-0.0", "0e5", "9007199254740992", "123456789012345", "0.000001");
/** Those of which one multiplication or division does not make the double, and those beyond what the decoder reads. */
const LONG_NUMBERS = ["9007199254740993", "12345678901234567", "0.12345678901234567", "1e23"]
  .concat("1e400", "1e-400", "0.30000000000000004", "-123456789012345678", "100000000.00000001");
const BAD_NUMBERS = ["01", "1.", ".5", "-", "+1", "1e", "1e+", "0x1", "NaN", "1_0", "--1", "1.e5"];
const BLANKS = [" ", "\n", "\t", "\r", "  \n"];
const BAD_BLANKS = ["\v", "\f", "\u00a0", "\ufeff", "\0"];
const WORDS = ["true", "false", "null"];
const BAD_WORDS = ["tru", "truee", "nul", "False", "undefined", "nulL", "fals"];
/** A string that is no name, also in a text that is in a string, a number or a word. */
const VARIABLE = /"[^"\\]*"(?!:)|\\"[^"\\]*\\"(?!:)|-?\d+(?:\.\d+)?|true|false|null/g;

/** Writes documents. */
export class DocumentWriter {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A whole number from 0 up to but without `bound`. */
  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  /** One of these. */
  oneOf<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("Cannot draw from no items");
    return item;
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** An object of this shape, or nearly. */
  object(shape: DocumentShape): string {
    const members = Object.entries(shape).flatMap(([name, type]) => this.#member(name, type));
    while (this.once(2)) {
      members.splice(this.below(members.length + 1), 0, this.#otherMember(Object.keys(shape)));
    }
    if (this.once(8)) members.reverse();
    if (this.once(100)) members.push("");
    const separator = this.once(200) ? ";" : ",";
    return `{${this.#blank()}${members.join(`${this.#blank()}${separator}`)}}`;
  }

  /** Any value. */
  value(depth = 0): string {
    switch (this.below(depth > 3 ? 3 : 5)) {
      case 0:
        return this.string();
      case 1:
        return this.#number();
      case 2:
        return this.#word();
      case 3:
        return `[${
          Array.from({ length: this.below(4) }, () => this.value(depth + 1)).join(
            `${this.#blank()},`,
          )
        }${this.#blank()}]`;
      default:
        return `{${
          Array.from(
            { length: this.below(3) },
            () => `${this.string()}:${this.#blank()}${this.value(depth + 1)}`,
          ).join(",")
        }}`;
    }
  }

  /** A string whose special places are near 16-byte borders. */
  string(): string {
    let text = "";
    for (let pieces = this.below(4); pieces > 0; pieces--) {
      // One less, exactly and one more than what fills 16 bytes.
      const plain = this.once(2) ? this.below(20) : 16 * this.below(3) + 13 + this.below(5);
      text += "x".repeat(plain);
      text += this.once(100) ? this.oneOf(BAD_PIECES) : this.oneOf(PIECES);
    }
    return `"${text}"`;
  }

  /** A name that is mostly without escapes: objects in which something is looked for are given up with them. */
  otherName(): string {
    return this.once(20) ? this.string() : `"${"y".repeat(this.below(40))}"`;
  }

  /** The text as a JSON string, escaped in one of the ways there are. */
  quoted(text: string): string {
    let quoted = JSON.stringify(text);
    if (this.once(10)) quoted = quoted.replaceAll('\\"', "\\u0022");
    if (this.once(10)) quoted = quoted.replaceAll("/", "\\/");
    if (this.once(20)) {
      quoted = quoted.replaceAll(
        /[^\0-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    }
    return quoted;
  }

  /** A text with other values in the same places, mostly of the same kinds, and also in the texts in its strings. */
  varied(text: string): string {
    return text.replaceAll(VARIABLE, (part) => {
      if (!this.once(3)) return part;
      if (this.once(30)) return this.value();
      if (part.startsWith('"')) return this.string();
      if (part.startsWith("\\")) return this.quoted(this.string()).slice(1, -1);
      return /^[-\d]/.test(part) ? this.#number() : this.oneOf(WORDS);
    });
  }

  #member(name: string, type: string | DocumentShape): string[] {
    if (this.once(typeof type === "string" && type.endsWith("?") ? 3 : 100)) return [];
    const member = `${this.#name(name)}${this.#blank()}:${this.#blank()}${this.#valueOf(type)}`;
    return this.once(100) ? [member, member] : [member];
  }

  #name(name: string): string {
    if (this.once(100)) return JSON.stringify(this.#mutatedName(name));
    if (this.once(100)) {
      const at = this.below(name.length + 1);
      const code = name.charCodeAt(at);
      if (code < 0x7f) {
        return `"${name.slice(0, at)}\\u00${code.toString(16).padStart(2, "0")}${
          name.slice(at + 1)
        }"`;
      }
    }
    return JSON.stringify(name);
  }

  #mutatedName(name: string): string {
    switch (this.below(4)) {
      case 0:
        return name.slice(0, -1);
      case 1:
        return name + this.oneOf(["x", "é", " ", name]);
      case 2:
        return name.toUpperCase();
      default:
        return name.slice(1);
    }
  }

  #otherMember(names: readonly string[]): string {
    const name = this.once(2) && names.length > 0
      ? JSON.stringify(this.#mutatedName(this.oneOf(names)))
      : this.otherName();
    return `${name}:${this.value()}`;
  }

  #valueOf(type: string | DocumentShape): string {
    if (this.once(100)) return this.value();
    if (typeof type !== "string") return this.object(type);
    if (type.startsWith("=")) return JSON.stringify(type.slice(1));
    if (type.includes("null") && this.once(3)) return "null";
    if (type.startsWith("number")) return this.#number();
    if (type.startsWith("boolean")) return this.once(2) ? "true" : "false";
    return this.string();
  }

  #number(): string {
    if (this.once(100)) return this.oneOf(BAD_NUMBERS);
    if (this.once(2)) return this.oneOf(NUMBERS);
    if (this.once(10)) return this.oneOf(LONG_NUMBERS);
    // As it is printed: with as many digits as tell it from its neighbours.
    if (this.once(4)) return `${(this.#random() - 0.5) * 10 ** (this.below(100) - 50)}`;
    let digits = `${1 + this.below(9)}`;
    for (let more = this.below(this.once(6) ? 20 : 14); more > 0; more--) digits += this.below(10);
    const point = this.below(digits.length + 1);
    const isFraction = point > 0 && point < digits.length && this.once(2);
    const number = isFraction ? `${digits.slice(0, point)}.${digits.slice(point)}` : digits;
    return `${this.once(4) ? "-" : ""}${number}${this.once(6) ? `e${this.below(50) - 25}` : ""}`;
  }

  #word(): string {
    return this.once(100) ? this.oneOf(BAD_WORDS) : this.oneOf(WORDS);
  }

  #blank(): string {
    return this.once(10) ? this.oneOf(this.once(200) ? BAD_BLANKS : BLANKS) : "";
  }
}
