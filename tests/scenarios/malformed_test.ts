/**
 * Records that are not what they should be, among many that are: each bad one costs itself, is
 * accounted for with its place and a reason, and no good one suffers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import type { RawRecord } from "../../connectors/raw_record.ts";
import type { Source } from "../../connectors/source.ts";
import type { DeadLetter } from "../../runtime/dead_letter.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { type SimulatedRecord, simulatedStream } from "../../runtime/testing/simulated_stream.ts";
import { z } from "../deps.ts";

const RECORDS = 400;
const MIB = 1 << 20;
const Order = z.object({ id: z.number(), customer: z.string(), note: z.string().optional() });
type Order = z.infer<typeof Order>;

const encoder = new TextEncoder();

/** A kind of bad record: its payload, and what its letter's reason must say. */
interface Fault {
  readonly of: string;
  payload(id: number): Uint8Array | string;
  readonly reason: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    of: "cut JSON",
    payload: (id) => orderText(id).slice(0, -3),
    reason: /^Cannot parse the record's payload as JSON: expected .* at position \d+/,
  },
  {
    of: "a wrong type",
    payload: (id) => text({ detail: text({ order: { id: `${id}`, customer: "c" } }) }),
    reason: /^Cannot accept an object at \$\.detail > \$\.order: .*id/,
  },
  {
    of: "a missing key",
    payload: (id) => text({ detail: text({ order: { id } }) }),
    reason: /^Cannot accept an object at \$\.detail > \$\.order: .*customer/,
  },
  {
    of: "invalid UTF-8",
    payload: (id) => withByte(orderText(id), "customer-", 0xff),
    reason: /^Cannot parse the record's payload: expected UTF-8, found \d+ bytes that are not/,
  },
  {
    of: "1 MiB of garbage",
    payload: () => "x".repeat(MIB),
    reason: /^Cannot parse the record's payload as JSON: .* at position 0/,
  },
  {
    of: "a detail that is no string",
    payload: (id) => text({ detail: { order: { id, customer: "c" } } }),
    reason: /^Cannot parse the text at \$\.detail: expected a string .*, found an object/,
  },
  {
    of: "a detail that is not JSON",
    payload: () => text({ detail: "order 7" }),
    reason: /^Cannot parse the text at \$\.detail as JSON: .* at position 0/,
  },
];

function text(value: unknown): string {
  return JSON.stringify(value);
}

/** A good record. One of them is as large as a record of Kinesis can be. */
function orderText(id: number): string {
  const order: Order = { id, customer: `customer-${id % 13}` };
  if (id === 7) return text({ detail: text({ order: { ...order, note: "x".repeat(MIB - 100) } }) });
  return text({ detail: text({ order }) });
}

/** The text's bytes, with one byte replaced behind a mark. */
function withByte(of: string, mark: string, byte: number): Uint8Array {
  const bytes = encoder.encode(of);
  bytes[of.indexOf(mark) + mark.length] = byte;
  return bytes;
}

function faultOf(id: number): Fault | undefined {
  return id % 10 === 3 ? FAULTS[Math.floor(id / 10) % FAULTS.length] : undefined;
}

const records: SimulatedRecord[] = Array.from({ length: RECORDS }, (_, id) => ({
  partitionKey: `key-${id}`,
  data: faultOf(id)?.payload(id) ?? orderText(id),
}));
const orders = (): Source<RawRecord> => simulatedStream({ shards: 2, records });
const goodIds = records.flatMap((_, id) => faultOf(id) === undefined ? [id] : []);
const badIds = records.flatMap((_, id) => faultOf(id) === undefined ? [] : [id]);

/** Where each record is, as `<source>/<shard>@<position>`, by its number. */
async function origins(): Promise<string[]> {
  const job = defineJob({
    name: "places",
    sources: { orders: orders() },
    sinks: { places: memory.sink<RawRecord>() },
    build: ({ orders }, { places }) => orders.to(places),
  });
  const run = await runJob(job, { orders: orders() });
  const places = new Map(
    run.output("places").map(({ partitionKey, shardId, sequenceNumber }) => [
      partitionKey,
      `orders/${shardId}@${sequenceNumber}`,
    ]),
  );
  return records.map(({ partitionKey }) => places.get(partitionKey) ?? "nowhere");
}

const counting = defineJob({
  name: "counting",
  sources: { orders: orders() },
  sinks: { counted: memory.sink<{ id: number; sizes: number }>() },
  build({ orders }, { counted }) {
    orders.flatMapJson(["$.detail", "$.order"], Order)
      .keyBy((order) => order.customer)
      .process("count", {
        state: { sizes: store.value(0) },
        onEvent: (
          { id, note = "" },
          { state },
        ) => [{ id, sizes: state.sizes.value += note.length }],
      })
      .to(counted);
  },
});

describe("flatMapJson() of a job", () => {
  it("makes exactly one dead letter of each bad record, with place and reason", async () => {
    const places = await origins();
    for (const [workers, seed] of [[1, 1], [2, 2], [3, 3]] as const) {
      const run = await runJob(counting, { orders: orders() }, { workers, seed });
      const byOrigin = new Map<string, DeadLetter>(
        run.deadLetters.map((letter) => [letter.origin, letter]),
      );
      assertEquals(run.deadLetters.length, badIds.length);
      assertEquals(run.status.deadLetters, badIds.length);
      for (const id of badIds) {
        const letter = byOrigin.get(places[id] ?? "");
        assert(letter !== undefined, `Record ${id}, ${faultOf(id)?.of}, has no letter`);
        assertEquals(letter.operator, "orders/flatMapJson");
        assertMatch(letter.reason, faultOf(id)?.reason ?? /never/);
      }
      const ids = run.output("counted").map(({ id }) => id).sort((a, b) => a - b);
      assertEquals(ids, goodIds);
      const largest = Math.max(...run.output("counted").map(({ sizes }) => sizes));
      assertEquals(largest, MIB - 100);
    }
  });

  it("gives bad payloads as the record in its letter, bytes in base64", async () => {
    const run = await runJob(counting, { orders: [raw("{", "p1")] });
    assertEquals(run.deadLetters.map(({ value }) => value), [{
      partitionKey: "p1",
      sequenceNumber: "1",
      approximateArrival: 0,
      shardId: "s",
      data: btoa("{"),
    }]);
  });

  it("sends bad records to .invalid when that is used, and makes no dead letters", async () => {
    const job = defineJob({
      name: "sorting out",
      sources: { orders: orders() },
      sinks: { good: memory.sink<Order>(), bad: memory.sink<{ reason: string }>() },
      build({ orders }, { good, bad }) {
        const parsed = orders.flatMapJson(["$.detail", "$.order"], Order);
        parsed.to(good);
        parsed.invalid.to(bad);
      },
    });
    const run = await runJob(job, { orders: orders() }, { workers: 2 });
    assertEquals(run.deadLetters, []);
    assertEquals(run.output("good").length, goodIds.length);
    assertEquals(run.output("bad").length, badIds.length);
    for (const { reason } of run.output("bad")) {
      assert(FAULTS.some((fault) => fault.reason.test(reason)), reason);
    }
  });
});

function raw(payload: string, partitionKey: string): RawRecord {
  const place = { sequenceNumber: "1", approximateArrival: 0, shardId: "s" };
  return { data: encoder.encode(payload), partitionKey, ...place };
}
