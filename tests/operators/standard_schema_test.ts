/**
 * Standard Schema: three libraries through the same function, with their types; what is refused;
 * issues in words.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type Issue,
  ISSUE_CHARS_MAX,
  ISSUES_DESCRIBED_MAX,
  issuesText,
  type OutputOf,
  type StandardSchema,
  type Validation,
  validator,
} from "../../operators/standard_schema.ts";
import { arktype, v, z } from "../deps.ts";

type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true
  : false;
/** Compiles if both types are the same one. */
function sameType<A, B>(_same: Equal<A, B>): void {}

interface Booking {
  id: string;
  amount: number;
  note?: string | undefined;
}
const zodBooking = z.object({ id: z.string(), amount: z.number(), note: z.string().optional() });
const valibotBooking = v.object({
  id: v.string(),
  amount: v.number(),
  note: v.optional(v.string()),
});
const arktypeBooking = arktype({ id: "string", amount: "number", "note?": "string | undefined" });

/** A schema written by hand that answers what the test says. */
function answering<Out>(
  answer: () => Validation<Out> | Promise<Validation<Out>>,
): StandardSchema<Out> {
  return { "~standard": { version: 1, vendor: "test", validate: answer } };
}

describe("validator()", () => {
  const schemas: readonly (readonly [string, StandardSchema<Booking>])[] = [
    ["zod", zodBooking],
    ["valibot", valibotBooking],
    ["arktype", arktypeBooking],
  ];
  for (const [library, schema] of schemas) {
    it(`gives what a schema of ${library} accepts`, () => {
      const validation = validator(schema)({ id: "a", amount: 1 });
      assert(!validation.issues);
      assertEquals(validation.value, { id: "a", amount: 1 });
    });

    it(`gives the issues of a schema of ${library}, with their paths`, () => {
      const { issues } = validator(schema)({ id: "a", amount: "1" });
      assert(issues);
      assertEquals(issues.length, 1);
      const text = issuesText(issues);
      assertEquals(text.slice(0, 10), "$.amount: ");
      assert(text.length > 15, text);
    });
  }

  it("gives the output of transforms and has its type", () => {
    const schema = z.object({ at: z.string().transform((text) => text.length) });
    const validate = validator(schema);
    sameType<typeof validate, (value: unknown) => Validation<{ at: number }>>(true);
    assertEquals(validate({ at: "abc" }), { value: { at: 3 } });
  });

  it("infers the output types of all three libraries", () => {
    sameType<OutputOf<typeof zodBooking>, Booking>(true);
    sameType<OutputOf<typeof valibotBooking>, z.infer<typeof zodBooking>>(true);
    sameType<OutputOf<typeof arktypeBooking>["amount"], number>(true);
    sameType<OutputOf<string>, never>(true);
    // @ts-expect-error a schema of something else
    const wrong: StandardSchema<string> = zodBooking;
    assertEquals(wrong === undefined, false);
  });

  it("refuses what does not speak Standard Schema, version 1", () => {
    const others: readonly (readonly [unknown, string])[] = [
      [undefined, "a value of type undefined"],
      [null, "Cannot validate with null"],
      ["schema", "a value of type string"],
      [{}, "found none"],
      [() => true, "a value of type function"],
      [
        { "~standard": { version: 2, vendor: "x", validate: () => ({ value: 1 }) } },
        "found version 2",
      ],
      [{ "~standard": { version: 1, vendor: "x" } }, "expected a schema"],
    ];
    for (const [other, message] of others) {
      // As a job in JavaScript would call it.
      assertThrows(() => Reflect.apply(validator, undefined, [other]), TypeError, message);
    }
  });

  it("throws at once for a schema that is asynchronous", () => {
    const schema = z.object({ id: z.string().refine((id) => Promise.resolve(id !== "")) });
    assertThrows(
      () => validator(schema)({ id: "a" }),
      TypeError,
      "Cannot validate with a schema of zod: it is asynchronous",
    );
  });

  it("leaves no unhandled rejection behind an asynchronous schema", async () => {
    const validate = validator(answering<string>(() => Promise.reject(new Error("later"))));
    assertThrows(() => validate("a"), TypeError, "asynchronous");
    await Promise.resolve();
  });

  it("lets through what a schema throws", () => {
    const validate = validator(answering<string>(() => {
      throw new RangeError("broken schema");
    }));
    assertThrows(() => validate("a"), RangeError, "broken schema");
  });

  it("reads a schema's properties once and calls validate as their method", () => {
    let reads = 0;
    const standard = {
      version: 1 as const,
      vendor: "test",
      prefix: "is ",
      validate(this: void | { prefix: string }, value: unknown): Validation<string> {
        return { value: `${this?.prefix}${value}` };
      },
    };
    const validate = validator<string>({
      get "~standard"() {
        reads++;
        return standard;
      },
    });
    const before = reads;
    assertEquals([validate(1), validate(2)], [{ value: "is 1" }, { value: "is 2" }]);
    assertEquals(reads, before);
  });
});

describe("issuesText()", () => {
  it("writes paths as JSON paths, with wrapped keys and odd names", () => {
    const issues: Issue[] = [
      { message: "one", path: ["a", 0, { key: "b" }] },
      { message: "two", path: ["c d", "0", ""] },
      { message: "three", path: [Symbol("s")] },
      { message: "four", path: [] },
      { message: "five" },
    ];
    assertEquals(
      issuesText(issues),
      '$.a[0].b: one; $["c d"]["0"][""]: two; $["Symbol(s)"]: three; $: four; $: five',
    );
  });

  it("counts the issues beyond the bound", () => {
    const issues = Array.from({ length: ISSUES_DESCRIBED_MAX + 2 }, () => ({ message: "x" }));
    assertEquals(issuesText(issues), `${"$: x; ".repeat(ISSUES_DESCRIBED_MAX)}and 2 more`);
    assertEquals(issuesText(issues.slice(2)), "$: x; ".repeat(ISSUES_DESCRIBED_MAX).slice(0, -2));
  });

  it("bounds each issue and keeps it on one line", () => {
    assertEquals(issuesText([{ message: "a\nb" }]), "$: a b");
    const text = issuesText([{ message: "x".repeat(10_000), path: ["y".repeat(10_000)] }]);
    assertEquals(text.length, ISSUE_CHARS_MAX + 1);
  });

  it("says so when there is no reason", () => {
    assertEquals(issuesText([]), "$: the schema gives no reason");
  });
});
