import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { kinesis } from "../../../connectors/kinesis/kinesis.ts";
import { BUFFERED_RECORDS_MAX, REQUESTS_IN_FLIGHT_MAX } from "../../../connectors/kinesis/sink.ts";
import { textOf } from "../../../connectors/raw_record.ts";
import type { SinkWriter } from "../../../connectors/sink.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { sinkBatch } from "../sink_batch.ts";
import { sinkSuite } from "../sink_suite.ts";
import type { Fault } from "./fault_proxy.ts";
import { StreamFixture } from "./stream_fixture.ts";

interface Row {
  readonly key: string;
  readonly n: number;
}

const THROTTLE: Fault = {
  kind: "error",
  status: 400,
  type: "ProvisionedThroughputExceededException",
};
const rowsOf = (count: number, keys: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ key: `key-${n % keys}`, n }));

describe("KinesisSinkWriter", () => {
  let fixture: StreamFixture;
  let writers: SinkWriter<Row>[] = [];
  beforeEach(async () => void (fixture = await StreamFixture.open()));
  afterEach(async () => {
    await Promise.all(writers.map((writer) => writer.close()));
    writers = [];
    await fixture.close();
  });

  async function open(
    stream: string,
    options: Partial<Parameters<typeof kinesis.sink<Row>>[1]> = {},
  ): Promise<SinkWriter<Row>> {
    const sink = kinesis.sink<Row>(stream, { partitionKey: ({ key }) => key, ...options });
    const writer = await sink.open(fixture.context);
    writers.push(writer);
    return writer;
  }

  async function write(writer: SinkWriter<Row>, rows: readonly Row[], size = 100) {
    for (let from = 0; from < rows.length; from += size) {
      await writer.write(sinkBatch(rows.slice(from, from + size)));
    }
    await writer.flush();
  }

  /** All rows of a stream in order per shard, however many there are. */
  async function written(stream: string): Promise<Row[]> {
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const rows: Row[] = [];
    for (const { id } of await source.shards(fixture.context)) {
      const { values } = await fixture.read(source, id, undefined, (_, { length }) => length === 0);
      rows.push(...values.map((record) => JSON.parse(textOf(record))));
    }
    return rows;
  }

  function assertRows(found: readonly Row[], expected: readonly Row[]) {
    const byKey = (rows: readonly Row[]) =>
      Object.fromEntries(
        [...Map.groupBy(rows, ({ key }) => key)]
          .map(([key, of]) => [key, of.map(({ n }) => n)])
          .toSorted(),
      );
    assertEquals(byKey(found), byKey(expected));
  }

  it("writes the id of each row, by itself or by encode", async () => {
    const utf8 = new TextEncoder();
    const ids = async (stream: string) =>
      (await written(stream)).map((row) => "id" in row ? row.id : undefined);
    await write(await open(await fixture.stream("ids", 1), { idField: "id" }), rowsOf(5, 5), 3);
    const encode = (row: Row, { id }: { readonly id: string }) =>
      utf8.encode(JSON.stringify({ ...row, id }));
    await write(await open(await fixture.stream("own", 1), { encode }), rowsOf(5, 5), 3);
    const expected = [0, 1, 2, 0, 1].map((row) => `shard@${row}#0`);
    assertEquals([await ids("ids"), await ids("own")], [expected, expected]);
  });

  it("writes 2,000 rows over two shards, each key in order", async () => {
    const stream = await fixture.stream("plain", 2);
    const rows = rowsOf(2000, 150);
    const writer = await open(stream);
    await write(writer, rows);
    assertEquals(writer.pending(), 0);
    assertRows(await written(stream), rows);
  });

  it("keeps each key's order when parts of requests fail, and loses nothing", async () => {
    const stream = await fixture.stream("partial", 2);
    const random = seededRandom(3);
    fixture.proxy.inject(
      "PutRecords",
      ...Array.from({ length: 25 }, (): Fault => {
        const share = random();
        return { kind: "partial", fails: () => random() < share };
      }),
    );
    const rows = rowsOf(1500, 60);
    await write(await open(stream), rows);
    assertEquals(fixture.proxy.remaining(), 0);
    assertRows(await written(stream), rows);
  });

  it("tries whole requests again after throttles, 500s and lost connections", async () => {
    const stream = await fixture.stream("whole", 1);
    fixture.proxy.inject(
      "PutRecords",
      THROTTLE,
      { kind: "error", status: 500, type: "InternalFailure" },
      { kind: "drop", when: "before" },
      { kind: "drop", when: "before" },
      { kind: "drop", when: "before" },
      THROTTLE,
    );
    const rows = rowsOf(400, 40);
    await write(await open(stream), rows);
    assertEquals(fixture.proxy.remaining(), 0);
    assertRows(await written(stream), rows);
    assert(fixture.lines.some(({ level }) => level === "warn"));
  });

  it("doubles at most what was in a request whose answer was lost, and keeps the order", async () => {
    const stream = await fixture.stream("double", 1);
    fixture.proxy.inject("PutRecords", { kind: "drop", when: "after" });
    const rows = rowsOf(50, 10);
    await write(await open(stream), rows, 50);
    const found = await written(stream);
    assertEquals(found.length, 60);
    // The first record of each key was repeated before the second left.
    const firsts = found.filter(({ n }) => n < 10).length;
    assertEquals(firsts, 20);
    assertRows(found.filter((row, at) => found.findIndex(({ n }) => n === row.n) === at), rows);
  });

  it("sends a request that is not full after lingering, without a flush", async () => {
    const stream = await fixture.stream("linger", 1);
    const writer = await open(stream);
    assertEquals(writer.write(sinkBatch([{ key: "a", n: 0 }])), undefined);
    assertEquals([writer.pending(), fixture.proxy.calls("PutRecords").length], [1, 0]);
    while (writer.pending() > 0) await turn();
    assertEquals((await written(stream)).length, 1);
  });

  it("makes the caller wait above its bound and lets it go on below", async () => {
    const stream = await fixture.stream("bound", 1);
    const writer = await open(stream, { order: "none" });
    const rows = rowsOf(BUFFERED_RECORDS_MAX + 1, 500);
    const room = writer.write(sinkBatch(rows));
    assert(room instanceof Promise);
    await room;
    assert(writer.pending() <= BUFFERED_RECORDS_MAX);
    await writer.flush();
    assertEquals(writer.pending(), 0);
    const calls = fixture.proxy.calls("PutRecords").length;
    assert(calls <= Math.ceil(rows.length / 500) + REQUESTS_IN_FLIGHT_MAX, `${calls} requests`);
  });

  it("rejects rows that can never be written, and writes the others", async () => {
    const stream = await fixture.stream("reject", 1);
    const writer = await open(stream, {
      partitionKey: ({ key }) => {
        if (key === "throws") throw new Error("no key");
        return key;
      },
      maxRecordBytes: 60,
    });
    const rows = ["a", "", "b".repeat(257), "throws", "c".repeat(50), "d"]
      .map((key, n) => ({ key, n }));
    await write(writer, rows);
    assertEquals((await written(stream)).map(({ n }) => n), [0, 5]);
    assertEquals(
      fixture.rejected.map(({ origin }) => origin),
      [1, 2, 3, 4].map((n) => `shard@${n}`),
    );
    assertEquals(fixture.rejected[2]?.reason, "no key");
    assertEquals(fixture.rejected[3]?.value, rows[4]);
    assertEquals(fixture.failures, []);
  });

  it("writes a batch's rows as JSON of their own, and rejects those that have none", async () => {
    const stream = await fixture.stream("json", 1);
    const sink = kinesis.sink<{ key: string; n: unknown }>(stream, {
      partitionKey: (row) => row.key,
    });
    const writer = await sink.open(fixture.context);
    writers.push(writer);
    const values = ["é", 1n, "x".repeat(300), undefined, { list: [1] }, () => 1, '"'];
    const rows = values.map((n, row) => ({ key: `key-${row}`, n }));
    await writer.write(sinkBatch(rows));
    await writer.flush();
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const [shard] = await source.shards(fixture.context);
    assert(shard !== undefined);
    assertEquals(
      (await fixture.texts(source, shard.id, 6)).toSorted(),
      rows.filter((_, row) => row !== 1).map((row) => JSON.stringify(row)).toSorted(),
    );
    assertEquals(
      fixture.rejected.map(({ origin, reason }) => [origin, reason]),
      [["shard@1", "Do not know how to serialize a BigInt"]],
    );
  });

  it("finds the one row that the service refuses, and writes the others", async () => {
    const stream = await fixture.stream("refused", 1);
    const refusal: Fault = { kind: "error", status: 400, type: "InvalidArgumentException" };
    // The whole request, and then the first row alone.
    fixture.proxy.inject("PutRecords", refusal, refusal);
    await write(await open(stream), rowsOf(5, 5));
    assertEquals(fixture.rejected.length, 1);
    assertEquals((await written(stream)).length, 4);
  });

  it("fails once on what somebody must change, and then takes nothing more", async () => {
    const stream = await fixture.stream("fatal", 1);
    const denied: Fault = { kind: "error", status: 400, type: "AccessDeniedException" };
    fixture.proxy.inject("PutRecords", denied, denied, denied);
    const writer = await open(stream);
    writer.write(sinkBatch(rowsOf(1200, 1200)));
    await assertRejects(() => writer.flush(), Error, "kinesis:PutRecords");
    assertEquals(fixture.failures.length, 1);
    await assertRejects(async () => await writer.write(sinkBatch(rowsOf(1, 1))), Error);
    await assertRejects(() => writer.flush(), Error);
  });

  it("fails when the stream does not exist", async () => {
    await assertRejects(() => open("absent"), Error, "check the stream's name");
  });

  it("stops all work when closed, whatever is under way", async () => {
    const stream = await fixture.stream("close", 1);
    fixture.proxy.inject("PutRecords", ...Array.from({ length: 50 }, () => THROTTLE));
    const writer = await open(stream);
    writer.write(sinkBatch(rowsOf(10, 10)));
    const flushed = writer.flush();
    await turn();
    await writer.close();
    await assertRejects(() => flushed, Error, "closed with 10 records unwritten");
    const calls = fixture.proxy.calls("PutRecords").length;
    for (let turns = 0; turns < 30; turns++) await turn();
    assert(fixture.proxy.calls("PutRecords").length <= calls + 1);
    assertEquals(fixture.failures, []);
  });

  it("puts by explicit hash key", async () => {
    const stream = await fixture.stream("hash", 2);
    const writer = await open(stream, { explicitHashKey: () => String((1n << 128n) - 1n) });
    await write(writer, rowsOf(20, 20));
    const source = kinesis.source(stream, { start: "trimHorizon" });
    assertEquals((await fixture.texts(source, "shardId-000000000001", 20)).length, 20);
  });

  const turn = () => new Promise<void>((resolve) => void fixture.context.clock.defer(resolve));
});

sinkSuite("A Kinesis stream", async () => {
  const fixture = await StreamFixture.open();
  const stream = await fixture.stream("suite", 2);
  const keys = 7;
  const { clock, aws, signal } = fixture.context;
  const source = kinesis.source(stream, { start: "trimHorizon" });
  return {
    sink: kinesis.sink<Row>(stream, { partitionKey: ({ key }) => key }),
    row: (n) => ({ key: `key-${n % keys}`, n }),
    keys,
    written: async () => {
      const rows: Row[] = [];
      for (const { id } of await source.shards(fixture.context)) {
        const { values } = await fixture.read(
          source,
          id,
          undefined,
          (_, { length }) => length === 0,
        );
        rows.push(...values.map((record) => JSON.parse(textOf(record))));
      }
      return rows.map(({ n }) => n);
    },
    unwritable: [{ key: "", n: -1 }, { key: "k".repeat(257), n: -2 }],
    clock,
    context: { aws, signal },
    close: () => fixture.close(),
  };
});
