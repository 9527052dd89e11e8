import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { kinesis } from "../../../connectors/kinesis/kinesis.ts";
import { textOf } from "../../../connectors/raw_record.ts";
import { DataLossError } from "../../../connectors/source.ts";
import { systemClock } from "../../../runtime/clock.ts";
import type { Fault } from "./fault_proxy.ts";
import { StreamFixture } from "./stream_fixture.ts";

const SHARD = "shardId-000000000000";
const error = (status: number, type: string, message?: string): Fault => ({
  kind: "error",
  status,
  type,
  ...(message === undefined ? {} : { message }),
});
const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => [`key-${index % 7}`, `text-${index}`] as const);
const textsOf = (rows: readonly (readonly [string, string])[]) => rows.map(([, text]) => text);

describe("readShard()", () => {
  let fixture: StreamFixture;
  beforeEach(async () => void (fixture = await StreamFixture.open()));
  afterEach(() => fixture.close());

  it("reads records in order, with keys, positions and arrival times", async () => {
    const stream = await fixture.stream("order", 1);
    const rows = numbered(1200);
    await fixture.put(stream, rows);
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const { values, position } = await fixture.read(
      source,
      SHARD,
      undefined,
      (all) => all.length >= rows.length,
    );
    assertEquals(values.map(textOf), textsOf(rows));
    assertEquals(values[8]?.partitionKey, "key-1");
    assertEquals(values.at(-1)?.sequenceNumber, position);
    assertEquals(values[0]?.shardId, SHARD);
    assert(Math.abs((values[0]?.approximateArrival ?? 0) - fixture.context.clock.now()) < 60_000);
  });

  it("goes on after a position, nothing lost and nothing twice", async () => {
    const stream = await fixture.stream("resume", 1);
    const rows = numbered(20);
    await fixture.put(stream, rows.slice(0, 9));
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const first = await fixture.read(source, SHARD, undefined, (all) => all.length >= 9);
    await fixture.put(stream, rows.slice(9));
    assertEquals(
      await fixture.texts(source, SHARD, 11, first.position),
      textsOf(rows.slice(9)),
    );
  });

  it("keeps the position through throttles, 500s, cut connections and broken answers", async () => {
    const stream = await fixture.stream("faults", 1);
    const rows = numbered(30);
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const faults = [
      error(400, "ProvisionedThroughputExceededException"),
      error(500, "InternalFailure"),
      error(503, "ServiceUnavailable"),
      { kind: "drop", when: "before" },
      { kind: "drop", when: "after" },
      { kind: "answer", body: '{"Records":[{"Da' },
      { kind: "answer", body: "{}" },
    ] satisfies Fault[];
    // HTTP itself repeats a call whose kept-alive connection is cut, once: three cuts in a row reach the reader.
    const cuts = Array.from({ length: 3 }, (): Fault => ({ kind: "drop", when: "before" }));
    fixture.proxy.inject("GetShardIterator", ...faults.slice(0, 3), ...cuts);
    let put = 0;
    // A record and a fault after each batch, so that faults fall between records.
    const read = fixture.read(source, SHARD, undefined, (all) => {
      if (all.length === put && put < rows.length) {
        const fault = faults[put % faults.length];
        if (fault !== undefined) fixture.proxy.inject("GetRecords", fault);
        const from = put++;
        fixture.put(stream, rows.slice(from, put)).catch(putFailed);
      }
      return all.length >= rows.length;
    });
    const { values } = await read;
    assertEquals(values.map(textOf), textsOf(rows));
    assertEquals(fixture.proxy.remaining(), 0);
    const warned = fixture.lines.filter(({ level }) => level === "warn");
    assert(warned.length > 0);
    assert(warned.length < faults.length + 4, "Failures in a row are logged seldom");
  });

  it("takes a new iterator after the kept position when the old one is refused", async () => {
    const stream = await fixture.stream("expiry", 1);
    const rows = numbered(6);
    await fixture.put(stream, rows.slice(0, 3));
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const causes = [
      error(400, "ExpiredIteratorException"),
      error(400, "InvalidArgumentException", "Invalid ShardIterator."),
    ];
    let injected = false;
    const { values } = await fixture.read(source, SHARD, undefined, (all) => {
      if (all.length >= 3 && !injected) {
        injected = true;
        fixture.proxy.inject("GetRecords", ...causes);
        fixture.put(stream, rows.slice(3)).catch(putFailed);
      }
      return all.length >= 6;
    });
    assertEquals(values.map(textOf), textsOf(rows));
    const asked = fixture.proxy.calls("GetShardIterator").map((body) => JSON.parse(body));
    assertEquals(asked.map(({ ShardIteratorType }) => ShardIteratorType), [
      "TRIM_HORIZON",
      "AFTER_SEQUENCE_NUMBER",
      "AFTER_SEQUENCE_NUMBER",
    ]);
    assertEquals(asked[1].StartingSequenceNumber, values[2]?.sequenceNumber);
  });

  it("pins latest to a time that outlives an expiry and a restart before the first record", async () => {
    const stream = await fixture.stream("latest", 1);
    await fixture.put(stream, [["a", "before"]]);
    await untilLater(fixture);
    const source = kinesis.source(stream);
    const started = await fixture.read(source, SHARD, undefined, () => true);
    assertEquals(started.values, []);
    assertEquals(started.position?.startsWith("at:"), true);
    await fixture.put(stream, [["a", "between"]]);
    fixture.proxy.inject("GetRecords", error(400, "ExpiredIteratorException"));
    assertEquals(await fixture.texts(kinesis.source(stream), SHARD, 1, started.position), [
      "between",
    ]);
  });

  it("waits for a start that is in the service's future", async () => {
    const stream = await fixture.stream("future", 1);
    await fixture.put(stream, [["a", "text"]]);
    fixture.proxy.inject(
      "GetShardIterator",
      error(400, "InvalidArgumentException", "The timestampInMillis parameter cannot be greater"),
    );
    const source = kinesis.source(stream, { start: { at: 1 } });
    assertEquals(await fixture.texts(source, SHARD, 1), ["text"]);
  });

  it("starts at a time and after given sequence numbers", async () => {
    const stream = await fixture.stream("starts", 1);
    await fixture.put(stream, [["a", "one"], ["a", "two"]]);
    const oldest = kinesis.source(stream, { start: "trimHorizon" });
    const { values } = await fixture.read(oldest, SHARD, undefined, (all) => all.length >= 2);
    const at = kinesis.source(stream, { start: { at: values[0]?.approximateArrival ?? 0 } });
    assertEquals(await fixture.texts(at, SHARD, 2), ["one", "two"]);
    const after = { [SHARD]: values[0]?.sequenceNumber ?? "" };
    assertEquals(await fixture.texts(kinesis.source(stream, { start: { after } }), SHARD, 1), [
      "two",
    ]);
  });

  it("says data loss and goes on from the oldest record when the position is gone", async () => {
    const stream = await fixture.stream("trimmed", 1);
    await fixture.put(stream, numbered(3));
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const { position } = await fixture.read(source, SHARD, undefined, (all) => all.length >= 3);
    fixture.proxy.inject("GetShardIterator", error(400, "ResourceNotFoundException"));
    assertEquals((await fixture.texts(source, SHARD, 3, position)).length, 3);
    const lost = fixture.lines.find(({ level }) => level === "error");
    assert(lost?.message.startsWith("Data loss"));
    assertEquals([lost?.fields.shard, lost?.fields.position], [SHARD, position]);
  });

  it("says data loss and completes when the shard is gone", async () => {
    const stream = await fixture.stream("gone", 1);
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const gone = "shardId-000000000007";
    assertEquals(
      await fixture.read(source, gone, undefined, () => false),
      { values: [], position: undefined, ended: true },
    );
    assert(
      fixture.lines.some(({ level, message }) => level === "error" && /expired/.test(message)),
    );
  });

  it("warns of a position older than the retention", async () => {
    const stream = await fixture.stream("aged", 1);
    await fixture.put(stream, [["a", "old"], ["a", "new"]]);
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const { values } = await fixture.read(source, SHARD, undefined, (all) => all.length >= 2);
    const { clock } = fixture.context;
    const later = { ...clock, now: () => clock.now() + 30 * 3_600_000 };
    const context = { ...fixture.context, clock: later };
    await new Promise<void>((resolve, reject) => {
      const subscription = source.read(SHARD, values[0]?.sequenceNumber, context).subscribe({
        next: () => queueMicrotask(() => (subscription.unsubscribe(), resolve())),
        error: reject,
      });
    });
    const line = fixture.lines.find(({ level }) => level === "error");
    assert(line?.message.startsWith("Data may be lost"));
    assertEquals(line?.fields.retentionHours, 24);
  });

  it("says when the gap ends at which a trimmed position has left it", async () => {
    const stream = await fixture.stream("gap", 1);
    await fixture.put(stream, numbered(3));
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const { values, position } = await fixture.read(
      source,
      SHARD,
      undefined,
      (all) => all.length >= 3,
    );
    fixture.proxy.inject("GetShardIterator", error(400, "ResourceNotFoundException"));
    await fixture.texts(source, SHARD, 3, position);
    const [lost, end] = fixture.lines.filter(({ level }) => level === "error");
    const arrival = (row: number) => values[row]?.approximateArrival ?? 0;
    const from = Date.parse(String(lost?.fields.gapFrom));
    assertEquals(from, Math.floor(arrival(2) / 1000) * 1000);
    assertEquals(end?.fields.gapFrom, lost?.fields.gapFrom);
    assertEquals(end?.fields.gapTo, new Date(arrival(0)).toISOString());
  });

  describe('with onDataLoss "stop"', () => {
    const reading = async (name: string) => {
      const stream = await fixture.stream(name, 1);
      await fixture.put(stream, [["a", "old"], ["a", "new"]]);
      const oldest = kinesis.source(stream, { start: "trimHorizon", onDataLoss: "stop" });
      const { values } = await fixture.read(oldest, SHARD, undefined, (all) => all.length >= 2);
      return { stream, oldest, position: values[0]?.sequenceNumber };
    };
    const assertStops = async (reading: () => Promise<unknown>, ...says: readonly string[]) => {
      const failure = await assertRejects(reading, DataLossError);
      for (const text of says) assertStringIncludes(failure.message, text);
      assertEquals(fixture.lines.filter(({ level }) => level === "error"), []);
    };

    it("stops at a position that is gone", async () => {
      const { oldest, position, stream } = await reading("stop-trimmed");
      fixture.proxy.inject("GetShardIterator", error(400, "ResourceNotFoundException"));
      await assertStops(
        () => fixture.read(oldest, SHARD, position, () => true),
        `shard "${SHARD}" of stream "${stream}" after position "${position}"`,
        'then start once with onDataLoss "continue"',
      );
    });

    it("stops at a shard that is gone", async () => {
      const { oldest, position } = await reading("stop-gone");
      const gone = "shardId-000000000007";
      await assertStops(() => fixture.read(oldest, gone, position, () => true), "expired before");
    });

    it("stops at a position that is older than the retention", async () => {
      const { oldest, position } = await reading("stop-aged");
      fixture.agedBy(30);
      const day = /gap from \d{4}-.*Z to \d{4}-.*Z\)/;
      const failure = await assertRejects(
        () => fixture.read(oldest, SHARD, position, () => true),
        DataLossError,
        "Data may be lost",
      );
      assertMatch(failure.message, day);
    });

    it("stops at a time that is, if reading had got there, and not if the job says so", async () => {
      const { stream } = await reading("stop-time");
      const at = fixture.context.clock.now() - 30 * 3_600_000;
      const latest = kinesis.source(stream, { onDataLoss: "stop" });
      await assertStops(() => fixture.read(latest, SHARD, `at:${at}`, () => true), "may be lost");
      const since = kinesis.source(stream, { start: { at }, onDataLoss: "stop" });
      assertEquals(await fixture.texts(since, SHARD, 2), ["old", "new"]);
      assertEquals(await fixture.texts(since, SHARD, 2, `at:${at}`), ["old", "new"]);
    });

    it("reads as ever where nothing is lost", async () => {
      const { oldest, position } = await reading("stop-not");
      fixture.agedBy(23);
      assertEquals(await fixture.texts(oldest, SHARD, 1, position), ["new"]);
    });

    it("is no other word", () => {
      const onDataLoss = JSON.parse('"halt"');
      assertThrows(
        () => kinesis.source("s", { onDataLoss }),
        RangeError,
      );
    });
  });

  for (
    const [fault, says] of [
      [error(400, "AccessDeniedException"), /kinesis:GetRecords/],
      [error(400, "UnrecognizedClientException"), /AWS_ACCESS_KEY_ID/],
      [error(400, "KMSAccessDeniedException"), /kms:Decrypt/],
    ] as const
  ) {
    it(`errors at once on ${fault.kind === "error" ? fault.type : ""}, saying what to do`, async () => {
      const stream = await fixture.stream("denied", 1);
      fixture.proxy.inject("GetShardIterator", fault);
      const source = kinesis.source(stream, { start: "trimHorizon" });
      const failure = await assertRejects(() =>
        fixture.read(source, SHARD, undefined, () => false)
      );
      assert(failure instanceof Error);
      assert(says.test(failure.message), failure.message);
      assert(failure.message.includes(stream) && failure.message.includes(SHARD));
    });
  }

  it("errors when the stream does not exist", async () => {
    const source = kinesis.source("absent", { start: "trimHorizon" });
    const failure = await assertRejects(() => fixture.read(source, SHARD, undefined, () => false));
    assert(failure instanceof Error && /check the stream's name/.test(failure.message));
  });

  it("errors when the position is of another stream", async () => {
    const stream = await fixture.stream("other", 1);
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const failure = await assertRejects(() => fixture.read(source, SHARD, "17", () => false));
    assert(failure instanceof Error && /deleted and made again/.test(failure.message));
  });

  it("delivers one batch per grant and calls nothing after unsubscribing", async () => {
    const stream = await fixture.stream("demand", 1);
    await fixture.put(stream, numbered(5));
    const grants: (() => void)[] = [];
    const demand = { next: () => new Promise<void>((resolve) => void grants.push(resolve)) };
    const source = kinesis.source(stream, { start: "trimHorizon" });
    let batches = 0;
    const gotOne = Promise.withResolvers<void>();
    const subscription = source.read(SHARD, undefined, { ...fixture.context, demand })
      .subscribe(() => (batches++, gotOne.resolve()));
    while (grants.length === 0) await turn(fixture);
    assertEquals(fixture.proxy.calls("GetRecords").length, 0);
    grants.shift()?.();
    await gotOne.promise;
    while (grants.length === 0) await turn(fixture);
    assertEquals([batches, fixture.proxy.calls("GetRecords").length], [1, 1]);
    subscription.unsubscribe();
    grants.shift()?.();
    for (let turns = 0; turns < 20; turns++) await turn(fixture);
    assertEquals([batches, fixture.proxy.calls("GetRecords").length], [1, 1]);
  });

  it("keeps five calls a second and rests at the tip", async () => {
    const stream = await fixture.stream("pace", 1);
    const { clock } = fixture.context;
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const times: number[] = [];
    await fixture.read(source, SHARD, undefined, () => times.push(clock.monotonic()) >= 3);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assertEquals(gaps, [250, 250]);
  });
});

const turn = (fixture: StreamFixture) =>
  new Promise<void>((resolve) => void fixture.context.clock.defer(resolve));

/** Lets the machine's clock go on, so that "latest" is after what was put. */
async function untilLater(fixture: StreamFixture): Promise<void> {
  const from = systemClock.now();
  while (systemClock.now() <= from + 1) await turn(fixture);
}

function putFailed(cause: unknown): never {
  throw new Error("Cannot put while reading", { cause });
}
