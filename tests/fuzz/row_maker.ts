/**
 * Rows near those that an encoder has code for: mostly plain and alike, and different in the ways in which encoders go
 * wrong.
 *
 * @module
 */

import type { Random } from "../../runtime/random.ts";

/** What rows are like: members in order, each with the names of kinds that its values have, or with members of its own. */
export interface RowPlan {
  readonly members: readonly (readonly [key: string, plan: readonly string[] | RowPlan])[];
}

const KEYS = [
  "a",
  "b",
  "id",
  "at",
  "amount",
  "bookingId",
  "a b",
  "é",
  "😀",
  "1",
  "0",
  '"',
  "\n",
  "",
]
  .concat("constructor", "toString", "size", "\ud800", "key-of-16-bytes-", "key-of-17-bytes-x");
const ODD_KEYS = ["__proto__", "toJSON", "rawJSON", "valueOf", "hasOwnProperty"];
const KINDS = ["string", "string", "number", "number", "boolean", "null", "undefined"];

/** Characters that are written as they are, as escapes of each kind, in two, three and four bytes, and halves of pairs. */
const PIECES = ['"', "\\", "\n", "\b", "\0", "\x1f", " ", "\x7f", "\x80", "é", "\u07ff", "\u0800"]
  .concat("€", "\u2028", "\ud7ff", "\ue000", "\ufeff", "\uffff", "😀", "\u{10ffff}", "\ud83d")
  .concat("\ude00", "\ude00\ud83d", "/", "\t", "\r", "\f");
const NUMBERS = [0, -0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000, 999_999]
  .concat(1e6, 9_999_999, 1e7, 99_999_999, 1e8, 1e8 + 1, 999_999_999, 1e9, 2 ** 31 - 1, 2 ** 31)
  .concat(-(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 1e16, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 1e20, 1e21)
  .concat(0.1, 0.5, 1.005, 0.000001, 0.0000015, 1e-7, 123.456789, 1234.5678901, 999_999_999.999999)
  .concat(1e9 + 0.5, 0.1 + 0.2, 5e-324, Number.MAX_VALUE, NaN, Infinity, 1 / 3, 4.35, 1.999999999);

class Named {
  name = "n";
}

class Answering {
  readonly #answer: unknown;
  name = "n";

  constructor(answer: unknown) {
    this.#answer = answer;
  }

  toJSON(): unknown {
    return this.#answer;
  }
}

/** Makes rows. */
export class RowMaker {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A whole number from 0 up to but without `bound`. */
  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of these. */
  oneOf<T>(items: readonly T[]): T {
    const [item] = items.slice(this.below(items.length));
    if (item === undefined) throw new RangeError("Cannot draw from no items");
    return item;
  }

  plan(depth = 0): RowPlan {
    const keys = new Set(Array.from({ length: this.below(7) }, () => this.oneOf(KEYS)));
    if (this.once(50)) keys.add(this.oneOf(ODD_KEYS));
    const members = [...keys].map((key) => {
      if (depth < 3 && this.once(6)) return [key, this.plan(depth + 1)] as const;
      const kinds = Array.from({ length: this.once(3) ? 3 : 1 }, () => this.oneOf(KINDS));
      return [key, kinds] as const;
    });
    return { members };
  }

  /** A row of this plan, or nearly. */
  row(plan: RowPlan): unknown {
    return this.once(40) ? this.#odd(plan) : this.#object(plan, 100);
  }

  string(): string {
    if (this.once(12)) return this.oneOf(PIECES).repeat(this.below(this.once(9) ? 140 : 9));
    let text = "";
    for (let pieces = this.below(3); pieces > 0; pieces--) {
      // Around what is stored at once, and around where a row has long strings.
      const plain = this.once(10) ? 80 + this.below(32) : this.below(this.once(3) ? 34 : 9);
      text += "x".repeat(plain);
      if (this.once(3)) text += this.oneOf(PIECES);
    }
    return text;
  }

  number(): number {
    const sign = this.once(4) ? -1 : 1;
    if (this.once(3)) return sign * this.oneOf(NUMBERS);
    const size = 10 ** this.below(this.once(5) ? 24 : 14);
    const whole = Math.floor(this.#random() * size);
    switch (this.below(6)) {
      case 0:
        return sign * this.#random() * size;
      case 1:
        return sign * whole / 10 ** this.below(9);
      default:
        return sign * whole;
    }
  }

  /** @param oddness one member in so many is not as planned */
  #object({ members }: RowPlan, oddness: number): Record<string, unknown> {
    const object: Record<string, unknown> = this.once(50) ? Object.create(null) : {};
    const chosen = this.once(oddness) ? members.toReversed() : members;
    for (const [key, plan] of chosen) {
      if (!this.once(oddness)) define(object, key, this.#planned(plan, oddness));
    }
    if (this.once(oddness)) define(object, this.oneOf(KEYS.concat(ODD_KEYS)), this.#any());
    return object;
  }

  #planned(plan: readonly string[] | RowPlan, oddness: number): unknown {
    if (this.once(oddness)) return this.#any();
    if ("members" in plan) return this.#object(plan, oddness);
    switch (this.oneOf(plan)) {
      case "string":
        return this.string();
      case "number":
        return this.number();
      case "boolean":
        return this.once(2);
      case "null":
        return null;
      default:
        return undefined;
    }
  }

  #any(): unknown {
    const scalar = [this.string(), this.number(), this.once(2), null, undefined];
    return this.once(2) ? scalar[this.below(scalar.length)] : this.#odd({ members: [] });
  }

  /**
   * What only `JSON.stringify` knows how to write. Not among it: an array with the prototype of plain objects, which V8 15
   * itself writes as `[]` at one time and as `{}` at another.
   */
  #odd(plan: RowPlan): unknown {
    const object = this.#object(plan, 20);
    const odd: (() => unknown)[] = [
      () => undefined,
      () => null,
      () => this.string(),
      () => this.number(),
      () => this.once(2),
      () => 1n,
      () => Symbol("s"),
      () => () => 1,
      () => [],
      () => [object, undefined, this.string()],
      () => Object.assign([1], object),
      () => new Date(this.below(1e9)),
      () => new Map([[1, 2]]),
      () => Object.assign(new Number(3), object),
      () => new String("s"),
      () => Object.assign(new Named(), object),
      () => Object.assign(new Answering(this.string()), object),
      () => new Answering(undefined),
      () => Object.create(object),
      () => Object.assign(Object.create({ b: 1 }), object),
      () => Object.assign(Object.create({ toJSON: () => "inherited" }), object),
      () => ({ ...object, toJSON: () => ({ own: 1 }) }),
      () => ({ ...object, toJSON: 1 }),
      () => ({ ...object, [Symbol("s")]: 1 }),
      () => Object.defineProperty(object, "hidden", { value: 1, enumerable: false }),
      () => hidingFirst(object),
      () => Object.defineProperty(object, "read", { get: () => "got", enumerable: true }),
      () => ({
        ...object,
        get thrown() {
          throw new RangeError("no value");
        },
      }),
      () => new Proxy(object, {}),
      () => new Proxy(Object.assign([], object), {}),
      () => Reflect.apply(Reflect.get(JSON, "rawJSON"), JSON, ["-0.0"]),
      () => Object.assign(object, { self: object }),
      () => ({ ...object, self: object, again: object }),
      () => Object.freeze(object),
    ];
    return this.oneOf(odd)();
  }
}

/** The object with its first member made one that is not listed. */
function hidingFirst(object: Record<string, unknown>): object {
  const [first = "hidden"] = Object.keys(object);
  return Object.defineProperty(object, first, { enumerable: false });
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  const own = { value, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(object, key, own);
}
