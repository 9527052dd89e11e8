/**
 * All kinds of schemas take the generated records and give the jobs the same values: else engines would not do the same.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type StandardSchema, validator } from "../../../operators/standard_schema.ts";
import { SCHEMA_KINDS } from "../bench_job.ts";
import { lines } from "../generator.ts";
import { schemasOf } from "./schemas.ts";

const RECORDS = 400;
const clicks = [...lines("clicks", RECORDS, 1)].map((line) => JSON.parse(line));
const details = [...lines("booking", RECORDS, 1)]
  .map((line) => JSON.parse(JSON.parse(line).detail));
const bookings = details.flatMap(({ booking }) => booking === undefined ? [] : [booking]);
const events = details.flatMap(({ event }) => event === undefined ? [] : [event]);

/** What a schema gives, of it the fields that a job uses. */
function accepted<T>(
  schema: StandardSchema<T>,
  values: readonly unknown[],
  fields: (value: T) => unknown,
): unknown[] {
  const validate = validator(schema);
  return values.map((value) => {
    const validation = validate(value);
    return validation.issues === undefined ? fields(validation.value) : validation.issues;
  });
}

describe("schemasOf()", () => {
  for (const kind of SCHEMA_KINDS) {
    it(`takes all generated records, ${kind}`, async () => {
      const { PricedClick, UserClick, Booking, BookingEvent } = await schemasOf(kind);
      const priced = ({ itemId, action, value }: typeof clicks[number]) => [itemId, action, value];
      assertEquals(accepted(PricedClick, clicks, priced), clicks.map(priced));
      assertEquals(
        accepted(UserClick, clicks, (click) => click.userId),
        clicks.map((c) => c.userId),
      );
      const booked = ({ bookingId, hotelId, amount }: typeof bookings[number]) => [
        bookingId,
        hotelId,
        amount,
      ];
      assertEquals(accepted(Booking, bookings, booked), bookings.map(booked));
      const seen = ({ bookingId, at }: typeof events[number]) => [bookingId, at];
      assertEquals(accepted(BookingEvent, events, seen), events.map(seen));
      assertEquals([bookings.length > 50, events.length > 200], [true, true]);
    });
  }
});
