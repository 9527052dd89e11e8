import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type RawRecord, textOf } from "../../../connectors/raw_record.ts";
import type { ShardBatch, Source } from "../../../connectors/source.ts";
import {
  SIMULATED_BATCH_RECORDS_MAX,
  simulatedStream,
  type SimulatedStreamOptions,
} from "../../../runtime/testing/simulated_stream.ts";
import { connectorContext } from "../../connectors/connector_context.ts";
import { until } from "../../connectors/event_loop.ts";
import { jumpingClock } from "../../connectors/kinesis/jumping_clock.ts";
import { sourceSuite } from "../../connectors/source_suite.ts";

/** Partition keys whose MD5 is in the first, second, third and last quarter of all hash keys. */
const KEYS = { first: "a", second: "c", third: "b", last: "message digest" };
const QUARTERS = Object.values(KEYS);

const put = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    partitionKey: QUARTERS[number % 4] ?? "",
    data: `record ${number}`,
  }));

for (const bounded of [true, false]) {
  sourceSuite(`simulatedStream(), ${bounded ? "bounded" : "unbounded"},`, () => {
    const records = put(10 * SIMULATED_BATCH_RECORDS_MAX);
    const texts = (...quarters: number[]) =>
      records.filter((_, number) => quarters.includes(number % 4)).map(({ data }) => data);
    return Promise.resolve({
      source: simulatedStream({ shards: 2, records, bounded }),
      contents: new Map([
        ["shardId-000000000000", texts(0, 1)],
        ["shardId-000000000001", texts(2, 3)],
      ]),
      comparable: textOf,
      ends: bounded,
      clock: jumpingClock(),
    });
  });
}

const context = () => ({
  ...connectorContext(jumpingClock()),
  demand: { next: () => Promise.resolve() },
});

async function read(source: Source<RawRecord>, shard: string, after?: string) {
  const batches: ShardBatch<RawRecord>[] = [];
  let end: unknown;
  source.read(shard, after, context()).subscribe({
    next: (batch) => batches.push(batch),
    error: (error) => end = error,
    complete: () => end = "completed",
  });
  await until(() => end !== undefined, "the end");
  const records = batches.flatMap((batch) =>
    Array.from({ length: batch.length }, (_, row) => batch.valueAt(row))
  );
  return { batches, records, end };
}

/** What each shard holds, with its parents by number. */
async function layout(options: SimulatedStreamOptions) {
  const source = simulatedStream(options);
  const shards = await source.shards(context());
  const number = (id: string) => shards.findIndex((shard) => shard.id === id);
  return await Promise.all(shards.map(async ({ id, parents }) => ({
    parents: parents.map(number),
    holds: (await read(source, id)).records.map(textOf),
  })));
}

describe("simulatedStream()", () => {
  const records = QUARTERS.map((partitionKey) => ({ partitionKey, data: partitionKey }));

  it("puts a record into the shard whose hash range holds its partition key's MD5", async () => {
    // MD5 in hexadecimal: a 0cc1…, c 4a8a…, b 92eb…, "message digest" f96b….
    assertEquals((await layout({ shards: 4, records })).map(({ holds }) => holds), [
      ["a"],
      ["c"],
      ["b"],
      ["message digest"],
    ]);
    assertEquals((await layout({ shards: 1, records })).map(({ holds }) => holds), [QUARTERS]);
  });

  it("gives records the shape that Kinesis gives them", async () => {
    const { records, batches } = await read(
      simulatedStream({
        shards: 1,
        records: [
          { partitionKey: "k", data: Uint8Array.of(123, 125), at: 5000 },
          { partitionKey: "k", data: { id: "ä" }, at: 7000 },
          { partitionKey: "l", data: "text" },
        ],
        batchRecordsMax: 2,
      }),
      "shardId-000000000000",
    );
    assertEquals(records.map(textOf), ["{}", '{"id":"ä"}', "text"]);
    assertEquals(records.map(({ partitionKey }) => partitionKey), ["k", "k", "l"]);
    assertEquals(records.map(({ approximateArrival }) => approximateArrival), [5000, 7000, 2]);
    assertEquals(records.map(({ shardId }) => shardId), Array(3).fill("shardId-000000000000"));
    assertEquals(batches.map(({ length, bytes }) => [length, bytes]), [[2, 13], [1, 4]]);
    for (const [index, { sequenceNumber }] of records.entries()) {
      assertMatch(sequenceNumber, /^\d{56}$/);
      const before = records[index - 1]?.sequenceNumber;
      if (before !== undefined) assertLess(BigInt(before), BigInt(sequenceNumber));
    }
  });

  it("says how far a batch is behind the shard's last record", async () => {
    const at = [1000, 2000, 5000];
    const source = simulatedStream({
      shards: 1,
      records: at.map((at) => ({ partitionKey: "k", data: "", at })),
      batchRecordsMax: 1,
    });
    const { batches } = await read(source, "shardId-000000000000");
    assertEquals(batches.map(({ millisBehindLatest }) => millisBehindLatest), [4000, 3000, 0]);
  });

  it("splits a shard in the middle, children after their parent", async () => {
    const shards = await layout({
      shards: 2,
      records: [...records, ...records],
      reshard: [{ split: 0, after: 4 }],
    });
    assertEquals(shards, [
      { parents: [], holds: ["a", "c"] },
      { parents: [], holds: ["b", "message digest", "b", "message digest"] },
      { parents: [0], holds: ["a"] },
      { parents: [0], holds: ["c"] },
    ]);
  });

  it("merges neighbours, and splits and merges what has come of that", async () => {
    const shards = await layout({
      shards: 2,
      records: [...records, ...records, ...records],
      reshard: [{ merge: [1, 0], after: 4 }, { split: 2, after: 8 }, { merge: [3, 4], after: 12 }],
    });
    assertEquals(shards, [
      { parents: [], holds: ["a", "c"] },
      { parents: [], holds: ["b", "message digest"] },
      { parents: [1, 0], holds: QUARTERS },
      { parents: [2], holds: ["a", "c"] },
      { parents: [2], holds: ["b", "message digest"] },
      { parents: [3, 4], holds: [] },
    ]);
  });

  it("ends closed shards even when unbounded", async () => {
    const source = simulatedStream({
      shards: 1,
      records,
      bounded: false,
      reshard: [{ split: 0, after: 4 }],
    });
    const { records: read$, end } = await read(source, "shardId-000000000000");
    assertEquals([read$.length, end], [4, "completed"]);
  });

  it("goes on after a sequence number that no record of the shard has", async () => {
    const source = simulatedStream({ shards: 2, records });
    const other = (await read(source, "shardId-000000000000")).records[1]?.sequenceNumber;
    assert(other);
    const { records: rest } = await read(source, "shardId-000000000001", other);
    assertEquals(rest.map(textOf), ["b", "message digest"]);
  });

  it("errors for a shard that is not there and a position that is no sequence number", async () => {
    const source = simulatedStream({ shards: 1, records });
    assertInstanceOf((await read(source, "shardId-000000000001")).end, RangeError);
    assertInstanceOf((await read(source, "shardId-000000000000", "12")).end, RangeError);
  });

  const refused: Record<string, [Partial<SimulatedStreamOptions>, string]> = {
    "no shards": [{ shards: 0 }, "of 0 shards"],
    "part of a shard": [{ shards: 1.5 }, "of 1.5 shards"],
    "empty batches": [{ batchRecordsMax: 0 }, "batches of 0 records"],
    "a split of a shard that is not there": [
      { reshard: [{ split: 2, after: 0 }] },
      "shard 2 is not there",
    ],
    "a split of a closed shard": [
      { reshard: [{ split: 0, after: 0 }, { split: 0, after: 1 }] },
      "shard 0 is closed already",
    ],
    "a merge of shards that do not touch": [
      { shards: 3, reshard: [{ merge: [0, 2], after: 0 }] },
      "next to one another",
    ],
    "a merge of a shard with itself": [
      { reshard: [{ merge: [0, 0], after: 0 }] },
      "closed already",
    ],
    "a reshard after the last record": [{ reshard: [{ split: 0, after: 5 }] }, '"after" must be'],
    "reshards out of order": [
      { reshard: [{ split: 0, after: 2 }, { split: 1, after: 1 }] },
      '"after" must be',
    ],
    "an empty partition key": [{ records: [{ partitionKey: "", data: "" }] }, "has 0 characters"],
    "a long partition key": [
      { records: [{ partitionKey: "k".repeat(257), data: "" }] },
      "has 257 characters",
    ],
  };
  for (const [what, [options, text]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      assertThrows(() => simulatedStream({ shards: 2, records, ...options }), RangeError, text);
    });
  }
});
