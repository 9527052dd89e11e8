import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { streamActive } from "../../../connectors/kinesis/embedded.ts";
import { kinesis } from "../../../connectors/kinesis/kinesis.ts";
import { KinesisStream } from "../../../connectors/kinesis/source.ts";
import { type RawRecord, textOf } from "../../../connectors/raw_record.ts";
import type { Source } from "../../../connectors/source.ts";
import { sourceSuite } from "../source_suite.ts";
import { StreamFixture } from "./stream_fixture.ts";

const shardId = (index: number) => `shardId-${String(index).padStart(12, "0")}`;
const HALF = String(1n << 127n);

describe("KinesisStream", () => {
  let fixture: StreamFixture;
  beforeEach(async () => void (fixture = await StreamFixture.open()));
  afterEach(() => fixture.close());

  async function split(stream: string, shard: string, at = HALF): Promise<void> {
    const { client, sdk } = fixture.direct;
    await client.send(
      new sdk.SplitShardCommand({
        StreamName: stream,
        ShardToSplit: shard,
        NewStartingHashKey: at,
      }),
    );
    await streamActive(fixture.direct, stream);
  }

  async function merge(stream: string, shard: string, other: string): Promise<void> {
    const { client, sdk } = fixture.direct;
    await client.send(
      new sdk.MergeShardsCommand({
        StreamName: stream,
        ShardToMerge: shard,
        AdjacentShardToMerge: other,
      }),
    );
    await streamActive(fixture.direct, stream);
  }

  /** Reads as the engine does: lists, starts each shard when its parents are done, until `count` records came. */
  async function readAll(source: Source<RawRecord>, count: number): Promise<RawRecord[]> {
    const done = new Set<string>();
    const records: RawRecord[] = [];
    const positions = new Map<string, string>();
    while (records.length < count) {
      for (const { id, parents } of await source.shards(fixture.context)) {
        if (done.has(id) || !parents.every((parent) => done.has(parent))) continue;
        // Stops at the tip: an empty answer after whatever there was.
        let empties = 0;
        const { values, position, ended } = await fixture.read(
          source,
          id,
          positions.get(id),
          (_, batch) => batch.length === 0 && ++empties > 2,
        );
        records.push(...values);
        if (position !== undefined) positions.set(id, position);
        if (ended) done.add(id);
      }
    }
    return records;
  }

  function assertOrderPerKey(records: readonly RawRecord[], keys: number, perKey: number) {
    const byKey = Map.groupBy(records, ({ partitionKey }) => partitionKey);
    assertEquals(byKey.size, keys);
    for (const [key, of] of byKey) {
      assertEquals(of.map(textOf), Array.from({ length: perKey }, (_, index) => `${key}:${index}`));
    }
  }

  it("reads 2,000 records over two shards in order per key", async () => {
    const stream = await fixture.stream("two", 2);
    const source = kinesis.source(stream, { start: "trimHorizon" });
    await fixture.put(
      stream,
      Array.from({ length: 2000 }, (_, index) => {
        const key = `key-${index % 40}`;
        return [key, `${key}:${Math.floor(index / 40)}`] as const;
      }),
    );
    assertEquals(await source.shards(fixture.context), [
      { id: shardId(0), parents: [] },
      { id: shardId(1), parents: [] },
    ]);
    const records = await readAll(source, 2000);
    assertEquals(new Set(records.map((record) => record.shardId)).size, 2);
    assertOrderPerKey(records, 40, 50);
  });

  it("keeps order per key through a split and a merge", async () => {
    const stream = await fixture.stream("reshard", 1);
    let round = 0;
    const putRound = async () => {
      const index = round++;
      await fixture.put(
        stream,
        Array.from({ length: 30 }, (_, key) => [`key-${key}`, `key-${key}:${index}`] as const),
      );
    };
    const source = kinesis.source(stream, { start: "trimHorizon" });
    await putRound();
    await split(stream, shardId(0));
    await putRound();
    await merge(stream, shardId(1), shardId(2));
    await putRound();
    assertEquals(await source.shards(fixture.context), [
      { id: shardId(0), parents: [] },
      { id: shardId(1), parents: [shardId(0)] },
      { id: shardId(2), parents: [shardId(0)] },
      { id: shardId(3), parents: [shardId(1), shardId(2)] },
    ]);
    const records = await readAll(source, 90);
    assertEquals(records.length, 90);
    assertEquals(new Set(records.map((record) => record.shardId)).size, 4);
    assertOrderPerKey(records, 30, 3);
  });

  it("reads a child found after a latest start from its beginning", async () => {
    const stream = await fixture.stream("later", 1);
    const source = kinesis.source(stream);
    assertEquals((await source.shards(fixture.context)).length, 1);
    await split(stream, shardId(0));
    await fixture.put(stream, [["a", "a:0"], ["b", "b:0"], ["c", "c:0"], ["d", "d:0"]]);
    assertOrderPerKey(await readAll(source, 4), 4, 1);
  });

  it("takes the job's own start for latest on a thread that begins later", async () => {
    const stream = await fixture.stream("thread", 1);
    const startedAt = fixture.context.clock.now();
    await fixture.put(stream, [["a", "text"]]);
    const { clock } = fixture.context;
    const context = {
      ...fixture.context,
      clock: { ...clock, now: () => clock.now() + 1000 },
      startedAt,
    };
    const batch = await new Promise<number>((resolve, reject) => {
      const subscription = new KinesisStream(stream, "latest").read(shardId(0), undefined, context)
        .subscribe({
          next: ({ length }) => queueMicrotask(() => (subscription.unsubscribe(), resolve(length))),
          error: reject,
        });
    });
    assertEquals(batch, 1);
  });

  it("completes at the end of a closed shard, from any position", async () => {
    const stream = await fixture.stream("closed", 1);
    await fixture.put(stream, [["a", "one"], ["a", "two"]]);
    await split(stream, shardId(0));
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const all = await fixture.read(source, shardId(0), undefined, () => false);
    assertEquals([all.values.map(textOf), all.ended], [["one", "two"], true]);
    const rest = await fixture.read(source, shardId(0), all.position, () => false);
    assertEquals([rest.values, rest.ended], [[], true]);
  });

  it("lists through throttles, lost connections and expired page tokens", async () => {
    const stream = await fixture.stream("listing", 3);
    const page = (from: number, token: string) =>
      JSON.stringify({
        Shards: [{ ShardId: `page-${from}`, HashKeyRange: {}, SequenceNumberRange: {} }],
        NextToken: token,
      });
    fixture.proxy.inject(
      "ListShards",
      { kind: "error", status: 400, type: "LimitExceededException" },
      { kind: "drop", when: "after" },
      { kind: "answer", body: page(0, "more") },
      { kind: "error", status: 400, type: "ExpiredNextTokenException" },
    );
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const shards = await source.shards(fixture.context);
    assertEquals(shards.map(({ id }) => id), [shardId(0), shardId(1), shardId(2)]);
    const asked = fixture.proxy.calls("ListShards").map((body) => JSON.parse(body));
    assertEquals(asked[3], { NextToken: "more" });
  });

  it("joins the pages of a listing", async () => {
    const stream = await fixture.stream("pages", 1);
    const page = (id: string, more: object) =>
      JSON.stringify({
        Shards: [{ ShardId: id, HashKeyRange: {}, SequenceNumberRange: {} }],
        ...more,
      });
    fixture.proxy.inject(
      "ListShards",
      { kind: "answer", body: page("a", { NextToken: "t" }) },
      { kind: "answer", body: page("b", {}) },
    );
    const shards = await kinesis.source(stream, { start: "trimHorizon" }).shards(fixture.context);
    assertEquals(shards.map(({ id }) => id), ["a", "b"]);
  });

  it("says what to do when it can't list", async () => {
    await assertRejects(
      () => kinesis.source("absent").shards(fixture.context),
      Error,
      `Cannot list the shards of stream "absent"`,
    );
  });

  it("makes a bad record of a schema an error of its row alone", async () => {
    const stream = await fixture.stream("schema", 1);
    await fixture.put(stream, [["a", '{"n":1}'], ["a", "{"], ["a", '{"n":"x"}'], ["a", '{"n":2}']]);
    const source = kinesis.source(stream, {
      start: "trimHorizon",
      schema: {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value: unknown) =>
            typeof value === "object" && value !== null && "n" in value &&
              typeof value.n === "number"
              ? { value: value.n }
              : { issues: [{ message: "Expected a number", path: ["n"] }] },
        },
      },
    });
    const rows = await new Promise<unknown[]>((resolve, reject) => {
      const subscription = source.read(shardId(0), undefined, fixture.context).subscribe({
        next(batch) {
          const read = Array.from({ length: batch.length }, (_, row) => {
            try {
              return batch.valueAt(row);
            } catch (error) {
              assert(error instanceof TypeError);
              return error.message;
            }
          });
          queueMicrotask(() => (subscription.unsubscribe(), resolve(read)));
        },
        error: reject,
      });
    });
    assertEquals([rows[0], rows[3]], [1, 2]);
    assert(String(rows[1]).startsWith("Cannot read a record as JSON"));
    assertEquals(rows[2], "Cannot read a record by the source's schema: $.n: Expected a number");
  });
});

sourceSuite("An open Kinesis stream", async () => {
  const fixture = await StreamFixture.open();
  const stream = await fixture.stream("suite", 2);
  const rows = Array.from({ length: 50 }, (_, index) => [`key-${index}`, `${index}`] as const);
  await fixture.put(stream, rows);
  const source = kinesis.source(stream, { start: "trimHorizon", recordsPerCall: 7 });
  const contents = new Map<string, readonly string[]>();
  for (const shard of [shardId(0), shardId(1)]) {
    const { values } = await fixture.read(
      source,
      shard,
      undefined,
      (all, { length }) => length === 0 && all.length > 0,
    );
    contents.set(shard, values.map(textOf));
  }
  assertEquals([...contents.values()].flat().length, rows.length);
  const { clock, aws, signal } = fixture.context;
  return {
    source,
    contents,
    comparable: textOf,
    ends: false,
    clock,
    context: { aws, signal },
    close: () => fixture.close(),
  };
});
