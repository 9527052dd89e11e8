import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { NUMBER_BYTES_MAX, writeNumber } from "../../../operators/json_encoder/write_number.ts";
import { seededRandom } from "../../../runtime/random.ts";

const bytes = new Uint8Array(1 + NUMBER_BYTES_MAX + 1);

/** What is written at 1, and that nothing is written beyond the room that is asked for. */
function written(value: number): string {
  bytes.fill(0);
  const end = writeNumber(new DataView(bytes.buffer), 1, value);
  assertEquals([bytes.at(0), bytes.at(-1)], [0, 0], `${value}`);
  return new TextDecoder().decode(bytes.subarray(1, end));
}

function assertWritten(value: number): void {
  assertEquals(written(value), JSON.stringify(value));
  assertEquals(written(-value), JSON.stringify(-value));
}

describe("writeNumber()", () => {
  it("writes whole numbers around powers of ten and of two", () => {
    for (let power = 0; power <= 21; power++) {
      for (const offset of [-1, 0, 1]) assertWritten(10 ** power + offset);
    }
    for (let power = 0; power <= 64; power++) {
      for (const offset of [-1, 0, 1]) assertWritten(2 ** power + offset);
    }
  });

  it("writes zeros inside of numbers", () => {
    for (const value of [100_000_000, 100_000_001, 1_000_000_000_007, 9_007_199_200_000_000]) {
      assertWritten(value);
    }
  });

  it("writes -0 as 0 and what is not finite as null", () => {
    assertEquals([-0, NaN, Infinity, -Infinity].map(written), ["0", "null", "null", "null"]);
  });

  it("writes fractions around its borders", () => {
    const borders = [1e-6, 1e-7, 0.1, 0.5, 1, 4.35, 1e9 - 1e-6, 1e9, 123_456_789.123456];
    for (const border of borders) {
      for (const offset of [0, 1e-6, -1e-6, 1e-7, 2 ** -52, 2 ** -30]) {
        assertWritten(border + offset);
      }
    }
    for (const value of [0.1 + 0.2, 1 / 3, 5e-324, Number.MAX_VALUE, 1.5e300, 0.9999999]) {
      assertWritten(value);
    }
  });

  it("writes decimals of every length", () => {
    const random = seededRandom(3);
    for (let round = 0; round < 20_000; round++) {
      const digits = Math.floor(random() * 10 ** (1 + round % 17));
      assertWritten(digits / 10 ** (round % 11));
    }
  });

  it("has room for the longest number", () => {
    assertEquals(written(-0.0000012345678901234567).length, NUMBER_BYTES_MAX);
  });
});
