/**
 * Numbers with as many digits as a double has, and more: what the decoder reads is what `JSON.parse` reads.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import { RowStatus } from "../../../operators/decoder/decoded_batch.ts";
import { fields } from "../../../operators/fields.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { batchOf } from "./batch_of.ts";

const SOURCE = new URL(
  "../../../operators/decoder/assembly/powers_of_five.ts",
  import.meta.url,
);
/** Powers of ten that are read, up and down. */
const EXPONENT_MAX = 48;

const decoder = ColumnDecoder.of<{ n: number }>(["$"], fields({ n: "number" }));

/** Reads all, and returns how many were left to `JSON.parse`. */
function undecided(numbers: readonly string[]): number {
  const decoded = decoder?.decode(batchOf(numbers.map((number) => `{"n":${number}}`)));
  assert(decoded !== undefined);
  let count = 0;
  for (const [row, number] of numbers.entries()) {
    if (decoded.statusAt(row) === RowStatus.FALLBACK) {
      count++;
      continue;
    }
    const read = decoded.rowAt(row);
    assert(typeof read === "object");
    if (!Object.is(read.n, JSON.parse(number))) assertEquals(read.n, JSON.parse(number), number);
  }
  return count;
}

/** Down to here the inverse of a power of five is rounded up to 128 bits; all others are cut off. */
const ROUNDED_UP_MIN = -27;

/** The first 128 bits of a power of five. */
function powerOfFive(exponent: number): bigint {
  const power = 5n ** BigInt(Math.abs(exponent));
  const bits = BigInt(power.toString(2).length);
  if (exponent >= 0) return (power << 128n) >> bits;
  const inverse = (1n << (bits + 127n)) / power;
  return exponent >= ROUNDED_UP_MIN ? inverse + 1n : inverse;
}

const random = seededRandom(1);

function digits(count: number): string {
  let text = `${1 + Math.floor(random() * 9)}`;
  while (text.length < count) text += Math.floor(random() * 10);
  return text;
}

/** A whole number of `bits` bits. */
function wholeOf(bits: number): bigint {
  let whole = 1n;
  for (let left = bits - 1; left > 0; left--) whole = 2n * whole + (random() < 0.5 ? 1n : 0n);
  return whole;
}

describe("nearestDouble()", () => {
  it("has the powers of five right to the last bit", async () => {
    const text = await Deno.readTextFile(SOURCE);
    const halves = [...text.matchAll(/0x[0-9a-f]{16}/g)].map(([half]) => BigInt(half));
    assertEquals(halves.length, 2 * (2 * EXPONENT_MAX + 1));
    for (let exponent = -EXPONENT_MAX; exponent <= EXPONENT_MAX; exponent++) {
      const at = 2 * (exponent + EXPONENT_MAX);
      const [high = 0n, low = 0n] = halves.slice(at, at + 2);
      assertEquals((high << 64n) | low, powerOfFive(exponent), `5^${exponent}`);
    }
  });

  it("reads up to 19 digits with all exponents", () => {
    for (let exponent = -EXPONENT_MAX; exponent <= EXPONENT_MAX; exponent++) {
      const numbers = Array.from({ length: 500 }, (_, index) => {
        return `${digits(1 + index % 19)}e${exponent}`;
      });
      assertEquals(undecided(numbers), 0);
    }
  });

  it("reads what doubles are printed as", () => {
    const doubles = Array.from({ length: 50_000 }, () => (random() - 0.5) * 10 ** (random() * 18));
    assertEquals(undecided(doubles.map(String)), 0);
  });

  it("tells numbers just between two doubles from those next to them", () => {
    const numbers: string[] = [];
    for (let exponent = -4; exponent <= 23; exponent++) {
      for (let count = 0; count < 200; count++) {
        // An odd number of 54 bits is between two doubles; below 1 it must be a multiple of the power of five.
        const five = 5n ** BigInt(Math.abs(exponent));
        const middle = wholeOf(exponent < 0 ? 54 : Math.max(1, 54 - five.toString(2).length)) | 1n;
        const whole = exponent < 0 ? middle * five : middle;
        for (const near of [whole - 1n, whole, whole + 1n]) {
          if (near.toString().length <= 19) numbers.push(`${near}e${exponent}`);
        }
      }
    }
    for (let count = 0; count < 2000; count++) {
      const middle = wholeOf(54) | 1n;
      for (const near of [middle - 1n, middle, middle + 1n]) numbers.push(`${near * 512n}`);
    }
    assert(numbers.length > 15_000);
    assertEquals(undecided(numbers), 0);
  });

  it("takes both halves of a power where the first one does not suffice", () => {
    const numbers = ["2145095457416074985e-46", "7740826038563447446e-11"]
      .concat("6885080703768964211e48", "3724986540893533747e31", "7411877067360990700e42")
      .concat("7417163659375403222e-14", "6480016171224411019e45", "9191806103404096781e32")
      .concat("4446664472141481548e-38", "8352542495109835480e-44", "3876480797773050560e-1");
    assertEquals(undecided(numbers), 0);
  });

  it("rounds up to the next power of two", () => {
    const numbers = ["0.9999999999999999999", "0.99999999999999999", "3.999999999999999999"]
      .concat("1023.999999999999999", "-0.4999999999999999999");
    assertEquals(undecided(numbers), 0);
  });

  it("leaves what is beyond to JSON.parse", () => {
    const beyond = ["12345678901234567890", "1e49", "1e-49", "1.5e308", "5e-324", "1e400"]
      .concat("0.12345678901234567891");
    assertEquals(undecided(beyond), beyond.length);
    assertEquals(undecided(["0e999", "-0e-99", "0.0000000000000000000000000000001"]), 0);
  });
});

describe("readNumber()", () => {
  it("reads short numbers of all lengths, with and without a sign, decimals and an exponent", () => {
    const numbers: string[] = [];
    for (let whole = 1; whole <= 19; whole++) {
      for (let decimals = 0; decimals <= 19 - whole; decimals++) {
        for (const sign of ["", "-"]) {
          for (const exponent of ["", "e0", "E+3", "e-7"]) {
            const fraction = decimals > 0 ? `.${digits(decimals)}` : "";
            numbers.push(`${sign}${digits(whole)}${fraction}${exponent}`);
            if (decimals > 0) numbers.push(`${sign}0${fraction}${exponent}`);
          }
        }
      }
    }
    assertEquals(undecided(numbers), 0);
    const zeros = ["0", "-0", "0.0", "-0.0", "0.10", "-0.000000000001", "100", "1.0", "10.50"];
    assertEquals(undecided(zeros), 0);
  });

  it("reads none that JSON does not have", () => {
    const wrong = ["01", "-01", "00", "01.5", "1.", ".5", "-", "-.5", "1.e5", "1e", "1e+", "+1"]
      .concat("1.5.5", "1-2", "--1", "0x1", "1_0", "12345678901.2345x", "NaN", "1.5e", "1/2", "1:")
      .concat("123456789012345.", "-e5");
    const decoded = decoder?.decode(batchOf(wrong.map((number) => `{"n":${number}}`)));
    for (const [row, number] of wrong.entries()) {
      assertEquals(decoded?.statusAt(row), RowStatus.FALLBACK, number);
    }
  });
});
