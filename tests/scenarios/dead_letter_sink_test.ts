/**
 * A job's own sink of dead letters: all of them get there, whoever made them and however late, and
 * a slow one slows the job down instead of losing any.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { map } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import type { Sink, SinkBatch, SinkContext } from "../../connectors/sink.ts";
import { delay } from "../../runtime/clock.ts";
import type { DeadLetter, ErrorPolicy } from "../../runtime/dead_letter.ts";
import { defineJob } from "../../runtime/job.ts";
import { hostedRun } from "./hosted_run.ts";

const numbersBelow = (count: number) => Array.from({ length: count }, (_, n) => n);

/** A sink whose rows are written only when it is flushed or full, after a while. */
class BufferingSink<T> implements Sink<T> {
  readonly kind = "buffering";
  readonly name = "buffering";
  readonly written: T[] = [];
  readonly #rowsMax: number;
  readonly #refused: (value: T) => boolean;
  pendingMax = 0;

  constructor(rowsMax: number, refused: (value: T) => boolean = () => false) {
    this.#rowsMax = rowsMax;
    this.#refused = refused;
  }

  readonly guarantee = "at least once";

  readonly open = (context: SinkContext) => {
    let rows: { value: T; origin: string }[] = [];
    const flush = async () => {
      const leaving = rows;
      rows = [];
      await delay(context.clock, 10);
      for (const { value, origin } of leaving) {
        if (this.#refused(value)) context.reject({ value, origin, reason: "refused" });
        else this.written.push(value);
      }
    };
    return Promise.resolve({
      write: (batch: SinkBatch<T>) => {
        for (let row = 0; row < batch.length; row++) {
          rows.push({ value: batch.values[row] as T, origin: batch.originAt(row) });
        }
        this.pendingMax = Math.max(this.pendingMax, rows.length);
        return rows.length >= this.#rowsMax ? flush() : undefined;
      },
      flush,
      close: () => Promise.resolve(),
      pending: () => rows.length,
    });
  };
}

const byOrigin = (letters: readonly DeadLetter[]) =>
  letters.toSorted((a, b) => a.origin < b.origin ? -1 : 1);

/** Every third number fails, in one place after the other. */
function troubled(
  letters: Sink<DeadLetter>,
  out: Sink<number>,
  numbers: number,
  onError: ErrorPolicy = "resume",
) {
  const meet = (place: number) => (n: number) => {
    if (n % 3 === 0 && Math.floor(n / 3) % 4 === place) throw new Error(`${n} in place ${place}`);
    return n;
  };
  return defineJob({
    name: "troubled",
    onError,
    sources: { numbers: memory.source({ shards: [numbersBelow(numbers)] }) },
    sinks: { out },
    deadLetters: letters,
    build({ numbers }, { out }) {
      numbers.pipe(map(meet(0)))
        .keyBy(meet(1))
        .process("meet", { state: {}, onEvent: (n) => [meet(2)(n)] })
        .mapAsync("call", async (n, { delay }) => {
          await delay(5);
          return meet(3)(n);
        })
        .to(out);
    },
  });
}

describe("deadLetters of a job", () => {
  for (const workers of [1, 2, 3]) {
    it(`get all letters, from everywhere, on ${workers} workers`, async () => {
      const letters = new BufferingSink<DeadLetter>(50);
      const out = new BufferingSink<number>(50);
      const run = await hostedRun(troubled(letters, out, 300), { workers, seed: workers });
      assertEquals(run.outcome.kind, "finished");
      assertEquals(out.written.length, 200);
      assertEquals(letters.written.length, 100);
      assertEquals(byOrigin(letters.written), byOrigin(run.deadLetters));
      assertEquals(
        new Set(letters.written.map(({ operator }) => operator)),
        new Set(["numbers/pipe", "numbers/keyBy", "meet", "call"]),
      );
    });
  }

  it("get what sinks refuse when they are flushed at the very end", async () => {
    const letters = new BufferingSink<DeadLetter>(1000);
    const out = new BufferingSink<number>(1000, (n) => n % 10 === 7);
    const job = defineJob({
      name: "refused",
      sources: { numbers: memory.source(numbersBelow(100)) },
      sinks: { out },
      deadLetters: letters,
      build: ({ numbers }, { out }) => numbers.to(out),
    });
    await hostedRun(job);
    assertEquals(out.written.length, 90);
    assertEquals(
      letters.written.map(({ operator, origin, reason, value }) => [
        operator,
        origin,
        reason,
        value,
      ]),
      numbersBelow(100).filter((n) => n % 10 === 7).map((n) => [
        "out",
        `numbers/shard-0@${n}`,
        "refused",
        n,
      ]),
    );
  });

  it("hold the job back while their sink is full, and lose none", async () => {
    const letters = new BufferingSink<DeadLetter>(100);
    const job = defineJob({
      name: "all bad",
      sources: { numbers: memory.source(numbersBelow(20_000)) },
      sinks: { out: memory.sink<number>() },
      deadLetters: letters,
      build({ numbers }, { out }) {
        numbers.pipe(map((n): number => {
          throw new Error(`${n}`);
        })).to(out);
      },
    });
    const { endedAt } = await hostedRun(job);
    assertEquals(letters.written.length, 20_000);
    assert(letters.pendingMax <= 1100, `${letters.pendingMax} letters were waiting`);
    assert(endedAt >= 100, `It took ${endedAt} ms`);
  });

  for (const policy of ["stop", "restart"] as const) {
    it(`get the letter of the record that ended an attempt with policy ${policy}`, async () => {
      const letters = new BufferingSink<DeadLetter>(1000);
      const job = troubled(letters, memory.sink<number>(), 10, policy);
      const run = await hostedRun(job, { workers: 2 });
      assertEquals(run.outcome.kind, "failed");
      assertEquals(letters.written.length, policy === "stop" ? 1 : 11);
      assertEquals(letters.written, [...run.deadLetters]);
    });
  }
});
