/**
 * The jobs as an RxJS user writes them by hand: one pipe a job, `groupBy` for keys, an inner observable per key. What
 * such a pipe costs is what an engine that runs the same words has to save.
 *
 * @module
 */

import { filter, groupBy, map, mergeMap, Observable, scan, skip, toArray } from "../deps.ts";
import type { EngineRun } from "../engine.ts";
import { rowTexts } from "../input.ts";
import type { BookingDetail, BookingLine, Click } from "../workload.ts";

const BATCH_RECORDS = 500;
/** A booking and its events: the group is over when it has seen so many records. */
const BOOKING_RECORDS = 4;

/** Runs a workload as one pipe. */
export function rxjs(run: EngineRun): Promise<void> {
  return new Promise((resolve, reject) => {
    jobOf(run).subscribe({
      next: (output) => run.sum.add(JSON.stringify(output)),
      error: reject,
      complete: resolve,
    });
  });
}

function jobOf(run: EngineRun): Observable<unknown> {
  switch (run.workload) {
    case "passthrough":
      return passthrough(records(run));
    case "count":
      return count(records(run));
    case "booking":
      return booking(records(run));
  }
}

/** All records as text, pass after pass. */
function records({ input, passes, meter }: EngineRun): Observable<string> {
  return new Observable((subscriber) => {
    const texts: string[] = new Array(BATCH_RECORDS).fill("");
    let handled = 0;
    for (let pass = 0; pass < passes; pass++) {
      for (let from = 0; from < input.records && !subscriber.closed; from += BATCH_RECORDS) {
        const to = Math.min(from + BATCH_RECORDS, input.records);
        rowTexts(input, from, to, texts);
        for (let row = 0; row < to - from; row++) subscriber.next(texts[row] ?? "");
        handled += to - from;
        meter.reached(handled);
      }
    }
    subscriber.complete();
  });
}

function passthrough(texts: Observable<string>): Observable<unknown> {
  return texts.pipe(
    map((text): Click => JSON.parse(text)),
    filter((click) => click.action === "buy"),
    map(({ itemId, value }) => ({ itemId, value })),
  );
}

function count(texts: Observable<string>): Observable<unknown> {
  return texts.pipe(
    map((text): Click => JSON.parse(text)),
    groupBy((click) => click.userId),
    mergeMap((clicks) =>
      clicks.pipe(
        scan((count) => count + 1, 0),
        filter((count) => count % 10 === 0),
        map((count) => ({ userId: clicks.key, count })),
      )
    ),
  );
}

function booking(texts: Observable<string>): Observable<unknown> {
  return texts.pipe(
    map((text): BookingDetail => JSON.parse((JSON.parse(text) as BookingLine).detail)),
    groupBy((detail) => (detail.booking ?? detail.event)?.bookingId ?? "", {
      duration: (group) => group.pipe(skip(BOOKING_RECORDS - 1)),
    }),
    mergeMap((group) => group.pipe(toArray(), map(completed))),
    filter((output) => output !== undefined),
  );
}

/** The output of a group's records, or undefined where the booking or one of its three events is missing. */
function completed(details: readonly BookingDetail[]): unknown {
  const booking = details.find((detail) => detail.booking !== undefined)?.booking;
  const times = details.flatMap(({ event }) => event === undefined ? [] : [event.at]);
  if (booking === undefined || times.length !== BOOKING_RECORDS - 1) return undefined;
  const { bookingId, hotelId, amount } = booking;
  return { bookingId, hotelId, amount, events: times.length, completedAt: Math.max(...times) };
}
