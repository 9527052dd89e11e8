import { assertEquals, assertInstanceOf, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory, MEMORY_BATCH_ROWS_MAX } from "../../../connectors/memory/memory.ts";
import { NO_TIMESTAMP, type ShardBatch, type Source } from "../../../connectors/source.ts";
import { connectorContext } from "../connector_context.ts";
import { until } from "../event_loop.ts";
import { jumpingClock } from "../kinesis/jumping_clock.ts";
import { sinkSuite } from "../sink_suite.ts";
import { sourceSuite } from "../source_suite.ts";

const ROWS = 2 * MEMORY_BATCH_ROWS_MAX + 10;
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

for (const bounded of [true, false]) {
  sourceSuite(`memory.source(), ${bounded ? "bounded" : "unbounded"},`, () => {
    const shards = [numbers(5), numbers(ROWS), []];
    return Promise.resolve({
      source: memory.source({ shards, bounded }),
      contents: new Map(shards.map((values, index) => [`shard-${index}`, values])),
      comparable: (value) => value,
      ends: bounded,
      clock: jumpingClock(),
    });
  });
}

sinkSuite("memory.sink()", () => {
  const sink = memory.sink<number>();
  return Promise.resolve({
    sink,
    row: (number) => number,
    keys: 1,
    written: () => Promise.resolve(sink.rows),
    clock: jumpingClock(),
  });
});

/** All batches of a bounded shard, or the error that it ends with. */
async function read<T>(source: Source<T>, shard: string, after?: string) {
  const batches: ShardBatch<T>[] = [];
  let end: unknown;
  source.read(shard, after, {
    ...connectorContext(jumpingClock()),
    demand: { next: () => Promise.resolve() },
  })
    .subscribe({
      next: (batch) => batches.push(batch),
      error: (error) => end = error,
      complete: () => end = "completed",
    });
  await until(() => end !== undefined, "the end");
  return { batches, end };
}

describe("memory.source()", () => {
  it("takes a plain array as a single shard, bounded", async () => {
    const source = memory.source(["a", "b"]);
    assertEquals([source.kind, source.name, source.bounded], ["memory", "memory", true]);
    const { batches: [batch], end } = await read(source, "shard-0");
    assertEquals([batch?.valueAt(0), batch?.valueAt(1)], ["a", "b"]);
    assertEquals([batch?.positionAt(0), batch?.position], ["0", "1"]);
    assertEquals([batch?.timestampAt(0), end], [NO_TIMESTAMP, "completed"]);
  });

  it("gives values the time that its option says", async () => {
    const source = memory.source({ shards: [[{ at: 7 }]], timestamp: ({ at }) => at });
    const { batches: [batch] } = await read(source, "shard-0");
    assertEquals(batch?.timestampAt(0), 7);
  });

  it("cuts batches at the limit", async () => {
    const { batches } = await read(memory.source(numbers(ROWS)), "shard-0");
    assertEquals(batches.map(({ length }) => length), [
      MEMORY_BATCH_ROWS_MAX,
      MEMORY_BATCH_ROWS_MAX,
      10,
    ]);
  });

  it("errors for a shard that is not there and positions that it can't have given", async () => {
    const source = memory.source([1, 2]);
    for (
      const [shard, after] of [["shard-1"], ["shard-0", "x"], ["shard-0", "-1"], ["shard-0", "2"]]
    ) {
      const { batches, end } = await read(source, shard ?? "", after);
      assertInstanceOf(end, RangeError);
      assertStringIncludes(end.message, after ?? "shard-1");
      assertMatch(end.message, /restore a checkpoint/);
      assertEquals(batches, []);
    }
    assertEquals((await read(source, "shard-0", "1")).end, "completed");
  });
});
