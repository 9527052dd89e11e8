/**
 * An operator whose declared state changes from one version of its job to the next: what is there as it was goes on, what
 * has changed goes through its migration, and everything else is an error with operator, state, versions and remedy.
 * Broadcast state has the same rules.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Job } from "../../runtime/job.ts";
import { type StateSpec, type StateSpecs, store } from "../../runtime/state/state.ts";
import type { KeyedContext } from "../../runtime/stream.ts";
import { map } from "../runtime/deps.ts";
import { type Entry, entry, UpgradedJob } from "./upgraded_job.ts";

const ROUND = [entry("ann", 1), entry("bob", 2), entry("cid", 3)];

/** An operator with this state; it reads and writes what it finds. */
function keeping(upgraded: UpgradedJob, state: StateSpecs): Job {
  return upgraded.version((entries) =>
    entries.keyBy(({ key }) => key).process("keep", {
      state,
      onEvent: ({ n }, { key, state }) => [`${key} ${told(state, n)}`],
    })
  );
}

/** The same as broadcast state, told for each entry of another key. */
function broadcasting(upgraded: UpgradedJob, broadcast: StateSpecs): Job {
  return upgraded.version((entries) =>
    entries.keyBy(({ key }) => key).connectBroadcast(entries).process("keep", {
      state: {},
      broadcast,
      onEvent: () => [],
      onBroadcast: ({ n }, { broadcast }) => [`${told(broadcast, n)}`],
    })
  );
}

/** Adds to all state, and tells what it is then. */
function told(state: Readonly<Record<string, unknown>>, n: number): string {
  return Object.entries(state).map(([name, handle]) => {
    if (isOne<{ value: unknown }>(handle, "value")) {
      const { value } = handle;
      if (typeof value === "number") handle.value = value + n;
      else if (isOne<{ sum: number }>(value, "sum")) handle.value = { sum: value.sum + n };
      return `${name}=${JSON.stringify(handle.value)}`;
    }
    if (isOne<{ add: (n: number) => void }>(handle, "add")) handle.add(n);
    else if (isOne<{ set: (key: string, n: number) => void }>(handle, "set")) handle.set("n", n);
    const all = isOne<{ entries: () => Iterable<unknown> }>(handle, "entries")
      ? handle.entries()
      : handle as Iterable<unknown>;
    return `${name}=${JSON.stringify([...all])}`;
  }).join(" ");
}

function isOne<T extends object>(value: unknown, field: keyof T & string): value is T {
  return typeof value === "object" && value !== null && field in value;
}

/** A sum that was a number in version 1, and is a record from 2 on. */
function sum2(
  migrate?: (content: unknown, version: number) => { sum: number },
): StateSpec<unknown> {
  return store.value({ sum: 0 }, migrate === undefined ? { version: 2 } : { version: 2, migrate });
}

const KINDS = [
  {
    kind: "keyed state",
    of: keeping,
    named: (name: string) => `state "${name}" of operator "keep"`,
    for: ' for key "',
  },
  {
    kind: "broadcast state",
    of: broadcasting,
    named: (name: string) => `broadcast state "${name}" of operator "keep"`,
    for: ": ",
  },
] as const;

for (const { kind, of, named, for: whose } of KINDS) {
  describe(`${kind} that changes`, () => {
    /** The rows that a version gives, each worker's once. */
    const run = async (upgraded: UpgradedJob, state: StateSpecs, options = {}) => [
      ...new Set(await upgraded.run(of(upgraded, state), ROUND, options)),
    ];
    /** Both kinds of operators see an entry's sum by itself: keyed ones per key, broadcast ones all. */
    const lastOf = (rows: readonly string[]) => {
      const sums = rows.flatMap((row) => [...row.matchAll(/sum=(?:\{"sum":)?(\d+)/g)]);
      return Math.max(...sums.map(([, sum]) => Number(sum)));
    };
    const each = kind === "keyed state" ? 3 : 6;
    /** @param what is said after the attempt */
    const refused = async (state: StateSpecs, after: StateSpecs, what: string) => {
      for (const allowDroppedState of [false, true]) {
        const upgraded = new UpgradedJob();
        await run(upgraded, state);
        const message = await upgraded.refusal(of(upgraded, after), {
          workers: 2,
          allowDroppedState,
        });
        assertEquals(message, `Cannot start job "upgraded" from savepoint 2: ${what}`);
        assertEquals(lastOf(await run(upgraded, state)), 2 * each);
      }
    };

    it("begins as declared where it is new", async () => {
      const upgraded = new UpgradedJob();
      assertEquals(lastOf(await run(upgraded, { sum: store.value(0) })), each);
      const more = { all: store.list<number>(), sum: store.value(0) };
      const rows = await run(upgraded, more, { workers: 2 });
      assertEquals(lastOf(rows), 2 * each);
      assertEquals(rows.some((row) => row.includes("all=[1] ")), true, rows.join());
      assertEquals(lastOf(await run(upgraded, more)), 3 * each);
    });

    it("is dropped only with leave, the rest stays", async () => {
      const upgraded = new UpgradedJob();
      const both = { last: store.map<string, number>(), sum: store.value(0) };
      await run(upgraded, both, { workers: 2 });
      const fewer = { sum: store.value(0) };
      assertEquals(
        await upgraded.refusal(of(upgraded, fewer)),
        `Cannot start job "upgraded" from savepoint 2: ${
          named("last")
        } is not in the job any more; ` +
          "give it its name back, or allow dropped state (--allow-dropped-state)",
      );
      const allowed = { workers: 3, allowDroppedState: true };
      assertEquals(lastOf(await run(upgraded, fewer, allowed)), 2 * each);
      assertEquals(upgraded.dropped, [named("last")]);
      // It is forgotten: nothing of it comes back.
      const rows = await run(upgraded, { sum: store.value(0), last: store.list<number>() });
      assertEquals(lastOf(rows), 3 * each);
    });

    it("can't be of another kind in the same version", () =>
      refused(
        { sum: store.value(0) },
        { sum: store.list<number>() },
        `${
          named("sum")
        } is a value of type number there and a list in the job, both of version 1; ` +
          "raise its version to 2 and declare migrate(content, version)",
      ));

    it("can't be of another type in the same version", () =>
      refused(
        { sum: store.value(0) },
        { sum: store.value({ sum: 0 }) },
        `${
          named("sum")
        } is a value of type number there and a value of type object in the job, both of version 1; ` +
          "raise its version to 2 and declare migrate(content, version)",
      ));

    it("goes through its migration, and once only", async () => {
      const upgraded = new UpgradedJob();
      await run(upgraded, { sum: store.value(0) }, { workers: 2 });
      const versions: number[] = [];
      const state = {
        sum: sum2((content, version) => {
          versions.push(version);
          return { sum: Number(content) };
        }),
      };
      const second = await upgraded.start(of(upgraded, state), { workers: 3 });
      const migrations = versions.length;
      assertEquals(migrations, 3);
      assertEquals(new Set(versions), new Set([1]));
      await upgraded.leave(second);
      // What was not touched since was written as it is now.
      assertEquals(lastOf(await run(upgraded, state, { workers: 2 })), 2 * each);
      assertEquals(versions.length, migrations);
    });

    it("changes its kind through a migration", async () => {
      const upgraded = new UpgradedJob();
      await run(upgraded, { sum: store.value(0) });
      const migrate = (content: unknown) => [Number(content)];
      const rows = await run(upgraded, { sum: store.list<number>({ version: 2, migrate }) });
      const first = kind === "keyed state" ? "cid sum=[3,3]" : "sum=[6,1]";
      assertEquals(rows.includes(first), true, rows.join());
    });

    it("is an error without a migration", () =>
      refused(
        { sum: store.value(0) },
        { sum: sum2() },
        `${
          named("sum")
        } is of version 1 there and 2 in the job; declare it with migrate(content, version) for ` +
          "content of version 1",
      ));

    it("is an error when the version goes back", () =>
      refused(
        { sum: sum2() },
        { sum: store.value(0) },
        `${
          named("sum")
        } is of version 2 there and 1 in the job; start the newer version of the job`,
      ));

    it("is an error when the migration throws, or gives something else", async () => {
      const upgraded = new UpgradedJob();
      await run(upgraded, { sum: store.value(0) });
      const attempt = `Cannot migrate ${named("sum")} from version 1 to 2`;
      const throwing = sum2(() => {
        throw new RangeError("no such currency");
      });
      const thrown = await upgraded.refusal(of(upgraded, { sum: throwing }), { workers: 2 });
      assertEquals(thrown.startsWith(`${attempt}${whose}`), true, thrown);
      assertEquals(thrown.endsWith(": no such currency; correct its migrate()"), true, thrown);
      const strange = store.list<number>({ version: 2, migrate: () => JSON.parse("5") });
      const given = await upgraded.refusal(of(upgraded, { sum: strange }));
      assertEquals(given.startsWith(`${attempt}${whose}`), true, given);
      assertEquals(
        given.endsWith(": it gave number, expected an array; correct its migrate()"),
        true,
        given,
      );
      assertEquals(lastOf(await run(upgraded, { sum: store.value(0) })), 2 * each);
    });
  });
}

describe("state of keys that nobody touches", () => {
  const newest = { from: "newest", workers: 2 } as const;
  const nobody: readonly Entry[] = [];

  it("is forgotten once it was dropped: checkpoints do not build upon it", async () => {
    const upgraded = new UpgradedJob();
    const last = store.map<string, number>();
    await upgraded.run(keeping(upgraded, { last, sum: store.value(0) }), ROUND);
    const fewer = keeping(upgraded, { sum: store.value(0) });
    await upgraded.run(fewer, nobody, { ...newest, allowDroppedState: true });
    await upgraded.run(fewer, nobody, newest);
    const again = keeping(upgraded, { last: store.list<number>(), sum: store.value(0) });
    assertEquals(await upgraded.run(again, ROUND, newest), [
      "ann last=[1] sum=2",
      "bob last=[2] sum=4",
      "cid last=[3] sum=6",
    ]);
  });

  it("is migrated once: checkpoints have it as it is now", async () => {
    const upgraded = new UpgradedJob();
    await upgraded.run(keeping(upgraded, { sum: store.value(1) }), ROUND);
    let migrations = 0;
    const after = keeping(upgraded, {
      sum: sum2((content) => ({ sum: 100 * Number(content) + 0 * migrations++ })),
    });
    await upgraded.run(after, nobody, newest);
    await upgraded.run(after, nobody, newest);
    const rows = await upgraded.run(after, ROUND, newest);
    assertEquals([rows, migrations], [
      ['ann sum={"sum":201}', 'bob sum={"sum":302}', 'cid sum={"sum":403}'],
      3,
    ]);
  });
});

describe("broadcast state of an operator", () => {
  it("that is gone, or has no broadcast input any more, is dropped only with leave", async () => {
    const upgraded = new UpgradedJob();
    await upgraded.run(broadcasting(upgraded, { sum: store.value(0) }), ROUND, { workers: 2 });
    const gone = upgraded.version((entries) => entries.pipe(map(({ key }) => key)));
    assertEquals(
      await upgraded.refusal(gone),
      'Cannot start job "upgraded" from savepoint 2: operator "keep" with broadcast state "sum" is not in the job any ' +
        "more; give it its name back, or allow dropped state (--allow-dropped-state)",
    );
    assertEquals(
      await upgraded.refusal(keeping(upgraded, {})),
      'Cannot start job "upgraded" from savepoint 2: broadcast state "sum" of operator "keep" is not in the job any ' +
        "more; give it its name back, or allow dropped state (--allow-dropped-state)",
    );
    const allowed = { allowDroppedState: true };
    const rows = await upgraded.run(keeping(upgraded, {}), ROUND.slice(0, 1), allowed);
    assertEquals([rows, upgraded.dropped], [["ann "], [
      'broadcast state "sum" of operator "keep"',
    ]]);
  });

  it("that was never set is not asked for", async () => {
    const upgraded = new UpgradedJob();
    await upgraded.run(broadcasting(upgraded, { rules: store.map<string, number>() }), []);
    const rows = await upgraded.run(keeping(upgraded, { sum: store.value(0) }), ROUND);
    assertEquals(rows, ["ann sum=1", "bob sum=2", "cid sum=3"]);
  });
});

describe("timers of a job that changes", () => {
  const state = { seen: store.value(0) };
  type Context = KeyedContext<string, typeof state>;
  /** Sets a timer of the key, by the watermark or the clock, that tells its name. */
  const timing = (upgraded: UpgradedJob, name: string, domain: "event" | "processing" | "none") =>
    upgraded.version((entries) => {
      const keyed = entries.eventTime({ timestamp: ({ n }: Entry) => n }).keyBy(({ key }) => key);
      const onEvent = ({ n }: Entry, { state, setTimer, setProcessingTimer }: Context) => {
        state.seen.value++;
        if (domain === "event") setTimer(name, n + 100);
        if (domain === "processing") setProcessingTimer(name, n + 100);
        return [];
      };
      if (domain === "none") return keyed.process<typeof state, string>("keep", { state, onEvent });
      return keyed.process<typeof state, string, string>("keep", {
        state,
        onEvent,
        onTimer: (name, { key, timeDomain }) => [`${key} ${name} ${timeDomain}`],
      });
    });

  it("fire as they were set, under the name that they had", async () => {
    for (const [before, after] of [["event", "processing"], ["processing", "event"]] as const) {
      const upgraded = new UpgradedJob();
      await upgraded.run(timing(upgraded, "old", before), [entry("ann", 1), entry("bob", 1)]);
      const second = await upgraded.start(timing(upgraded, "new", after), { workers: 2 });
      upgraded.push(entry("ann", 5), entry("cid", 5));
      await second.advanceTo(150);
      upgraded.push(entry("dan", 400), entry("dan", 400));
      await second.settle();
      assertEquals(upgraded.newRows(), [
        `ann new ${after}`,
        `ann old ${before}`,
        `bob old ${before}`,
        `cid new ${after}`,
      ]);
      await second.stop();
    }
  });

  it("are dropped only with leave where nothing handles them any more", async () => {
    const upgraded = new UpgradedJob();
    const entries = [entry("ann", 1), entry("bob", 1), entry("bob", 2)];
    await upgraded.run(timing(upgraded, "old", "event"), entries);
    const without = timing(upgraded, "none", "none");
    assertEquals(
      await upgraded.refusal(without),
      'Cannot start job "upgraded" from savepoint 2: 2 timers of operator "keep" can\'t fire, as it has no onTimer in ' +
        "the job; give it its onTimer back until they have fired, or allow dropped state (--allow-dropped-state)",
    );
    const rows = await upgraded.run(without, [entry("dan", 400)], { allowDroppedState: true });
    assertEquals([rows, upgraded.dropped], [[], ['2 timers of operator "keep"']]);
  });
});
