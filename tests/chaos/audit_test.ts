import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Audit } from "./audit.ts";
import { bookingId, type Step } from "./booking_stream.ts";

/** What comes out for booking 0 if all is well. */
const STEPS: readonly Step[] = ["event-1", "booking", "event-2", "event-3"].map((kind, index) => ({
  id: `in@${index}#0`,
  bookingId: bookingId(0),
  hotelId: "hotel-0",
  kind,
  events: [1, 1, 2, 3][index] ?? 0,
  complete: index === 3,
  inHotel: index + 1,
}));

function findings(steps: readonly Step[], bookings = 1): string[] {
  const audit = new Audit();
  for (const step of steps) audit.take(step);
  return audit.findings(bookings).map((finding) => finding.replace(/:.*/, ""));
}

const changed = (row: number, change: Partial<Step>) =>
  STEPS.map((step, index) => index === row ? { ...step, ...change } : step);

describe("Audit", () => {
  it("finds nothing where all is well, repeats with their ids included", () => {
    assertEquals(findings(STEPS), []);
    assertEquals(findings([...changed(3, { complete: false, inHotel: 9 }), ...STEPS.slice(2)]), []);
  });

  it("finds what is lost, doubled, mixed up or counted wrong", () => {
    assertEquals(findings(STEPS, 2).includes("1 bookings lack rows"), true);
    assertEquals(findings(STEPS.slice(0, 3)).includes("1 bookings lack rows"), true);
    const again = { ...STEPS[1] ?? fail(), id: "in@9#0", inHotel: 5 };
    assertEquals(findings([...STEPS, again]), ["1 bookings have repeats with other ids"]);
    assertEquals(findings(changed(3, { complete: false })), [
      "1 bookings not correlated exactly once",
    ]);
    assertEquals(findings(changed(3, { events: 4 })), [
      "1 bookings whose events were counted wrong",
    ]);
    assertEquals(findings(changed(3, { inHotel: 5 })), ["1 hotels counted wrong"]);
    assertEquals(findings(STEPS, 0), ["1 bookings that never went in"]);
    assertEquals(findings([...STEPS, { ...again, id: "in@0#0" }])[0], "1 ids of two rows");
  });
});

function fail(): never {
  throw new Error("No such row");
}
