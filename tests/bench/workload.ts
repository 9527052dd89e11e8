/**
 * The jobs that every engine runs. Bytes in, bytes out: JSON lines as a stream would carry them, parsed, processed and
 * written as JSON. Nothing is late and no output depends on scheduling, so every engine must write the same lines:
 *
 * - `passthrough`, over clicks: where `action` is `"buy"` (one in ten), `{"itemId","value"}`. No keys.
 * - `count`, over clicks: a running count per `userId`; each tenth of a user gives `{"userId","count"}`.
 * - `booking`: bookings and events, both keyed by `bookingId` and connected. Each line holds its payload as JSON text
 *   in `detail`. A booking with three events, in any order, gives
 *   `{"bookingId","hotelId","amount","events":3,"completedAt"}`, the last being the latest `at`; its state is dropped.
 *
 * @module
 */

/** All jobs, in the order in which they are run. */
export const WORKLOADS = ["passthrough", "count", "booking"] as const;

/** The name of a job. */
export type Workload = (typeof WORKLOADS)[number];

/** The name of a generated file, without `.ndjson`. */
export type InputName = "booking" | "clicks";

/** Which file a job reads. */
export const INPUT_OF: Readonly<Record<Workload, InputName>> = {
  passthrough: "clicks",
  count: "clicks",
  booking: "booking",
};

/** How often a run replays its file when nobody says: five to ten seconds of a plain loop over a million records. */
export const PASSES_DEFAULT: Readonly<Record<Workload, number>> = {
  passthrough: 8,
  count: 5,
  booking: 3,
};

/** A line of `clicks.ndjson`, as far as the jobs look at it. */
export interface Click {
  readonly userId: string;
  readonly itemId: string;
  readonly action: string;
  readonly value: number;
}

/** A line of `booking.ndjson`; `detail` is the JSON text of a {@linkcode BookingDetail}. */
export interface BookingLine {
  readonly detail: string;
}

/** What is inside a booking line: one of the two. */
export interface BookingDetail {
  readonly booking?: {
    readonly bookingId: string;
    readonly hotelId: string;
    readonly amount: number;
  };
  readonly event?: { readonly bookingId: string; readonly at: number };
}
