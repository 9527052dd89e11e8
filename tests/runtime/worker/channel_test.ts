import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  BATCH_BYTES_MAX,
  BATCH_ROWS_MAX,
  CHANNEL_BYTES_MAX,
  CHANNEL_ROWS_MAX,
} from "../../../runtime/limits.ts";
import type { RowBatch } from "../../../runtime/transport/row_batch.ts";
import { InboundChannel, OutboundChannel } from "../../../runtime/worker/channel.ts";
import { fc } from "../../deps.ts";
import { cursorAt } from "./engine_parts.ts";

/** A channel whose far end writes down what comes, and loses so many rows of each batch. */
function outbound(lost = 0) {
  const heard: string[] = [];
  const batches: RowBatch[] = [];
  const channel = new OutboundChannel({
    rows(batch) {
      if (batch.kind === "values") batches.push(batch);
      heard.push(`${batch.length} rows`);
      return Math.max(0, batch.length - lost);
    },
    watermark: (origin, event) => heard.push(`${origin} ${event.kind}`),
    barrier: (epoch) => heard.push(`barrier ${epoch}`),
    end: (final) => heard.push(`end ${final}`),
  });
  const add = (rows: number, bytes = 10) => {
    for (let row = 0; row < rows; row++) {
      channel.add(row, "a", 3, cursorAt(row, { bytes, timestamp: row }), 100 + row);
    }
  };
  return { channel, add, heard, batches };
}

describe("OutboundChannel", () => {
  it("keeps order: rows leave before the watermark or end that comes after them", () => {
    const { channel, add, heard, batches } = outbound();
    add(2);
    channel.watermark("in/s0", { kind: "advance", at: 5 });
    channel.flush();
    add(1);
    channel.end(true);
    assertEquals(heard, ["2 rows", "in/s0 advance", "1 rows", "end true"]);
    const [first] = batches;
    assertEquals([first?.values, first?.keys, first?.groups], [[0, 1], ["a", "a"], [3, 3]]);
    assertEquals([first?.timestamps, first?.originRows, first?.bytes], [[0, 1], [0, 1], 20]);
    assertEquals(first?.subs, [100, 101]);
  });

  it("hands a batch over when it is full, in rows or in bytes", () => {
    const { add, heard } = outbound();
    add(BATCH_ROWS_MAX + 1);
    assertEquals(heard, [`${BATCH_ROWS_MAX} rows`]);
    const large = outbound();
    large.add(3, BATCH_BYTES_MAX / 2);
    assertEquals(large.heard, ["2 rows"]);
  });

  it("closes its gate while too many rows or bytes are under way", () => {
    const rows = outbound();
    rows.add(CHANNEL_ROWS_MAX - 1);
    rows.channel.flush();
    assertEquals(rows.channel.gate.closed, false);
    rows.add(1);
    rows.channel.flush();
    assertEquals(rows.channel.gate.closed, true);
    rows.channel.credit(1, 10);
    assertEquals(rows.channel.gate.closed, false);

    const bytes = outbound();
    bytes.add(1, CHANNEL_BYTES_MAX);
    assertEquals(bytes.channel.gate.closed, true);
    bytes.channel.credit(1, CHANNEL_BYTES_MAX);
    assertEquals(bytes.channel.gate.closed, false);
  });

  it("does not wait for credit of rows that could not be sent", () => {
    const { channel, add } = outbound(Infinity);
    add(3 * CHANNEL_ROWS_MAX, CHANNEL_BYTES_MAX / 100);
    channel.flush();
    assertEquals(channel.gate.closed, false);
  });

  it("gets all its credit back, however much of it is given at a time", () => {
    const actions = fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant("add" as const),
          rows: fc.integer({ min: 1, max: 3000 }),
          bytes: fc.integer({ min: 0, max: 4096 }),
        }),
        fc.record({
          kind: fc.constant("handle" as const),
          rows: fc.integer({ min: 1, max: 6000 }),
          bytes: fc.constant(0),
        }),
        fc.record({
          kind: fc.constant("flush" as const),
          rows: fc.constant(0),
          bytes: fc.constant(0),
        }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(actions, (actions) => {
        const { channel, add, batches } = outbound();
        const outstanding = { rows: 0, bytes: 0 };
        const inbound = new InboundChannel((rows, bytes) => {
          outstanding.rows -= rows;
          outstanding.bytes -= bytes;
          channel.credit(rows, bytes);
        });
        const receive = () => {
          const [rows, bytes] = [outstanding.rows, outstanding.bytes];
          for (const { length, bytes } of batches.slice(seen)) {
            outstanding.rows += length;
            outstanding.bytes += bytes;
          }
          seen = batches.length;
          return rows !== outstanding.rows || bytes !== outstanding.bytes;
        };
        let [seen, handled] = [0, 0];
        const handle = (rows: number) => {
          for (let left = rows; left > 0 && handled < batches.length; handled++) {
            const { length = 0, bytes = 0 } = batches[handled] ?? {};
            inbound.handled(length, bytes);
            left -= length;
          }
        };
        for (const { kind, rows, bytes } of actions) {
          if (kind === "add") add(rows, bytes);
          else if (kind === "flush") channel.flush();
          else handle(rows);
          receive();
          const full = outstanding.rows >= CHANNEL_ROWS_MAX ||
            outstanding.bytes >= CHANNEL_BYTES_MAX;
          assertEquals(channel.gate.closed, full);
        }
        channel.flush();
        receive();
        handle(Infinity);
        inbound.flush();
        assertEquals([outstanding, channel.gate.closed], [{ rows: 0, bytes: 0 }, false]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("InboundChannel", () => {
  it("gives credit in a few large pieces, before the sender runs dry", () => {
    const credits: [number, number][] = [];
    const channel = new InboundChannel((rows, bytes) => credits.push([rows, bytes]));
    channel.flush();
    for (let batch = 0; batch < CHANNEL_ROWS_MAX / 64; batch++) channel.handled(64, 10);
    const given = credits.reduce((sum, [rows]) => sum + rows, 0);
    assert(credits.length <= 4 && CHANNEL_ROWS_MAX - given < CHANNEL_ROWS_MAX / 2, `${credits}`);
    channel.handled(1, CHANNEL_BYTES_MAX);
    assertEquals(credits.at(-1)?.[0], CHANNEL_ROWS_MAX - given + 1);
    channel.flush();
    assertEquals(credits.reduce((sum, [rows]) => sum + rows, 0), CHANNEL_ROWS_MAX + 1);
  });
});
