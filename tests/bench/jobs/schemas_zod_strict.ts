/**
 * The jobs' schemas by zod's strict objects, which name every field and refuse any other. No fields can be picked out of
 * a record for such a schema: it is parsed whole.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";

const Click = z.strictObject({
  userId: z.string(),
  itemId: z.string(),
  action: z.string(),
  ts: z.number(),
  value: z.number(),
  session: z.string(),
  device: z.string(),
  country: z.string(),
  page: z.string(),
  agent: z.string(),
});

/** A click. */
export const PricedClick = Click;
/** A click. */
export const UserClick = Click;
/** A booking. */
export const Booking = z.strictObject({
  bookingId: z.string(),
  hotelId: z.string(),
  amount: z.number(),
  createdAt: z.number(),
});
/** An event of a booking. */
export const BookingEvent = z.strictObject({
  bookingId: z.string(),
  type: z.string(),
  at: z.number(),
  amount: z.number(),
});
