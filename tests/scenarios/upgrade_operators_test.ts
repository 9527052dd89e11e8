/**
 * A job goes on from a savepoint on another number of workers and with other operators: what has the name it had goes on
 * as it was, what is new begins empty, and what is gone is an error unless it may be dropped.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { store } from "../../runtime/state/state.ts";
import type { KeyByOptions, Stream } from "../../runtime/stream.ts";
import { filter, map } from "../runtime/deps.ts";
import { type Entry, entry, UpgradedJob } from "./upgraded_job.ts";

const KEYS = ["ann", "bob", "cid", "dan", "eve"];
const ROUND = KEYS.map((key, index) => entry(key, index + 1));

/** Sums per key. */
function summing(entries: Stream<Entry>, name = "sum", options: KeyByOptions = {}): Stream<string> {
  return entries.keyBy(({ key }) => key, options).process(name, {
    state: { sum: store.value(0) },
    onEvent: ({ n }, { key, state }) => [`${name} ${key} ${state.sum.value += n}`],
  });
}

/** Sums, and beside them counts. */
function both(entries: Stream<Entry>, [sum, count]: readonly [string, string]): Stream<string> {
  const counts = entries.keyBy(({ key }) => key).process(count, {
    state: { count: store.value(0) },
    onEvent: (_, { key, state }) => [`${count} ${key} ${++state.count.value}`],
  });
  return summing(entries, sum).merge(counts);
}

/** What a round gives after so many others. */
function sums(rounds: number, name = "sum"): string[] {
  return ROUND.map(({ key, n }) => `${name} ${key} ${n * rounds}`);
}
function counts(rounds: number): string[] {
  return KEYS.map((key) => `count ${key} ${rounds}`);
}

describe("a job that goes on from a savepoint", () => {
  it("has its state on any number of workers", async () => {
    const upgraded = new UpgradedJob();
    const job = upgraded.version((entries) => summing(entries));
    for (const [round, workers] of [1, 3, 2].entries()) {
      assertEquals(await upgraded.run(job, ROUND, { workers }), sums(round + 1), `${workers}`);
    }
  });

  it("has it behind stateless operators that come and go", async () => {
    const upgraded = new UpgradedJob();
    const plain = upgraded.version((entries) => summing(entries));
    assertEquals(await upgraded.run(plain, ROUND), sums(1));
    const more = upgraded.version((entries) =>
      summing(
        entries.pipe(filter(({ n }) => n > 0))
          .eventTime({ timestamp: ({ n }) => n })
          .keyBy(({ key }) => key).pipe(map(({ value }) => value)),
      ).pipe(map((text) => `${text}!`))
    );
    assertEquals(
      await upgraded.run(more, [...ROUND, entry("ann", -7)], { workers: 2 }),
      sums(2).map((text) => `${text}!`),
    );
    assertEquals(await upgraded.run(plain, ROUND, { workers: 3 }), sums(3));
  });

  it("has none for an operator that is new, and all of the others", async () => {
    const upgraded = new UpgradedJob();
    await upgraded.run(upgraded.version((entries) => summing(entries)), ROUND);
    const more = upgraded.version((entries) => both(entries, ["sum", "count"]));
    assertEquals(await upgraded.run(more, ROUND, { workers: 2 }), [...counts(1), ...sums(2)]);
    assertEquals(await upgraded.run(more, ROUND), [...counts(2), ...sums(3)]);
    assertEquals(upgraded.dropped, undefined);
  });

  it("says which operator is gone, which may be it, and what to do", async () => {
    const upgraded = new UpgradedJob();
    const before = upgraded.version((entries) => both(entries, ["sum", "count"]));
    await upgraded.run(before, ROUND);
    const renamed = upgraded.version((entries) => both(entries, ["total", "count"]));
    assertEquals(
      await upgraded.refusal(renamed, { workers: 2 }),
      'Cannot start job "upgraded" from savepoint 2: operator "sum" with 5 keys is not in the job any more, ' +
        'where operator "total" is new; give it its name back, or allow dropped state (--allow-dropped-state)',
    );
    // Nothing has happened: the version before goes on.
    assertEquals(await upgraded.run(before, ROUND), [...counts(2), ...sums(2)]);
    const allowed = { workers: 2, allowDroppedState: true };
    const rows = await upgraded.run(renamed, ROUND, allowed);
    assertEquals(rows, [...counts(3), ...sums(1, "total")]);
    assertEquals(upgraded.dropped, ['operator "sum" with 5 keys']);
  });

  it("does without an operator that is gone only with leave, and forgets it then", async () => {
    const upgraded = new UpgradedJob();
    const before = upgraded.version((entries) => both(entries, ["sum", "count"]));
    await upgraded.run(before, ROUND, { workers: 2 });
    const fewer = upgraded.version((entries) => summing(entries));
    assertEquals(
      await upgraded.refusal(fewer),
      'Cannot start job "upgraded" from savepoint 2: operator "count" with 5 keys is not in the job any more; ' +
        "give it its name back, or allow dropped state (--allow-dropped-state)",
    );
    const allowed = { workers: 3, allowDroppedState: true };
    assertEquals(await upgraded.run(fewer, ROUND, allowed), sums(2));
    assertEquals(upgraded.dropped, ['operator "count" with 5 keys']);
    // Once dropped it is not asked for again, and begins empty when it comes back.
    assertEquals(await upgraded.run(fewer, ROUND), sums(3));
    assertEquals(await upgraded.run(before, ROUND), [...counts(1), ...sums(4)]);
  });

  it("asks for no leave where an operator had nothing", async () => {
    const upgraded = new UpgradedJob();
    await upgraded.run(upgraded.version((entries) => both(entries, ["sum", "count"])), []);
    const fewer = upgraded.version((entries) => summing(entries, "total"));
    assertEquals(await upgraded.run(fewer, ROUND), sums(1, "total"));
    assertEquals(upgraded.dropped, undefined);
  });

  it("does not take other key groups", async () => {
    const upgraded = new UpgradedJob();
    await upgraded.run(upgraded.version((entries) => summing(entries)), ROUND);
    const more = upgraded.version((entries) => summing(entries), { maxParallelism: 256 });
    assertEquals(
      await upgraded.refusal(more, { allowDroppedState: true }),
      'Cannot start job "upgraded" from savepoint 2: it has 128 key groups and the job 256; set maxParallelism to 128, ' +
        "or start without the checkpoint",
    );
  });

  it("warns where keys may be others: their text is all that is known of them", async () => {
    const upgraded = new UpgradedJob();
    const keyed = (key: (entry: Entry) => string | number) =>
      upgraded.version((entries) =>
        entries.keyBy(key).process("seen", {
          state: { seen: store.value(0) },
          onEvent: (_, { key, state }) => [`${JSON.stringify(key)} ${++state.seen.value}`],
        })
      );
    const one = [entry("ann", 1)];
    await upgraded.run(keyed(({ n }) => n), one);
    assertEquals(await upgraded.run(keyed(({ n }) => n), one), ["1 2"]);
    assertEquals(upgraded.logged, []);
    assertEquals(await upgraded.run(keyed(({ n }) => `${n}`), one), ['"1" 1']);
    assertEquals(upgraded.logged, [{
      message: "A key function has changed: keys that it makes otherwise begin without state",
      fields: { operator: "seen", was: ["({ n })=>n"], is: ["({ n })=>`${n}`"] },
    }]);
  });

  it("does not look for keys where another hash would have put them", async () => {
    const upgraded = new UpgradedJob();
    const hashed = (options: KeyByOptions) =>
      upgraded.version((entries) =>
        entries.keyBy(({ n }) => n, options).process("seen", {
          state: { seen: store.value(0) },
          onEvent: (_, { key, state }) => [`${key} ${++state.seen.value}`],
        })
      );
    await upgraded.run(hashed({}), ROUND, { workers: 2 });
    assertEquals(
      await upgraded.refusal(hashed({ hash: "int" }), { workers: 2, allowDroppedState: true }),
      'Cannot start job "upgraded" from savepoint 2: 5 keys of operator "seen" are hashed as string there and as int in ' +
        'the job, so that state would not be found; give its keyBy hash "string" again, or start without the checkpoint',
    );
    const again = await upgraded.run(hashed({ hash: "string" }), ROUND, { workers: 2 });
    assertEquals(again, ["1 2", "2 2", "3 2", "4 2", "5 2"]);
  });
});
