/**
 * Where a text stops being JSON. `JSON.parse` says so only sometimes, and quotes the text when it
 * does not; a dead letter should name the place and keep the payload out of the message.
 *
 * @module
 */

/** The first place at which a text can't go on as JSON (RFC 8259). */
export interface JsonFault {
  /** In UTF-16 code units from 0; the text's length if it ends too early. */
  readonly position: number;
  /** What could have stood there. */
  readonly expected: string;
  /** What stands there: one character, or the text's end. */
  readonly found: string;
}

/**
 * The first fault of a text, or undefined if it is JSON: exactly when `JSON.parse` takes it.
 *
 * @example A comma too many
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jsonFault } from "./json_text.ts";
 * assertEquals(jsonFault("[1,]"), { position: 3, expected: "a value", found: '"]"' });
 * assertEquals(jsonFault("[1]"), undefined);
 * ```
 */
export function jsonFault(text: string): JsonFault | undefined {
  return new JsonScanner(text).fault();
}

/** What may come next between tokens. */
type Next = "value" | "value or ]" | "name" | "name or }" | "colon" | "comma or close" | "end";

const EXPECTED: Readonly<Record<Exclude<Next, "comma or close">, string>> = {
  "value": "a value",
  "value or ]": 'a value or "]"',
  "name": "a name in double quotes",
  "name or }": 'a name in double quotes or "}"',
  "colon": '":"',
  "end": "the end",
};

const LITERALS: Readonly<Record<string, string>> = { t: "true", f: "false", n: "null" };

/**
 * Goes through a text once. The open brackets are a list, not a recursion, so that no text is too
 * deep.
 */
class JsonScanner {
  readonly #text: string;
  readonly #open: ("[" | "{")[] = [];
  #offset = 0;
  #next: Next = "value";

  constructor(text: string) {
    this.#text = text;
  }

  fault(): JsonFault | undefined {
    for (;;) {
      while (" \t\n\r".includes(this.#text[this.#offset] ?? "end")) this.#offset++;
      if (this.#offset === this.#text.length && this.#next === "end") return undefined;
      const expected = this.#token();
      if (expected !== undefined) return this.#faultHere(expected);
    }
  }

  #faultHere(expected: string): JsonFault {
    const position = this.#offset;
    const code = this.#text.codePointAt(position);
    return { position, expected, found: code === undefined ? "the end" : characterText(code) };
  }

  /** Goes past one token. Stops where it fails, and returns what was expected there. */
  #token(): string | undefined {
    const next = this.#next;
    switch (next) {
      case "value or ]":
        return this.#accept("]") ? this.#close() : this.#value(EXPECTED[next]);
      case "value":
        return this.#value(EXPECTED[next]);
      case "name or }":
        return this.#accept("}") ? this.#close() : this.#name(EXPECTED[next]);
      case "name":
        return this.#name(EXPECTED[next]);
      case "colon":
        this.#next = "value";
        return this.#accept(":") ? undefined : EXPECTED[next];
      case "comma or close":
        return this.#commaOrClose();
      case "end":
        return EXPECTED[next];
      default:
        return next satisfies never;
    }
  }

  #value(expected: string): string | undefined {
    const first = this.#text[this.#offset] ?? "";
    if (first === "[" || first === "{") {
      this.#offset++;
      this.#open.push(first);
      this.#next = first === "[" ? "value or ]" : "name or }";
      return undefined;
    }
    this.#next = this.#open.length > 0 ? "comma or close" : "end";
    if (this.#accept('"')) return this.#restOfString();
    if (first === "-" || isDigit(first)) return this.#number();
    const literal = Object.hasOwn(LITERALS, first) ? LITERALS[first] : undefined;
    return literal === undefined ? expected : this.#literal(literal);
  }

  #name(expected: string): string | undefined {
    this.#next = "colon";
    return this.#accept('"') ? this.#restOfString() : expected;
  }

  #commaOrClose(): string | undefined {
    const isArray = this.#open.at(-1) === "[";
    if (this.#accept(",")) {
      this.#next = isArray ? "value" : "name";
      return undefined;
    }
    if (this.#accept(isArray ? "]" : "}")) return this.#close();
    return isArray ? '"," or "]"' : '"," or "}"';
  }

  #close(): undefined {
    this.#open.pop();
    this.#next = this.#open.length > 0 ? "comma or close" : "end";
  }

  #literal(literal: string): string | undefined {
    for (const letter of literal) {
      if (!this.#accept(letter)) return `"${literal}"`;
    }
    return undefined;
  }

  #number(): string | undefined {
    this.#accept("-");
    if (!this.#accept("0") && !this.#digits()) return "a digit";
    if (this.#accept(".") && !this.#digits()) return "a digit";
    if (!this.#accept("e") && !this.#accept("E")) return undefined;
    if (!this.#accept("+")) this.#accept("-");
    return this.#digits() ? undefined : "a digit";
  }

  #digits(): boolean {
    const start = this.#offset;
    while (isDigit(this.#text[this.#offset] ?? "")) this.#offset++;
    return this.#offset > start;
  }

  #restOfString(): string | undefined {
    while (this.#offset < this.#text.length) {
      if (this.#accept('"')) return undefined;
      if (this.#text.charCodeAt(this.#offset) < 0x20) return "an escape for a control character";
      if (!this.#accept("\\")) this.#offset++;
      else if (this.#accept("u")) {
        for (let digit = 0; digit < 4; digit++) {
          if (!/^[0-9A-Fa-f]$/.test(this.#text[this.#offset] ?? "")) return "a hexadecimal digit";
          this.#offset++;
        }
      } else if (!'"\\/bfnrt'.includes(this.#text[this.#offset] ?? "end")) {
        return 'one of " \\ / b f n r t u after a backslash';
      } else this.#offset++;
    }
    return 'the closing "';
  }

  #accept(character: string): boolean {
    if (this.#text[this.#offset] !== character) return false;
    this.#offset++;
    return true;
  }
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

/** Printable ASCII as it is, the rest by its number: a byte order mark, say, can't be seen. */
function characterText(code: number): string {
  if (code > 0x20 && code < 0x7f) return `"${String.fromCodePoint(code)}"`;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
