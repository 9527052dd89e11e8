/**
 * A file is replayed pass by pass, batch by batch as asked for, and its readers let go of it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { RawBatch, type RawRecord } from "../../../connectors/raw_record.ts";
import type { ReadContext, ShardBatch } from "../../../connectors/source.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { REPLAY_INPUTS } from "../bench_job.ts";
import { replay } from "./replay.ts";

// Deno loses its way to other threads when the last channel is closed and the next one opened at once, as happens from
// test to test and nowhere else: with this one there is no last.
new BroadcastChannel("held open");

const ROWS = 5000;
const SHARDS = 4;
const lines = Array.from({ length: ROWS }, (_, n) => `${n % 4 === 0 ? "booking" : "event"} ${n}`);

function contextOf(signal: AbortSignal, next: () => Promise<void>): ReadContext {
  return {
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    aws: {},
    signal,
    demand: { next },
  };
}

function textsOf(batch: ShardBatch<RawRecord>): string[] {
  if (!(batch instanceof RawBatch)) throw new TypeError("Not a raw batch");
  return Array.from({ length: batch.length }, (_, row) => batch.textAt(row));
}

describe("replay()", () => {
  let dataDir = "";
  const { signal } = new AbortController();

  beforeAll(() => {
    dataDir = Deno.makeTempDirSync();
    Deno.writeTextFileSync(`${dataDir}/clicks.ndjson`, lines.join("\n") + "\n");
  });
  afterAll(() => Deno.removeSync(dataDir, { recursive: true }));

  /** The records of each shard, all read at the same time. */
  function readAll(source: ReturnType<typeof replay>): Promise<string[][]> {
    return Promise.all(
      Array.from({ length: SHARDS }, (_, shard) =>
        new Promise<string[]>((resolve, reject) => {
          const texts: string[] = [];
          source.read(`shard-${shard}`, undefined, contextOf(signal, () => Promise.resolve()))
            .subscribe({
              next: (batch) => texts.push(...textsOf(batch)),
              error: reject,
              complete: () => resolve(texts),
            });
        })),
    );
  }

  for (const input of REPLAY_INPUTS) {
    it(`gives all records, as often as there are passes, ${input}`, async () => {
      const shards = await readAll(replay({ dataDir, file: "clicks.ndjson", passes: 2, input }));
      assertEquals(shards.map(({ length }) => length), [4000, 2000, 2000, 2000]);
      assertEquals(shards[1], [...lines.slice(1000, 2000), ...lines.slice(1000, 2000)]);
      assertEquals(new Set(shards.flat()), new Set(lines));
    });

    it(`gives two sources of one file each its own rows, ${input}`, async () => {
      const options = { dataDir, file: "clicks.ndjson", passes: 1, input };
      const [bookings, events] = await Promise.all([
        readAll(replay({ ...options, containing: "booking" })),
        readAll(replay({ ...options, containing: "event" })),
      ]);
      assertEquals([bookings.flat().length, events.flat().length], [ROWS / 4, 3 * ROWS / 4]);
      assertEquals(bookings.flat().every((text) => text.startsWith("booking")), true);
      assertEquals(new Set([...bookings.flat(), ...events.flat()]), new Set(lines));
    });
  }

  it("gives a batch only when it is asked for, and none after it was let go", async () => {
    const source = replay({ dataDir, file: "clicks.ndjson", passes: 9, input: "memory" });
    const asked: (() => void)[] = [];
    const taken: number[] = [];
    const delivered = Promise.withResolvers<void>();
    const subscriptions = Array.from({ length: SHARDS }, (_, shard) =>
      source.read(
        `shard-${shard}`,
        undefined,
        contextOf(signal, () => new Promise((resolve) => asked.push(resolve))),
      ).subscribe((batch) => {
        taken.push(batch.length);
        delivered.resolve();
      }));
    assertEquals([asked.length, taken], [SHARDS, []]);
    asked[0]?.();
    await delivered.promise;
    assertEquals(taken, [1000]);
    for (const subscription of subscriptions) subscription.unsubscribe();
    const before = asked.length;
    for (const grant of asked) grant();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    assertEquals([asked.length, taken], [before, [1000]]);
  });
});
