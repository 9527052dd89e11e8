/**
 * Columns written by hand: what each form means, apart from how it came about.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeColumn } from "../../../runtime/transport/decode_column.ts";
import {
  type EncodedColumn,
  TAG_NULL,
  TAG_UNDEFINED,
} from "../../../runtime/transport/encoded_column.ts";

function block(): ArrayBuffer {
  const buffer = new ArrayBuffer(64);
  new Float64Array(buffer, 0, 3).set([1.5, -0, NaN]);
  new Uint32Array(buffer, 24, 3).set([2, 2, 5]);
  new Uint8Array(buffer, 40, 3).set([1, 0, 1]);
  new Uint8Array(buffer, 48, 3).set([0, TAG_NULL, TAG_UNDEFINED]);
  new Uint8Array(buffer, 56, 5).set([10, 20, 30, 40, 50]);
  return buffer;
}

describe("decodeColumn()", () => {
  it("reads each form", () => {
    const values = [1, "a", null];
    const cases: readonly (readonly [EncodedColumn, readonly unknown[]])[] = [
      [{ kind: "constant", value: "EUR" }, ["EUR", "EUR", "EUR"]],
      [{ kind: "constant", value: undefined }, [undefined, undefined, undefined]],
      [{ kind: "number", at: 0 }, [1.5, -0, NaN]],
      [{ kind: "boolean", at: 40 }, [true, false, true]],
      [{ kind: "text", chunks: ["abcde"], ends: 24 }, ["ab", "", "cde"]],
      [{ kind: "text", chunks: ["ab", "cde"], ends: 24 }, ["ab", "", "cde"]],
      [
        { kind: "bytes", at: 56, ends: 24 },
        [new Uint8Array([10, 20]), new Uint8Array(), new Uint8Array([30, 40, 50])],
      ],
      [{ kind: "optional", tags: 48, column: { kind: "number", at: 0 } }, [1.5, null, undefined]],
      [{ kind: "any", values }, values],
      [{ kind: "nested", columns: { kind: "column", column: { kind: "number", at: 0 } } }, values],
    ];
    for (const [column, expected] of cases) {
      assertEquals(Array.from(decodeColumn(column, 3, block(), () => values)), [...expected]);
    }
  });
});
