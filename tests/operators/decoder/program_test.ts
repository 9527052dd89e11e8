/**
 * What compiles to a program, and where a program's columns are.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  compileProgram,
  PROGRAM_BYTES_MAX,
  PROGRAM_COLUMNS_MAX,
  PROGRAM_LEVELS_MAX,
  PROGRAM_STEPS_MAX,
} from "../../../operators/decoder/program.ts";
import { type FieldType, objectRule } from "../../../operators/field_rule.ts";

const rule = objectRule({ id: "string" });

describe("compileProgram()", () => {
  it("gives each field a column of its kind", () => {
    const program = compileProgram(
      ["$"],
      objectRule({ a: "number", b: "string?", c: { d: "number|null", e: "boolean" }, f: "=x" }),
    );
    assertEquals(program?.fields.members, [
      { name: "a", column: { kind: "number", cells: 0, values: 0, mayBeAbsent: false } },
      { name: "b", column: { kind: "string", cells: 1, values: 0, mayBeAbsent: true } },
      {
        name: "c",
        column: {
          kind: "object",
          members: [
            { name: "d", column: { kind: "number", cells: 2, values: 1, mayBeAbsent: true } },
            { name: "e", column: { kind: "boolean", cells: 3, values: 0, mayBeAbsent: false } },
          ],
        },
      },
      { name: "f", column: { kind: "literal", value: "x" } },
    ]);
    assertEquals(
      [program?.cellColumns, program?.numberColumns, program?.stringColumns, program?.levels],
      [4, 2, 1, 1],
    );
  });

  it("stays within its bounds", () => {
    const steps = (count: number) => [`$${".a".repeat(count)}`];
    assert(compileProgram(steps(PROGRAM_STEPS_MAX), rule) !== undefined);
    assertEquals(compileProgram(steps(PROGRAM_STEPS_MAX + 1), rule), undefined);
    const levels = (count: number) => Array<string>(count).fill("$.a");
    assert(compileProgram(levels(PROGRAM_LEVELS_MAX), rule) !== undefined);
    assertEquals(compileProgram(levels(PROGRAM_LEVELS_MAX + 1), rule), undefined);
    assertEquals(compileProgram([], rule), undefined);
    const members = (count: number): Record<string, FieldType> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, "number"]));
    const columns = (count: number) =>
      objectRule({
        a: members(60),
        b: members(60),
        c: members(60),
        d: members(60),
        e: members(count),
      });
    assert(compileProgram(["$"], columns(PROGRAM_COLUMNS_MAX - 240)) !== undefined);
    assertEquals(compileProgram(["$"], columns(PROGRAM_COLUMNS_MAX - 239)), undefined);
    assertEquals(compileProgram([`$["${"x".repeat(PROGRAM_BYTES_MAX)}"]`], rule), undefined);
    assertEquals(compileProgram(["$[2147483648]"], rule), undefined);
  });

  it("tells paths that are none", () => {
    assertThrows(() => compileProgram(["$.a", "b"], rule), SyntaxError, '"b"');
  });
});
