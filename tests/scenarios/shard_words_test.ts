import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import type { Stream } from "../../runtime/stream.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

type Way = (numbers: Stream<number>) => Stream<number>;

const called: Way = (numbers) =>
  numbers.mapAsync("call", async (n, { delay }) => {
    await delay(100);
    return n;
  });

/**
 * Starts a job twice again: once both shards have said a time, and once `shard` has said a later one behind a record whose
 * call is under way then. After that the call is answered, and the other shard has a record.
 *
 * @returns each record with the watermark that it found: those before the last start, and those after it
 */
async function timedOverStarts(
  way: Way,
  { workers, shard }: { readonly workers: number; readonly shard: string },
): Promise<readonly [before: readonly string[], after: readonly string[]]> {
  const other = shard === "a" ? "b" : "a";
  const numbers = new ScriptedSource<number>({ shards: ["a", "b"] });
  const out = memory.sink<string>();
  const job = defineJob({
    name: "words",
    sources: { numbers },
    sinks: { out },
    build({ numbers }, { out }) {
      way(numbers).keyBy(() => "all").process("timed", {
        state: {},
        onEvent: (n, { watermark }) => [`${n} at ${watermark}`],
      }).to(out);
    },
  });
  const advance = (at: number) => ({ event: { kind: "advance", at } }) as const;
  const checkpoints = memoryStore();
  const first = await JobDriver.start(job, { workers, checkpoints });
  for (const s of ["a", "b"]) numbers.push(s, advance(5));
  await first.settle();
  await first.checkpoint();
  await first.leave();
  const second = await JobDriver.start(job, { workers, checkpoints });
  numbers.push(other, advance(60));
  numbers.push(shard, { value: 1 }, advance(50));
  await second.settle();
  await second.checkpoint();
  await second.leave();
  const before = [...out.rows];
  const third = await JobDriver.start(job, { workers, checkpoints });
  await third.advanceTo(500);
  numbers.push(other, { value: 2 });
  await third.settle();
  await third.advanceTo(1000);
  return [before, out.rows.slice(before.length)];
}

/** What a checkpoint has of a shard is what the worker says that reads it, however often the job starts again. */
describe("a job that starts again and again", () => {
  for (const workers of [1, 2]) {
    for (const shard of ["a", "b"]) {
      it(`knows what a shard has said behind calls: ${workers} workers, shard ${shard}`, async () => {
        const [before, after] = await timedOverStarts(called, { workers, shard });
        assertEquals([before, after], [[], ["1 at 5", "2 at 50"]]);
      });

      it(`knows what a shard has said over a branch: ${workers} workers, shard ${shard}`, async () => {
        const way: Way = (numbers) => numbers.merge(called(numbers.pipe((n) => n)));
        const [, after] = await timedOverStarts(way, { workers, shard });
        assertEquals(after, ["1 at 5", "2 at 50", "2 at 50"]);
      });
    }
  }
});
