/**
 * The jobs' schemas by Penstock's own `fields()`.
 *
 * @module
 */

import { fields } from "../../../mod.ts";

/** A click, as far as the passthrough job looks at it. */
export const PricedClick = fields({ itemId: "string", action: "string", value: "number" });
/** A click, as far as the count job looks at it. */
export const UserClick = fields({ userId: "string" });
/** A booking. */
export const Booking = fields({ bookingId: "string", hotelId: "string", amount: "number" });
/** An event of a booking. */
export const BookingEvent = fields({ bookingId: "string", at: "number" });
