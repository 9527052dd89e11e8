/**
 * Rows from columns, by generated code and without: the same.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import { compileProgram } from "../../../operators/decoder/program.ts";
import { rowConstructor } from "../../../operators/decoder/row_constructor.ts";
import { fields, fieldsRule } from "../../../operators/fields.ts";
import { batchOf } from "./batch_of.ts";

const Row = fields({
  2: "number",
  "a-b": "boolean|null?",
  ["__proto__"]: { n: "number|null", s: "string", in: { kind: "=x\u2028" } },
  1: "string|null?",
});

describe("rowConstructor()", () => {
  it("makes the same rows with and without generated code", () => {
    const rule = fieldsRule(Row);
    const program = rule && compileProgram(["$"], rule);
    const inner = '"__proto__":{"n":null,"s":"é","in":{"kind":"x\u2028"}}';
    const decoded = ColumnDecoder.of(["$"], Row)?.decode(batchOf([
      `{"2":-0,${inner}}`,
      `{"2":5,"a-b":true,"1":"one",${inner.replace("null", "7")}}`,
      `{"2":5,"a-b":null,"1":null,${inner}}`,
      `{"2":5,"a-b":false,"1":"",${inner}}`,
    ]));
    if (program === undefined || decoded === undefined) throw new TypeError("No program");
    const generated = rowConstructor(program.fields, { generates: true });
    const plain = rowConstructor(program.fields, { generates: false });
    const names = ["1", "2", "a-b", "__proto__"];
    for (let row = 0; row < 4; row++) {
      const rows = [generated, plain].map((construct) => Object(construct(decoded.columns, row)));
      assertEquals(Object.keys(rows[0]), names);
      assertEquals(rows.map((made) => Object.getPrototypeOf(made)), [
        Object.prototype,
        Object.prototype,
      ]);
      assertEquals(Object.entries(rows[0]), Object.entries(rows[1]));
    }
    assertEquals(Object(decoded.rowAt(1))["a-b"], true);
    assertEquals(Object(decoded.rowAt(0))[2], -0);
  });
});
