/**
 * What the jobs produce, worked out one record after the other: plain and meant to be read. An engine is right when its
 * checksum is this one's.
 *
 * @module
 */

import { Checksum } from "./checksum.ts";
import type { ExpectedPass } from "./expected.ts";
import { type LoadedInput, rowTexts } from "./input.ts";
import type { BookingDetail, BookingLine, Click, Workload } from "./workload.ts";

const BATCH_RECORDS = 10_000;

/** One replay of the file after another, over state that stays. */
type Pass = (sum: Checksum) => void;

/** The outputs of a job after one pass, two passes and so on to `passes`. */
export function reference(workload: Workload, input: LoadedInput, passes: number): ExpectedPass[] {
  const pass = passOf(workload, input);
  const sum = new Checksum();
  return Array.from({ length: passes }, (_, index) => {
    pass(sum);
    return {
      passes: index + 1,
      records: (index + 1) * input.records,
      outputs: sum.outputs,
      checksum: sum.hex(),
    };
  });
}

function passOf(workload: Workload, input: LoadedInput): Pass {
  switch (workload) {
    case "passthrough":
      return passthrough(clicks(input));
    case "count":
      return count(clicks(input));
    case "booking":
      return booking(bookingDetails(input));
  }
}

function passthrough(rows: readonly Click[]): Pass {
  return (sum) => {
    for (const { action, itemId, value } of rows) {
      if (action === "buy") sum.add(JSON.stringify({ itemId, value }));
    }
  };
}

function count(rows: readonly Click[]): Pass {
  const counts = new Map<string, number>();
  return (sum) => {
    for (const { userId } of rows) {
      const count = (counts.get(userId) ?? 0) + 1;
      counts.set(userId, count);
      if (count % 10 === 0) sum.add(JSON.stringify({ userId, count }));
    }
  };
}

function booking(rows: readonly BookingDetail[]): Pass {
  const open = new Map<
    string,
    { booking?: BookingDetail["booking"]; events: number; completedAt: number }
  >();
  return (sum) => {
    for (const { booking, event } of rows) {
      const bookingId = booking?.bookingId ?? event?.bookingId ?? "";
      const state = open.get(bookingId) ?? { events: 0, completedAt: 0 };
      open.set(bookingId, state);
      if (booking !== undefined) state.booking = booking;
      if (event !== undefined) {
        state.events++;
        state.completedAt = Math.max(state.completedAt, event.at);
      }
      if (state.booking === undefined || state.events !== 3) continue;
      const { hotelId, amount } = state.booking;
      const { events, completedAt } = state;
      sum.add(JSON.stringify({ bookingId, hotelId, amount, events, completedAt }));
      open.delete(bookingId);
    }
  };
}

function clicks(input: LoadedInput): Click[] {
  return parsed(input, (text) => {
    const { userId, itemId, action, value }: Click = JSON.parse(text);
    return { userId, itemId, action, value };
  });
}

function bookingDetails(input: LoadedInput): BookingDetail[] {
  return parsed(input, (text) => {
    const line: BookingLine = JSON.parse(text);
    return JSON.parse(line.detail);
  });
}

function parsed<T>(input: LoadedInput, parse: (text: string) => T): T[] {
  const rows: T[] = [];
  const texts: string[] = [];
  for (let from = 0; from < input.records; from += BATCH_RECORDS) {
    const to = Math.min(from + BATCH_RECORDS, input.records);
    rowTexts(input, from, to, texts);
    for (let row = 0; row < to - from; row++) rows.push(parse(texts[row] ?? ""));
  }
  return rows;
}
