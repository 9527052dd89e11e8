/**
 * The jobs' schemas by zod, with the fields that the jobs use: others are ignored.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";

/** A click, as far as the passthrough job looks at it. */
export const PricedClick = z.object({ itemId: z.string(), action: z.string(), value: z.number() });
/** A click, as far as the count job looks at it. */
export const UserClick = z.object({ userId: z.string() });
/** A booking. */
export const Booking = z.object({
  bookingId: z.string(),
  hotelId: z.string(),
  amount: z.number(),
});
/** An event of a booking. */
export const BookingEvent = z.object({ bookingId: z.string(), at: z.number() });
