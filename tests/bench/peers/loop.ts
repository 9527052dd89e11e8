/**
 * A hand-written loop: one thread, `JSON.parse`, state in a `Map`, nothing between. It is what a general engine that uses
 * `JSON.parse` cannot beat, and the measure that the others are compared with.
 *
 * @module
 */

import type { Checksum } from "../checksum.ts";
import type { EngineRun } from "../engine.ts";
import { rowTexts } from "../input.ts";
import type { BookingDetail, BookingLine, Click, Workload } from "../workload.ts";

/** As many records as a read of a shard returns when it is busy. */
const BATCH_RECORDS = 500;

type Handle = (text: string) => void;

/** Runs a workload on this thread. */
export function loop(run: EngineRun): Promise<void> {
  const { input, meter } = run;
  const handle = handlerOf(run.workload, run.sum);
  const texts: string[] = new Array(BATCH_RECORDS).fill("");
  let handled = 0;
  for (let pass = 0; pass < run.passes; pass++) {
    for (let from = 0; from < input.records; from += BATCH_RECORDS) {
      const to = Math.min(from + BATCH_RECORDS, input.records);
      rowTexts(input, from, to, texts);
      for (let row = 0; row < to - from; row++) handle(texts[row] ?? "");
      handled += to - from;
      meter.reached(handled);
    }
  }
  return Promise.resolve();
}

function handlerOf(workload: Workload, sum: Checksum): Handle {
  switch (workload) {
    case "passthrough":
      return passthrough(sum);
    case "count":
      return count(sum);
    case "booking":
      return booking(sum);
  }
}

function passthrough(sum: Checksum): Handle {
  return (text) => {
    const click: Click = JSON.parse(text);
    if (click.action === "buy") sum.add(`{"itemId":"${click.itemId}","value":${click.value}}`);
  };
}

function count(sum: Checksum): Handle {
  const users = new Map<string, { count: number }>();
  return (text) => {
    const { userId }: Click = JSON.parse(text);
    const user = users.get(userId);
    if (user === undefined) users.set(userId, { count: 1 });
    else if (++user.count % 10 === 0) sum.add(`{"userId":"${userId}","count":${user.count}}`);
  };
}

interface Stay {
  booked: boolean;
  hotelId: string;
  amount: number;
  events: number;
  completedAt: number;
}

function booking(sum: Checksum): Handle {
  const stays = new Map<string, Stay>();
  const stayOf = (bookingId: string) => {
    let stay = stays.get(bookingId);
    if (stay === undefined) {
      stay = { booked: false, hotelId: "", amount: 0, events: 0, completedAt: 0 };
      stays.set(bookingId, stay);
    }
    return stay;
  };
  const emitIfComplete = (bookingId: string, stay: Stay) => {
    if (!stay.booked || stay.events !== 3) return;
    sum.add(
      `{"bookingId":"${bookingId}","hotelId":"${stay.hotelId}","amount":${stay.amount},"events":3,"completedAt":${stay.completedAt}}`,
    );
    stays.delete(bookingId);
  };
  return (text) => {
    const line: BookingLine = JSON.parse(text);
    const { booking, event }: BookingDetail = JSON.parse(line.detail);
    if (booking !== undefined) {
      const stay = stayOf(booking.bookingId);
      stay.booked = true;
      stay.hotelId = booking.hotelId;
      stay.amount = booking.amount;
      emitIfComplete(booking.bookingId, stay);
    } else if (event !== undefined) {
      const stay = stayOf(event.bookingId);
      stay.events++;
      if (event.at > stay.completedAt) stay.completedAt = event.at;
      emitIfComplete(event.bookingId, stay);
    }
  };
}
