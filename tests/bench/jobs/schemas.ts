/**
 * What the jobs' records are like, said in the words of several libraries. Only the module of the kind that is asked for
 * is loaded: a library that a job does without should not count as its memory.
 *
 * @module
 */

import type { StandardSchema } from "../../../operators/standard_schema.ts";
import type { SchemaKind } from "../bench_job.ts";

/** A booking, as the booking job keeps it. */
export interface Booking {
  readonly bookingId: string;
  readonly hotelId: string;
  readonly amount: number;
}

/** The schemas of all jobs. */
export interface Schemas {
  /** For the passthrough job. */
  readonly PricedClick: StandardSchema<{
    readonly itemId: string;
    readonly action: string;
    readonly value: number;
  }>;
  /** For the count job. */
  readonly UserClick: StandardSchema<{ readonly userId: string }>;
  readonly Booking: StandardSchema<Booking>;
  readonly BookingEvent: StandardSchema<{ readonly bookingId: string; readonly at: number }>;
}

/** The schemas of one kind. */
export function schemasOf(kind: SchemaKind): Promise<Schemas> {
  switch (kind) {
    case "fields":
      return import("./schemas_fields.ts");
    case "zod":
      return import("./schemas_zod.ts");
    case "zod-strict":
      return import("./schemas_zod_strict.ts");
  }
}
