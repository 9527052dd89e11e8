import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { is } from "../../operators/is.ts";

type Event = { kind: "PAID"; amount: number } | { kind: "CANCELLED"; reason: string };

const events: readonly Event[] = [
  { kind: "PAID", amount: 5 },
  { kind: "CANCELLED", reason: "late" },
  { kind: "PAID", amount: 7 },
];

describe("is()", () => {
  it("keeps the variants with the value, and narrows their type", () => {
    const amounts: number[] = events.filter(is("kind", "PAID")).map((paid) => paid.amount);
    const reasons: string[] = events.filter(is("kind", "CANCELLED")).map((cancelled) =>
      cancelled.reason
    );
    assertEquals([amounts, reasons], [[5, 7], ["late"]]);
  });

  it("narrows to nothing for a value that no variant has", () => {
    const refunds: readonly never[] = events.filter(is("kind", "REFUNDED"));
    assertEquals(refunds, []);
  });
});
