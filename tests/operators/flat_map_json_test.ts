/**
 * Records in, typed values out: what is emitted, what is refused with which reason, and what stays
 * whole beside it.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type RawRecord } from "../../connectors/raw_record.ts";
import { type OperatorFunction, Subject } from "../../deps.ts";
import {
  flatMapJson,
  type FlatMapJsonOptions,
  type FlatMapJsonPath,
  FOUND_CHARS_MAX,
  type InvalidRecord,
} from "../../operators/flat_map_json.ts";
import { stepOf } from "../../operators/fused.ts";
import type { StandardSchema } from "../../operators/standard_schema.ts";
import { arktype, v, z } from "../deps.ts";

type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true
  : false;
/** Compiles if both types are the same one. */
function sameType<A, B>(_same: Equal<A, B>): void {}

const Booking = z.object({ bookingId: z.string(), amount: z.number() });
type Booking = z.infer<typeof Booking>;
const a: Booking = { bookingId: "a", amount: 1 };
const b: Booking = { bookingId: "b", amount: 2 };

function record(payload: string | Uint8Array): RawRecord {
  const data = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return { data, partitionKey: "p", sequenceNumber: "1", approximateArrival: 0, shardId: "s" };
}

/** Runs an operator as the engine does. */
function run<T>(
  path: FlatMapJsonPath,
  schema: StandardSchema<T>,
  input: RawRecord | string,
  options?: FlatMapJsonOptions,
): { emitted: T[]; refused: InvalidRecord[] } {
  const step = stepOf(flatMapJson(path, schema, options));
  assert(step !== undefined);
  const emitted: T[] = [];
  const refused: InvalidRecord[] = [];
  step(
    typeof input === "string" ? record(input) : input,
    (value) => emitted.push(value),
    { refuse: (value, reason) => refused.push({ value, reason }) },
  );
  return { emitted, refused };
}

describe("flatMapJson()", () => {
  it("emits each node that the path selects, in order", () => {
    const text = JSON.stringify({ bookings: [a, b, a] });
    assertEquals(run("$.bookings[*]", Booking, text), { emitted: [a, b, a], refused: [] });
    assertEquals(run("$", Booking, JSON.stringify(a)), { emitted: [a], refused: [] });
  });

  it("emits what the schema gives, not what it was given", () => {
    const schema = z.object({ amount: z.number().transform((amount) => amount * 2) });
    assertEquals(run("$", schema, '{"amount":4,"more":1}').emitted, [{ amount: 8 }]);
  });

  it("emits nothing and refuses nothing where a path selects nothing", () => {
    const nothing = { emitted: [], refused: [] };
    assertEquals(run("$.booking", Booking, "{}"), nothing);
    assertEquals(run("$.bookings[*]", Booking, '{"bookings":[]}'), nothing);
    assertEquals(run(["$.detail", "$.booking"], Booking, "{}"), nothing);
    assertEquals(run(["$.detail", "$.booking"], Booking, '{"detail":"{}"}'), nothing);
    assertEquals(run("$.constructor", Booking, "{}"), nothing);
  });

  it("parses JSON in JSON, as deep as there are paths", () => {
    const once = JSON.stringify({ booking: a });
    const text = JSON.stringify({ detail: once });
    assertEquals(run(["$.detail", "$.booking"], Booking, text), { emitted: [a], refused: [] });
    const list = JSON.stringify({
      texts: [text, JSON.stringify({ detail: JSON.stringify({ booking: b }) })],
    });
    assertEquals(run(["$.texts[*]", "$.detail", "$.booking"], Booking, list).emitted, [a, b]);
    assertEquals(run(["$"], Booking, JSON.stringify(a)).emitted, [a]);
  });

  it("has the schema's type, whatever its library", () => {
    const zod = flatMapJson("$", Booking);
    const valibot = flatMapJson("$", v.object({ kind: v.literal("PAID"), at: v.number() }));
    const ark = flatMapJson(["$.a", "$.b"], arktype({ a: "string" }));
    sameType<typeof zod, OperatorFunction<RawRecord, { bookingId: string; amount: number }>>(true);
    sameType<typeof valibot, OperatorFunction<RawRecord, { kind: "PAID"; at: number }>>(true);
    sameType<typeof ark, OperatorFunction<RawRecord, { a: string }>>(true);
    // @ts-expect-error at least one path
    assertThrows(() => flatMapJson([], Booking), RangeError, "at least one");
    // @ts-expect-error no such choice
    assertThrows(() => flatMapJson("$", Booking, { onInvalid: "ignore" }), RangeError, '"ignore"');
  });

  it("finds mistakes in paths and schemas before the first record", () => {
    assertThrows(() => flatMapJson("$.a[", Booking), SyntaxError, "Cannot compile JSON path");
    assertThrows(() => flatMapJson(["$.a", "b"], Booking), SyntaxError, 'JSON path "b"');
    const none: unknown[] = ["$", {}];
    assertThrows(() => Reflect.apply(flatMapJson, undefined, none), TypeError, "Standard Schema");
  });
});

describe("flatMapJson() with invalid data", () => {
  /** Bytes, path, reason: one refusal of the whole record each. */
  const BAD_TEXTS: readonly (readonly [payload: string | Uint8Array, reason: string])[] = [
    [
      new Uint8Array([0x22, 0xc3, 0x28, 0x22]),
      "Cannot parse the record's payload: expected UTF-8, found 4 bytes that are not",
    ],
    [
      "",
      "Cannot parse the record's payload as JSON: expected a value at position 0, found the end",
    ],
    [
      '\ufeff{"bookingId":"a","amount":1}',
      "Cannot parse the record's payload as JSON: expected a value at position 0, found U+FEFF",
    ],
    [
      '{"amount":1,}',
      'Cannot parse the record\'s payload as JSON: expected a name in double quotes at position 12, found "}"',
    ],
  ];
  for (const [payload, reason] of BAD_TEXTS) {
    it(`refuses the record once: ${reason}`, () => {
      const input = record(payload);
      const { emitted, refused } = run("$..*", Booking, input);
      assertEquals(emitted, []);
      assertEquals(refused.length, 1);
      assertEquals(refused[0]?.reason, reason);
      assert(refused[0]?.value === input);
    });
  }

  it("refuses a bad node with its value, and emits its siblings", () => {
    const bad = { bookingId: 7, amount: "x" };
    const { emitted, refused } = run(
      "$.bookings[*]",
      Booking,
      JSON.stringify({ bookings: [a, bad, 5, b] }),
    );
    assertEquals(emitted, [a, b]);
    assertEquals(refused.map(({ value }) => value), [bad, 5]);
    const [first, second] = refused.map(({ reason }) => reason);
    assertStringIncludes(first ?? "", "Cannot accept an object at $.bookings[*]: $.bookingId: ");
    assertStringIncludes(first ?? "", "; $.amount: ");
    assertStringIncludes(second ?? "", "Cannot accept 5 at $.bookings[*]: $: ");
  });

  it("refuses what should hold a JSON text and is no string", () => {
    const { emitted, refused } = run(
      ["$.details[*]", "$.booking"],
      Booking,
      JSON.stringify({ details: [{ booking: a }, [1, 2], null, JSON.stringify({ booking: b })] }),
    );
    assertEquals(emitted, [b]);
    const reason =
      "Cannot parse the text at $.details[*]: expected a string that holds a JSON text, found";
    assertEquals(refused, [
      { value: { booking: a }, reason: `${reason} an object` },
      { value: [1, 2], reason: `${reason} an array of 2` },
      { value: null, reason: `${reason} null` },
    ]);
  });

  it("refuses a string that holds no JSON text, with that string", () => {
    const text = JSON.stringify({ details: ['{"booking":', JSON.stringify({ booking: b })] });
    assertEquals(run(["$.details[*]", "$.booking"], Booking, text), {
      emitted: [b],
      refused: [{
        value: '{"booking":',
        reason:
          "Cannot parse the text at $.details[*] as JSON: expected a value at position 11, found the end",
      }],
    });
  });

  it("names the whole way to a node", () => {
    const text = JSON.stringify({ detail: JSON.stringify({ booking: {} }) });
    const { refused } = run(["$.detail", "$.booking"], Booking, text);
    assertStringIncludes(refused[0]?.reason ?? "", "at $.detail > $.booking: $.bookingId: ");
    const deeper = run(["$.detail", "$.booking", "$.x"], Booking, text);
    assertStringIncludes(deeper.refused[0]?.reason ?? "", "the text at $.detail > $.booking: ");
  });

  it("quotes little of the payload", () => {
    const secret = `${"x".repeat(FOUND_CHARS_MAX)}y`.repeat(1000);
    const { refused } = run("$", Booking, JSON.stringify(secret));
    const reason = refused[0]?.reason ?? "";
    assertStringIncludes(reason, `the string "${"x".repeat(FOUND_CHARS_MAX)}…"`);
    assert(!reason.includes("y".repeat(1) + "x".repeat(3)), reason);
    const broken = run("$", Booking, `"${secret}`).refused[0]?.reason ?? "";
    assert(!broken.includes("xx"), broken);
  });

  it('drops in silence when asked to with "drop"', () => {
    const options = { onInvalid: "drop" } as const;
    assertEquals(run("$", Booking, "not JSON", options), { emitted: [], refused: [] });
    assertEquals(run("$", Booking, record(new Uint8Array([0xff])), options).refused, []);
    const text = JSON.stringify([a, 1, b]);
    assertEquals(run("$[*]", Booking, text, options), { emitted: [a, b], refused: [] });
    assertEquals(run(["$", "$"], Booking, "1", options), { emitted: [], refused: [] });
  });

  it('throws the first with "throw": a SyntaxError for text, a TypeError for the rest', () => {
    const options = { onInvalid: "throw" } as const;
    const fails = (path: FlatMapJsonPath, input: RawRecord | string) => () =>
      run(path, Booking, input, options);
    assertThrows(fails("$", "{"), SyntaxError, "position 1");
    assertThrows(fails("$", record(new Uint8Array([0xff]))), SyntaxError, "UTF-8");
    assertThrows(fails(["$", "$"], '"{"'), SyntaxError, "the text at $ as JSON");
    assertThrows(fails(["$", "$"], "1"), TypeError, "found 1");
    assertThrows(fails("$", "1"), TypeError, "Cannot accept 1 at $: ");
    assertEquals(run("$", Booking, JSON.stringify(a), options).emitted, [a]);
  });

  it("takes no error of anybody else for invalid data", () => {
    for (const onInvalid of ["deadLetter", "drop"] as const) {
      const step = stepOf(flatMapJson(["$", "$"], Booking, { onInvalid }));
      const text = JSON.stringify(JSON.stringify(a));
      const refuse = () => {
        throw new Error("refused");
      };
      for (const error of [new SyntaxError("downstream"), new TypeError("downstream")]) {
        const emit = () => {
          throw error;
        };
        assertThrows(() => step?.(record(text), emit, { refuse }), Error, "downstream");
      }
      const asynchronous = z.string().refine(() => Promise.resolve(true));
      assertThrows(() => run("$", asynchronous, '"a"', { onInvalid }), TypeError, "asynchronous");
    }
  });
});

describe("flatMapJson() in a pipe", () => {
  it("is an RxJS operator, whose stream errors on invalid data", () => {
    const records = new Subject<RawRecord>();
    const emitted: Booking[] = [];
    const errors: unknown[] = [];
    records.pipe(flatMapJson("$[*]", Booking)).subscribe({
      next: (value) => emitted.push(value),
      error: (error) => errors.push(error),
    });
    records.next(record(JSON.stringify([a, b])));
    assertEquals([emitted, errors], [[a, b], []]);
    records.next(record("[1]"));
    assertEquals(emitted, [a, b]);
    assert(errors[0] instanceof TypeError);
    assertStringIncludes(errors[0].message, "Cannot accept 1 at $[*]");
  });
});
