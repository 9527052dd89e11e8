/**
 * A job's test, as users write theirs: the real engine in this thread, on streams that hold what the test says, in
 * virtual time. Nothing is started, nothing waits, and the same seed gives the same run.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runJob, simulatedStream } from "../../mod.ts";
import job from "./job.ts";

/** A record as applications put it: the booking or the event as a JSON text in `detail`. */
function record(partitionKey: string, detail: object) {
  return { partitionKey, data: { source: "test", detail: JSON.stringify(detail) } };
}

function booking(bookingId: string) {
  return record(bookingId, {
    booking: { bookingId, hotelId: "h-1", amount: 120, createdAt: 1000 },
  });
}

function event(bookingId: string, type: string, at: number) {
  return record(bookingId, { event: { bookingId, type, amount: 10, at } });
}

const complete = (bookingId: string, completedAt: number) => ({
  bookingId,
  hotelId: "h-1",
  amount: 120,
  events: 3,
  completedAt,
});

describe("booking-correlation", () => {
  it("emits a booking when three of its events have come, with the time of the latest", async () => {
    const run = await runJob(job, {
      bookings: simulatedStream({ shards: 2, records: [booking("a"), booking("b")] }),
      events: simulatedStream({
        shards: 2,
        records: [
          event("a", "paid", 3000),
          event("b", "paid", 2000),
          event("a", "confirmed", 2500),
          event("a", "guaranteed", 2700),
          event("b", "confirmed", 4000),
        ],
      }),
    });
    assertEquals(run.output("correlated"), [complete("a", 3000)]);
    assertEquals(run.deadLetters, []);
  });

  it("does so whatever comes first, and on however many workers", async () => {
    const ids = Array.from({ length: 40 }, (_, number) => `b-${number}`);
    const types = ["paid", "confirmed", "guaranteed"];
    for (let seed = 1; seed <= 5; seed++) {
      const run = await runJob(job, {
        bookings: simulatedStream({ shards: 3, records: ids.map(booking) }),
        events: simulatedStream({
          shards: 2,
          records: types.flatMap((type, index) => ids.map((id) => event(id, type, 2000 + index))),
          reshard: [{ split: 0, after: 50 }],
        }),
      }, { workers: seed, seed });
      const correlated = run.output("correlated").toSorted((one, other) =>
        ids.indexOf(one.bookingId) - ids.indexOf(other.bookingId)
      );
      assertEquals(correlated, ids.map((id) => complete(id, 2002)));
    }
  });

  it("forgets a booking that is complete: later events start anew", async () => {
    const types = ["paid", "confirmed", "guaranteed", "paid", "confirmed", "guaranteed"];
    const run = await runJob(job, {
      bookings: simulatedStream({ shards: 1, records: [booking("a")] }),
      events: simulatedStream({
        shards: 1,
        records: types.map((type, index) => event("a", type, 2000 + index)),
      }),
    });
    assertEquals(run.output("correlated").length, 1);
  });

  it("keeps what is no booking as a dead letter, with the reason", async () => {
    const run = await runJob(job, {
      bookings: simulatedStream({
        shards: 1,
        records: [record("x", { booking: { bookingId: "x", amount: "much" } }), booking("a")],
      }),
      events: simulatedStream({
        shards: 1,
        records: ["paid", "confirmed", "guaranteed"].map((type) => event("a", type, 2000)),
      }),
    });
    assertEquals(run.output("correlated"), [complete("a", 2000)]);
    assertEquals(run.deadLetters.length, 1);
    assertStringIncludes(run.deadLetters[0]?.reason ?? "", "hotelId");
  });
});
