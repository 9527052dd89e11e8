/**
 * Jobs of many shapes: what comes out does not depend on the number of workers, nor on the order
 * in which they get their turns.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { filter, map, reduce } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { fused } from "../../operators/fused.ts";
import { is } from "../../operators/is.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import type { Stream } from "../../runtime/stream.ts";
import { runJob } from "../../runtime/testing/run_job.ts";

const NUMBERS = Array.from({ length: 200 }, (_, n) => n);
const WORKERS_AND_SEEDS = [1, 2, 3, 5].flatMap((workers) =>
  [1, 2, 3].map((seed) => ({ workers, seed }))
);
const twoShards = (numbers: readonly number[]) =>
  memory.source({ shards: [0, 1].map((shard) => numbers.filter((n) => n % 2 === shard)) });

/** Runs a job on numbers, on all workers and seeds. Gives the outcome that all have in common. */
async function outcome(
  build: (numbers: Stream<number>, letters: Stream<string>) => Stream<unknown>,
): Promise<unknown[]> {
  const job = defineJob({
    name: "shape",
    sources: { numbers: twoShards(NUMBERS), letters: memory.source(["a", "b", "c"]) },
    sinks: { out: memory.sink<unknown>(), letters: memory.sink<string>() },
    build({ numbers, letters }, sinks) {
      build(numbers, letters).to(sinks.out);
      letters.to(sinks.letters);
    },
  });
  const outcomes: unknown[][] = [];
  for (const options of WORKERS_AND_SEEDS) {
    const { output, deadLetters } = await runJob(job, {}, options);
    assertEquals(deadLetters, []);
    assertEquals(output("letters"), ["a", "b", "c"]);
    outcomes.push(sorted(output("out")));
  }
  for (const [index, rows] of outcomes.entries()) {
    assertEquals(rows, outcomes[0], JSON.stringify(WORKERS_AND_SEEDS[index]));
  }
  return outcomes[0] ?? [];
}

function sorted(rows: readonly unknown[]): unknown[] {
  return rows.map((row) => JSON.stringify(row)).sort().map((row) => JSON.parse(row));
}

const sumBy = (numbers: Stream<number>, groups: number, name: string) =>
  numbers.keyBy((n) => n % groups).process(name, {
    state: { sum: store.value(0), count: store.value(0) },
    onEvent(n, { key, state }) {
      state.sum.value += n;
      // Only the last of a group tells, so that the order within it does not show.
      if (++state.count.value < NUMBERS.length / groups) return undefined;
      return [{ key, sum: state.sum.value }];
    },
  });

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0);
const groupsOf = (groups: number) =>
  Array.from({ length: groups }, (_, key) => ({
    key,
    sum: sumOf(NUMBERS.filter((n) => n % groups === key)),
  }));

describe("a job", () => {
  it("merges streams of different types", async () => {
    const rows = await outcome((numbers, letters) =>
      numbers.merge(letters).keyBy((value) => typeof value).process("count", {
        state: { values: store.list<string | number>() },
        onEvent(value, { key, state }) {
          state.values.add(value);
          const { size } = state.values;
          return size === (key === "string" ? 3 : NUMBERS.length) ? [[key, size]] : undefined;
        },
      })
    );
    assertEquals(rows, [["number", 200], ["string", 3]]);
  });

  it("keys what was keyed, three stages on", async () => {
    const rows = await outcome((numbers) => {
      const tens = sumBy(numbers, 10, "tens");
      const pairs = tens.keyBy(({ key }) => key % 2).process("pairs", {
        state: { parts: store.list<number>() },
        onEvent({ sum }, { key, state }) {
          state.parts.add(sum);
          return state.parts.size === 5 ? [{ key, sum: sumOf([...state.parts]) }] : undefined;
        },
      });
      return pairs.keyBy(() => "all").process("all", {
        state: { sums: store.map<number, number>() },
        onEvent({ key, sum }, { state }) {
          state.sums.set(key, sum);
          if (state.sums.size < 2) return undefined;
          return [[...state.sums.entries()].sort(([a], [b]) => a - b)];
        },
      });
    });
    assertEquals(rows, [groupsOf(2).map(({ key, sum }) => [key, sum])]);
  });

  it("takes one source in two branches and merges them again", async () => {
    const rows = await outcome((numbers) => {
      const even = numbers.pipe(filter((n) => n % 2 === 0));
      const odd = numbers.pipe(filter((n) => n % 2 === 1), map((n) => -n), map((n) => -n));
      return sumBy(even.merge(odd), 4, "sums");
    });
    assertEquals(rows, sorted(groupsOf(4)));
  });

  it("takes a record twice that is merged with itself", async () => {
    const rows = await outcome((numbers) => numbers.merge(numbers));
    assertEquals(rows.length, 2 * NUMBERS.length);
    assertEquals(new Set(rows).size, NUMBERS.length);
  });

  it("connects a stream with itself", async () => {
    const rows = await outcome((numbers) => {
      const keyed = numbers.keyBy((n) => n % 5);
      return keyed.connect(keyed).coFlatMap("total", {
        state: { seen: store.value(0), total: store.value(0) },
        left(n, { key, state }) {
          state.total.value += n;
          return ++state.seen.value === 80 ? [{ key, total: state.total.value }] : undefined;
        },
        right(n, { key, state }) {
          state.total.value += 1000 * n;
          return ++state.seen.value === 80 ? [{ key, total: state.total.value }] : undefined;
        },
      });
    });
    assertEquals(rows, sorted(groupsOf(5).map(({ key, sum }) => ({ key, total: sum * 1001 }))));
  });

  it("tells variants of a union apart", async () => {
    type Event = { kind: "paid"; amount: number } | { kind: "cancelled"; of: number };
    const rows = await outcome((numbers) => {
      const events = numbers.pipe(
        map((n): Event => n % 3 === 0 ? { kind: "cancelled", of: n } : { kind: "paid", amount: n }),
      );
      const paid = events.pipe(filter(is("kind", "paid")), map(({ amount }) => amount));
      const cancelled = events.pipe(filter(is("kind", "cancelled")), map(({ of }) => `-${of}`));
      return paid.merge(cancelled);
    });
    assertEquals(rows, sorted(NUMBERS.map((n) => n % 3 === 0 ? `-${n}` : n)));
  });
});

describe("operators that wait for the end", () => {
  const sum = reduce((sum: number, n: number) => sum + n, 0);

  it("put out what they have when it comes, upstream first", async () => {
    const once = fused<number, number>((n, emit) => emit(n * 2));
    const rows = await outcome((numbers) =>
      numbers.pipe(sum, once, sum).merge(numbers.pipe(sum).pipe(once).pipe(sum))
    );
    // One of each way for each shard: twice the sum of its numbers.
    assertEquals(rows, sorted([9900, 10_000, 9900, 10_000].map((sum) => sum * 2)));
  });

  it("put out one value for each key group behind a key", async () => {
    const rows = await outcome((numbers) =>
      numbers.keyBy((n) => n % 10).pipe(map(({ value }) => value)).pipe(sum)
    );
    assertEquals(rows.reduce((sum: number, n) => sum + Number(n), 0), sumOf(NUMBERS));
  });
});

describe("a job with two sinks", () => {
  it("writes a stream to both, and to one twice", async () => {
    const job = defineJob({
      name: "fan-out",
      sources: { numbers: twoShards(NUMBERS) },
      sinks: {
        all: memory.sink<number>(),
        sums: memory.sink<unknown>(),
        twice: memory.sink<number>(),
      },
      build({ numbers }, { all, sums, twice }) {
        numbers.to(all);
        sumBy(numbers, 8, "sums").to(sums);
        numbers.to(twice);
        numbers.pipe(map((n) => -n)).to(twice);
      },
    });
    for (const options of WORKERS_AND_SEEDS) {
      const { output, status } = await runJob(job, {}, options);
      assertEquals(sorted(output("all")), sorted(NUMBERS));
      assertEquals(sorted(output("sums")), sorted(groupsOf(8)));
      assertEquals(output("twice").length, 2 * NUMBERS.length);
      assertEquals(status.sinks["twice"], { rows: 400, pending: 0 });
      assertEquals(status.sources["numbers"]?.records, NUMBERS.length);
      assertEquals(status.stages["sums"]?.keys, 8);
    }
  });

  it("keeps order within each shard and key, in all branches", async () => {
    const job = defineJob({
      name: "order",
      sources: { numbers: twoShards(NUMBERS) },
      sinks: { plain: memory.sink<number>(), keyed: memory.sink<number>() },
      build({ numbers }, { plain, keyed }) {
        numbers.to(plain);
        numbers.keyBy((n) => n % 6).process("pass", { state: {}, onEvent: (n) => [n] }).to(keyed);
      },
    });
    for (const options of WORKERS_AND_SEEDS) {
      const { output } = await runJob(job, {}, options);
      for (let key = 0; key < 6; key++) {
        const ofKey = NUMBERS.filter((n) => n % 6 === key);
        assertEquals(output("keyed").filter((n) => n % 6 === key), ofKey);
        assertEquals(output("plain").filter((n) => n % 6 === key), ofKey);
      }
    }
  });
});
