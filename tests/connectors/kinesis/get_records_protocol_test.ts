import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { GetRecordsAnswer } from "../../../connectors/kinesis/get_records_protocol.ts";
import { NO_TIMESTAMP } from "../../../connectors/source.ts";

const answer = (body: unknown) => new GetRecordsAnswer(JSON.stringify(body), 200);

describe("GetRecordsAnswer", () => {
  it("decodes payloads of all lengths into one arena without a gap", () => {
    const payloads = Array.from(
      { length: 12 },
      (_, length) => Uint8Array.from({ length }, (_, index) => 255 - index * length),
    );
    const Records = payloads.map((bytes, row) => ({
      Data: bytes.toBase64(),
      PartitionKey: `key ${row} é`,
      SequenceNumber: String(100 + row),
      ApproximateArrivalTimestamp: 1_700_000_000.123 + row,
    }));
    const columns = answer({ Records, NextShardIterator: "next", MillisBehindLatest: 5 });
    const decoded = payloads.map((_, row) =>
      columns.arena.slice(columns.starts[row], columns.ends[row])
    );
    assertEquals(decoded, payloads);
    assertEquals(columns.arena.length, payloads.reduce((sum, { length }) => sum + length, 0));
    assertEquals(columns.partitionKeys[3], "key 3 é");
    assertEquals(columns.sequenceNumbers[3], "103");
    assertEquals(columns.arrivals[3], 1_700_000_003_123);
    assertEquals([columns.nextIterator, columns.millisBehindLatest], ["next", 5]);
  });

  it("takes a missing iterator, or null, for the shard's end", () => {
    assertEquals(answer({ Records: [] }).nextIterator, undefined);
    assertEquals(answer({ Records: [], NextShardIterator: null }).nextIterator, undefined);
  });

  it("bears records without key, time and payload", () => {
    const columns = answer({ Records: [{ SequenceNumber: "1" }] });
    assertEquals(columns.partitionKeys, [""]);
    assertEquals(columns.arrivals[0], NO_TIMESTAMP);
    assertEquals([columns.starts[0], columns.ends[0]], [0, 0]);
  });

  it("refuses what is no answer", () => {
    for (const body of ["", "null", "{}", '{"Records":1}', '{"Records":[{"Data":"*"}]}']) {
      assertThrows(() => new GetRecordsAnswer(body, 200), SyntaxError);
    }
  });
});
