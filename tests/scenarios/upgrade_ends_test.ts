/**
 * A job whose sources, sinks and calls change from one version to the next: positions, prepared output and calls under
 * way are taken over by name, and lost only with leave.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import type { DeadLetter } from "../../runtime/dead_letter.ts";
import type { Job, SourceMap } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import type { Stream } from "../../runtime/stream.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import { map } from "../runtime/deps.ts";
import { PreparedSink } from "./prepared_sink.ts";
import { type Entry, entry, UpgradedJob } from "./upgraded_job.ts";

const FROM = 'Cannot start job "upgraded" from savepoint 2: ';
const LEAVE = "or allow dropped state (--allow-dropped-state)";
const allowed = { workers: 2, allowDroppedState: true };

/** Sums per key, and tells how far event time was when the entry came. */
function summing(entries: Stream<Entry>): Stream<string> {
  return entries.keyBy(({ key }) => key).process("sum", {
    state: { sum: store.value(0) },
    onEvent: ({ n }, { key, state, watermark }) => [
      `${key} ${state.sum.value += n} after ${watermark}`,
    ],
  });
}

describe("a source of a job that changes", () => {
  /** A version that reads these, all as one. */
  const reading = (upgraded: UpgradedJob, sources: SourceMap): Job =>
    upgraded.job(sources, (streams, { out }) => {
      const [first, ...others] = Object.values(streams).map((stream) =>
        (stream as Stream<Entry>).eventTime({ timestamp: ({ n }) => n })
      );
      if (first === undefined) throw new Error("It reads nothing");
      summing(others.reduce((all, stream) => all.merge(stream), first)).to(out);
    }, { sinks: { out: upgraded.out } });
  const scripted = (name = "scripted") => new ScriptedSource<Entry>({ name, shards: ["x"] });

  it("begins at its beginning where it is new, and the others go on", async () => {
    const upgraded = new UpgradedJob();
    const { entries } = upgraded;
    await upgraded.run(reading(upgraded, { entries }), [entry("ann", 1), entry("bob", 2)]);
    const more = scripted();
    more.push("x", { value: entry("ann", 100) });
    const rows = await upgraded.run(reading(upgraded, { entries, more }), [entry("bob", 1)]);
    assertEquals(rows, ["ann 101 after 0", "bob 3 after 0"]);
  });

  it("that is gone or renamed is dropped only with leave, and not waited for", async () => {
    const upgraded = new UpgradedJob();
    const { entries } = upgraded;
    const old = scripted();
    old.push("x", { value: entry("ann", 1) });
    const both = reading(upgraded, { entries, old });
    const [first, second] = [entry("ann", 10), entry("ann", 10)];
    assertEquals((await upgraded.run(both, [first, second])).length, 3);
    const alone = reading(upgraded, { entries });
    assertEquals(
      await upgraded.refusal(alone),
      `${FROM}source "old" (scripted "scripted") is not in the job any more; give it its name back, ${LEAVE}`,
    );
    const renamed = reading(upgraded, { entries, renamed: old });
    assertEquals(
      await upgraded.refusal(renamed),
      `${FROM}source "old" (scripted "scripted") is not in the job any more, where source "renamed" is new; ` +
        `give it its name back, ${LEAVE}`,
    );
    const driver = await upgraded.start(alone, allowed);
    upgraded.push(entry("ann", 30), entry("ann", 30));
    await driver.settle();
    upgraded.push(entry("ann", 1));
    await driver.settle();
    // The watermark goes beyond what the source that is gone had promised.
    assertEquals(upgraded.newRows().at(-1), "ann 82 after 29");
    assertEquals(upgraded.dropped, ['source "old" (scripted "scripted")']);
    await upgraded.leave(driver);
    // Under its new name it is read from its beginning.
    const rows = await upgraded.run(renamed, []);
    assertEquals(rows, ["ann 83 after 29"]);
  });

  it("that reads something else is dropped only with leave: its positions mean nothing there", async () => {
    const upgraded = new UpgradedJob();
    const before = scripted("orders-1");
    before.push("x", { value: entry("ann", 50) }, { value: entry("ann", 50) });
    await upgraded.run(reading(upgraded, { orders: before }), []);
    const after = scripted("orders-2");
    const job = reading(upgraded, { orders: after });
    assertEquals(
      await upgraded.refusal(job),
      `${FROM}source "orders" reading scripted "orders-1" (now scripted "orders-2") is not in the job any more; ` +
        `let it read scripted "orders-1" again, ${LEAVE}`,
    );
    after.push("x", { value: entry("ann", 60) });
    const driver = await upgraded.start(job, allowed);
    assertEquals(upgraded.newRows(), ["ann 160 after 49"]);
    // Its shard has the name of the old one, and nothing of its event time.
    after.push("x", { value: entry("ann", 70) });
    await driver.settle();
    assertEquals(upgraded.newRows(), ["ann 230 after 59"]);
    await driver.stop();
  });
});

describe("prepared output of a job that changes", () => {
  /** Entries into these sinks. */
  const writing = (
    upgraded: UpgradedJob,
    sinks: Readonly<Record<string, PreparedSink>>,
    options: { readonly deadLetters?: PreparedSink } = {},
  ): Job => {
    const { entries } = upgraded;
    return upgraded.job({ entries }, ({ entries }, sinks) => {
      const passed = entries.pipe(map(({ n }) => {
        if (n < 0) throw new RangeError("below zero");
        return n;
      }));
      for (const sink of Object.values(sinks)) passed.to(sink);
    }, { sinks: { ...sinks, rest: memory.sink<unknown>() }, ...options });
  };

  /** Prepares the entries; they are committed by nobody. */
  const prepared = async (upgraded: UpgradedJob, job: Job, workers: number) => {
    const driver = await upgraded.start(job, { workers });
    upgraded.push(entry("ann", 1), entry("ann", 2), entry("ann", -3));
    await driver.settle();
    await upgraded.leave(driver);
  };

  it("is committed by the sink that has its name", async () => {
    const upgraded = new UpgradedJob();
    const sink = new PreparedSink();
    const [first, lost] = [new PreparedSink(), new PreparedSink("lost")];
    await prepared(upgraded, writing(upgraded, { first, lost }), 2);
    // As on another machine: what the first one had committed is not there.
    const driver = await upgraded.start(writing(upgraded, { first: sink, lost }), { workers: 3 });
    assertEquals(sink.rows.toSorted(), ["1", "2"]);
    await driver.stop();
  });

  it("of a sink that is gone, renamed or another is dropped only with leave", async () => {
    const output = 'output of 2 workers that sink "first" (prepared "prepared") had prepared';
    const remedy =
      "keep the sink as it was until the job has taken a checkpoint or was stopped; output that was " +
      `committed before is not lost, ${LEAVE}`;
    const gone = `${output} can't be committed, as the sink is not in the job any more; ${remedy}`;
    const cases: readonly (readonly [Readonly<Record<string, PreparedSink>>, string])[] = [
      [{}, gone],
      [{ renamed: new PreparedSink() }, gone],
      [
        { first: new PreparedSink("other") },
        `${output} can't be committed, as the sink is prepared "other" in the job; ${remedy}`,
      ],
    ];
    for (const [sinks, message] of cases) {
      const upgraded = new UpgradedJob();
      await prepared(upgraded, writing(upgraded, { first: new PreparedSink() }), 2);
      const job = writing(upgraded, sinks);
      assertEquals(await upgraded.refusal(job), FROM + message);
      const driver = await upgraded.start(job, allowed);
      assertEquals(upgraded.dropped, [output]);
      upgraded.push(entry("ann", 4));
      await driver.settle();
      await driver.stop();
      for (const { rows } of Object.values(sinks)) assertEquals(rows, ["4"]);
    }
  });

  it("of dead letters as well", async () => {
    const upgraded = new UpgradedJob();
    const deadLetters = new PreparedSink("letters");
    await prepared(upgraded, writing(upgraded, {}, { deadLetters }), 1);
    const without = writing(upgraded, {});
    const message = await upgraded.refusal(without);
    assertEquals(
      message.startsWith(
        `${FROM}output of 1 worker that sink "dead letters" (prepared "letters") had prepared can't be committed`,
      ),
      true,
      message,
    );
    const again = new PreparedSink("letters");
    const driver = await upgraded.start(writing(upgraded, {}, { deadLetters: again }));
    const reasons = again.rows.map((row): DeadLetter => JSON.parse(row)).map(({ reason }) =>
      reason
    );
    assertEquals(reasons, ["RangeError: below zero"]);
    await driver.stop();
  });
});

describe("calls under way of a job that changes", () => {
  /** Calls for each entry, in front of a key or behind it. */
  const calling = (upgraded: UpgradedJob, name: string, where: "in front" | "behind"): Job => {
    const call = (stream: Stream<Entry>) =>
      stream.mapAsync(name, async (of, { delay }) => {
        await delay(100);
        return of;
      });
    return upgraded.version((entries) => {
      if (where === "in front") return summing(call(entries)).pipe(map((row) => `${row}!`));
      const kept = entries.keyBy(({ key }) => key).process("sum", {
        state: { sum: store.value(0) },
        onEvent: ({ n }, { key, state }) => [entry(key, state.sum.value += n)],
      });
      return call(kept).pipe(map(({ key, n }) => `${key} ${n}`));
    });
  };
  const plain = (upgraded: UpgradedJob) =>
    upgraded.version((entries) => summing(entries).pipe(map((row) => `${row}!`)));
  /** Leaves a version while it waits for the answers for these. */
  const waiting = async (upgraded: UpgradedJob, job: Job, ...entries: readonly Entry[]) => {
    const driver = await upgraded.start(job);
    upgraded.push(...entries);
    await driver.settle();
    await upgraded.leave(driver);
    assertEquals(upgraded.newRows(), []);
  };
  const THREE = [entry("ann", 1), entry("ann", 2), entry("bob", 3)];

  it("are made again by the mapAsync of their name, on any number of workers", async () => {
    for (const where of ["in front", "behind"] as const) {
      const upgraded = new UpgradedJob();
      await waiting(upgraded, calling(upgraded, "call", where), ...THREE);
      const driver = await upgraded.start(calling(upgraded, "call", where), { workers: 3 });
      await driver.advanceTo(driver.now + 100);
      assertEquals(upgraded.newRows().length, 3);
      await driver.stop();
    }
  });

  it("are dropped only with leave where the mapAsync is gone, renamed or somewhere else", async () => {
    const calls = (count: number) => `${count} calls of mapAsync "call" under way`;
    const remedy =
      `keep it there until they are done, or stop the old job, which waits for them, ${LEAVE}`;
    const behind = (stage: string) =>
      `belong behind "${stage}", where the job has no such mapAsync any more`;
    const cases = [
      [plain, "in front", behind("entries")],
      [(of: UpgradedJob) => calling(of, "renamed", "in front"), "in front", behind("entries")],
      [(of: UpgradedJob) => calling(of, "call", "behind"), "in front", behind("entries")],
      [plain, "behind", behind("sum")],
      [(of: UpgradedJob) => calling(of, "call", "in front"), "behind", behind("sum")],
    ] as const;
    for (const [after, where, message] of cases) {
      const upgraded = new UpgradedJob();
      await waiting(upgraded, calling(upgraded, "call", where), ...THREE);
      assertEquals(
        await upgraded.refusal(after(upgraded)),
        `${FROM}${calls(3)} ${message}; ${remedy}`,
      );
      const driver = await upgraded.start(after(upgraded), allowed);
      await driver.advanceTo(driver.now + 100);
      assertEquals([upgraded.newRows(), upgraded.dropped], [[], [calls(3)]]);
      upgraded.push(entry("ann", 10));
      await driver.settle();
      await driver.advanceTo(driver.now + 100);
      // In front of the key the sums had nothing of what was dropped.
      const sum = where === "in front" ? 10 : 13;
      assertEquals(upgraded.newRows().map((row) => Number(row.split(" ")[1])), [sum]);
      await driver.stop();
    }
  });

  it("go with the source whose records they are of", async () => {
    const upgraded = new UpgradedJob();
    await waiting(upgraded, calling(upgraded, "call", "in front"), ...THREE);
    const other = new ScriptedSource<Entry>({ name: "other", shards: ["a"] });
    const job = upgraded.job({ entries: other }, ({ entries }, { out }) => {
      summing(entries.mapAsync("call", (of) => Promise.resolve(of))).to(out);
    }, { sinks: { out: upgraded.out } });
    const driver = await upgraded.start(job, allowed);
    await driver.advanceTo(driver.now + 100);
    assertEquals(upgraded.newRows(), []);
    assertEquals(upgraded.dropped, [
      'source "entries" reading scripted "scripted" (now scripted "other")',
      '3 calls of mapAsync "call" under way',
    ]);
    await driver.stop();
  });

  it("are waited for by a job that is stopped: then there are none to drop", async () => {
    const upgraded = new UpgradedJob();
    const driver = await upgraded.start(calling(upgraded, "call", "behind"));
    upgraded.push(...THREE);
    await driver.settle();
    await driver.stop();
    assertEquals(upgraded.newRows(), ["ann 1", "ann 3", "bob 3"]);
    const next = await upgraded.start(plain(upgraded));
    upgraded.push(entry("ann", 10));
    await next.settle();
    assertEquals([upgraded.newRows(), upgraded.dropped], [["ann 13 after -Infinity!"], undefined]);
    await next.stop();
  });
});
