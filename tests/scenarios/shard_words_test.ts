import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import type { Stream } from "../../runtime/stream.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

/** A job over two shards that hands a number on, with the watermark then; `called` is what the calls give. */
function timedJob(
  build: (numbers: Stream<number>, called: Stream<number>) => Stream<number>,
) {
  const numbers = new ScriptedSource<number>({ shards: ["a", "b"] });
  const out = memory.sink<string>();
  const job = defineJob({
    name: "words",
    sources: { numbers },
    sinks: { out },
    build({ numbers }, { out }) {
      const called = numbers.pipe((n) => n).mapAsync("call", async (n, { delay }) => {
        await delay(100);
        return n;
      });
      build(numbers, called).keyBy(() => "all").process("timed", {
        state: {},
        onEvent: (n, { watermark }) => [`${n} at ${watermark}`],
      }).to(out);
    },
  });
  return { numbers, out, job };
}

/** Three starts with a checkpoint before each: what the first two put out, and what the third does. */
async function threeStarts(
  { numbers, out, job }: ReturnType<typeof timedJob>,
  { workers, shard }: { readonly workers: number; readonly shard: string },
) {
  const other = shard === "a" ? "b" : "a";
  const advance = (at: number) => ({ event: { kind: "advance", at } }) as const;
  const checkpoints = memoryStore();
  const first = await JobDriver.start(job, { workers, checkpoints });
  for (const each of ["a", "b"]) numbers.push(each, advance(5));
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
  return { before, after: out.rows.slice(before.length) };
}

/** What a checkpoint has of a shard is what the worker says that reads it, however often the job starts again. */
describe("a job that starts again and again", () => {
  for (const workers of [1, 2]) {
    for (const shard of ["a", "b"]) {
      it(`knows what a shard has said behind calls: ${workers} workers, shard ${shard}`, async () => {
        const job = timedJob((_, called) => called);
        const { before, after } = await threeStarts(job, { workers, shard });
        assertEquals(before, []);
        assertEquals(after, ["1 at 5", "2 at 50"]);
      });

      it(`knows what a shard has said over a branch: ${workers} workers, shard ${shard}`, async () => {
        const job = timedJob((numbers, called) => numbers.merge(called));
        const { after } = await threeStarts(job, { workers, shard });
        assertEquals(after, ["1 at 5", "2 at 50", "2 at 50"]);
      });
    }
  }
});
