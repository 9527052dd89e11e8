/**
 * Broadcast state: rules that come by a stream of their own reach every worker, all keys look at them, and a rule may go
 * through all keys.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { map } from "npm:rxjs@7.8.2";
import { kinesis } from "../../connectors/kinesis/kinesis.ts";
import { memory } from "../../connectors/memory/memory.ts";
import { fields } from "../../operators/fields.ts";
import { flatMapJson } from "../../operators/flat_map_json.ts";
import { defineJob } from "../../runtime/job.ts";
import { side } from "../../runtime/side.ts";
import { store } from "../../runtime/state/state.ts";
import { runJob, type RunJobOptions } from "../../runtime/testing/run_job.ts";
import { simulatedStream } from "../../runtime/testing/simulated_stream.ts";
import { type Delivery, timedSource } from "./timed_source.ts";

interface Rule {
  readonly rule: string;
  readonly least?: number;
  readonly do?: "remove" | "dump" | "clear" | "fail" | "fail late" | "look";
}
interface Payment {
  readonly key: string;
  readonly amount: number;
}

const RUNS: readonly RunJobOptions[] = [
  { workers: 1, seed: 1 },
  { workers: 2, seed: 2 },
  { workers: 3, seed: 3 },
  { workers: 3, seed: 4 },
];
const pay = (key: string, amount: number): Payment => ({ key, amount });
const KEYS = Array.from({ length: 20 }, (_, n) => `k${n}`);

/** Sums per key, told with the rules that they meet; what rules do is told on the side. */
const matching = defineJob({
  name: "matching",
  sources: { payments: memory.source<Payment>([]), rules: memory.source<Rule>([]) },
  sinks: { out: memory.sink<string>(), said: memory.sink<string>() },
  build({ payments, rules }, { out, said }) {
    const matched = payments.keyBy(({ key }) => key).connectBroadcast(rules).process("match", {
      state: { sum: store.value(0), last: store.list<number>() },
      broadcast: {
        rules: store.map<string, number>(),
        count: store.value(0),
        names: store.list<string>(),
      },
      sides: { said: side<string>() },
      onEvent({ amount }, { key, state, broadcast }): string[] {
        state.sum.value += amount;
        state.last.add(amount);
        const met = [...broadcast.rules.entries()].filter(([, least]) => least <= state.sum.value);
        return [`${key} ${state.sum.value} ${met.map(([rule]) => rule).toSorted().join("+")}`];
      },
      *onBroadcast({ rule, least, do: what }, { broadcast, forEachKey, side }) {
        const { rules, count, names } = broadcast;
        if (what === "look") {
          const all = [...rules.entries()].map((entry) => entry.join("="));
          return side.said(`${count.value} ${[...names].join(",")} ${all.join(",")}`);
        }
        count.value++;
        names.add(rule);
        if (what === "remove") rules.delete(rule);
        else if (least !== undefined) rules.set(rule, least);
        if (what === undefined || what === "remove") return;
        side.said(`before ${rule}`);
        forEachKey((key, { sum, last }) => {
          const line = `${rule} ${key} ${sum.value} of ${[...last].join("+")}`;
          last.add(-1);
          if (what === "clear" || what === "fail late") {
            sum.clear();
            last.clear();
          } else sum.value += 1000;
          if (what === "fail" && key === "k3") throw new Error(`no ${key}`);
          return [line];
        });
        yield `after ${rule}`;
        if (what === "fail late") {
          forEachKey((key) => [`${key} still has state`]);
          throw new RangeError("too late");
        }
      },
    });
    matched.to(out);
    matched.sides.said.to(said);
  },
});

/** Payments and rules one after the other, each a second after the one before. */
async function matched(steps: readonly (Payment[] | Rule)[], options: RunJobOptions) {
  const payments: Delivery<Payment>[] = [];
  const rules: Delivery<Rule>[] = [];
  for (const [number, step] of steps.entries()) {
    const at = number * 1000;
    if ("rule" in step) rules.push({ at, values: [step] });
    else payments.push({ at, values: step });
  }
  const inputs = { payments: timedSource(payments), rules: timedSource(rules) };
  const run = await runJob(matching, inputs, options);
  const lines = (prefix: string) => run.output("out").filter((line) => line.startsWith(prefix));
  return { run, lines, said: run.output("said"), letters: run.deadLetters };
}

const all = (amount: number) => KEYS.map((key) => pay(key, amount));
const times = <T>(count: number, value: T) => new Array<T>(count).fill(value);

describe("broadcast state", () => {
  it("is seen by all keys on all workers, as it is when they are handled", async () => {
    for (const options of RUNS) {
      const { lines, letters } = await matched([
        all(1),
        { rule: "low", least: 2 },
        { rule: "high", least: 4 },
        all(1),
        all(2),
        { rule: "low", do: "remove" },
        all(1),
      ], options);
      for (const key of KEYS) {
        assertEquals(lines(`${key} `), [
          `${key} 1 `,
          `${key} 2 low`,
          `${key} 4 high+low`,
          `${key} 5 high`,
        ]);
      }
      assertEquals(letters, []);
    }
  });

  it("comes from every shard in order, also behind other operators and columns", async () => {
    const Limit = fields({ id: "string", most: "number" });
    const job = defineJob({
      name: "limits",
      sources: { limits: kinesis.source("limits"), payments: kinesis.source("payments") },
      sinks: { out: memory.sink<string>() },
      build({ limits, payments }, { out }) {
        const parsed = limits.pipe(flatMapJson("$", Limit));
        payments.pipe(flatMapJson("$", fields({ key: "string", amount: "number" })))
          .keyBy((payment) => payment.key)
          .connectBroadcast(
            parsed.keyBy((limit) => limit.id).process("pass", {
              state: {},
              onEvent: (limit) => [limit],
            }),
          )
          .process("check", {
            state: {},
            broadcast: { limits: store.map<string, number>() },
            onEvent: () => {},
            onBroadcast: ({ id, most }, { broadcast: { limits } }) => {
              const before = limits.get(id) ?? -1;
              limits.set(id, most);
              return [`${id} ${before} < ${most}`];
            },
          }).to(out);
        parsed.keyBy((limit) => limit.id).process("other way", { state: {}, onEvent() {} });
      },
    });
    const records = Array.from({ length: 600 }, (_, most) => ({
      partitionKey: `p${most % 5}`,
      data: { id: `id${most % 5}`, most },
    }));
    for (const options of RUNS) {
      const { workers = 1 } = options;
      const limits = simulatedStream({ shards: 3, records });
      const run = await runJob(job, {
        limits,
        payments: simulatedStream({ shards: 1, records: [] }),
      }, options);
      assertEquals(run.deadLetters, []);
      const expected = records.flatMap(({ data: { id, most } }) =>
        times(workers, `${id} ${most < 5 ? -1 : most - 5} < ${most}`)
      );
      assertEquals(run.output("out").toSorted(), expected.toSorted());
    }
  });

  it("can't be written by handlers of keys", async () => {
    const job = defineJob({
      name: "writing",
      sources: { numbers: memory.source([0, 1, 2, 3, 4, 5]), rules: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      build({ numbers, rules }, { out }) {
        numbers.keyBy(() => "k").connectBroadcast(rules).process("write", {
          state: { writes: store.value(0) },
          broadcast: {
            n: store.value(0),
            all: store.list<number>(),
            by: store.map<string, number>(),
          },
          onEvent(n, { broadcast, state }) {
            state.writes.value++;
            const { n: value, all, by } = broadcast;
            const writes = [
              () => Reflect.set(value, "value", 1),
              () => Reflect.get(all, "add")(1),
              () => Reflect.get(by, "set")("a", 1),
              () => Reflect.get(by, "delete")("a"),
              () => Reflect.get(value, "clear")(),
            ];
            writes[n]?.();
            return [state.writes.value, value.value, all.size, by.size, by.has("a") ? 1 : 0];
          },
          onBroadcast() {},
        }).to(out);
      },
    });
    const run = await runJob(job);
    assertEquals(run.output("out"), [1, 0, 0, 0, 0]);
    const reasons = ["n", "all", "by", "by", "n"].map((name) =>
      `TypeError: Cannot write broadcast state "${name}" of "write" in onEvent or onTimer, as it must stay alike on all workers: write it in onBroadcast`
    );
    assertEquals(run.deadLetters.map(({ reason }) => reason), reasons);
  });
});

describe("forEachKey()", () => {
  it("goes once through all keys with state, in whatever number of workers, and may change it", async () => {
    for (const options of RUNS) {
      const { workers = 1 } = options;
      const { lines, said, letters, run } = await matched([
        all(1),
        { rule: "first", do: "dump" },
        all(1),
        { rule: "second", do: "clear" },
        { rule: "third", do: "dump" },
        all(5),
      ], options);
      assertEquals(letters, []);
      assertEquals(lines("first ").toSorted(), KEYS.map((key) => `first ${key} 1 of 1`).toSorted());
      assertEquals(
        lines("second ").toSorted(),
        KEYS.map((key) => `second ${key} 1002 of 1+-1+1`).toSorted(),
      );
      assertEquals(lines("third "), []);
      for (const key of KEYS) assertEquals(lines(`${key} `).at(-1), `${key} 5 `);
      // What the call itself puts out comes once from each worker.
      assertEquals(lines("after first"), times(workers, "after first"));
      assertEquals(said.filter((line) => line === "before third"), times(workers, "before third"));
      assertEquals(run.status.stages["match"]?.keys, KEYS.length);
    }
  });

  it("gives outputs the key that they are for, and the record's time and origin", async () => {
    const job = defineJob({
      name: "keys",
      sources: { payments: memory.source<Payment>([]), rules: memory.source<Rule>([]) },
      sinks: { out: memory.sink<string>() },
      build({ payments, rules }, { out }) {
        payments.keyBy(({ key }) => key)
          .connectBroadcast(rules.eventTime({ timestamp: (rule) => rule.least ?? 0 }))
          .process("dump", {
            state: { sum: store.value(0) },
            broadcast: {},
            onEvent({ amount }, { state }): string[] {
              state.sum.value += amount;
              return [];
            },
            onBroadcast: (_, { forEachKey }) => {
              forEachKey((key, { sum }) => [`${key} ${sum.value}`]);
              return ["whole"];
            },
          })
          .pipe(map((line) => {
            throw new Error(line);
          })).to(out);
      },
    });
    const inputs = {
      payments: timedSource([{ at: 0, values: [pay("a", 1), pay("b", 2)] }]),
      rules: timedSource([{ at: 1000, values: [{ rule: "now", least: 7 }] }]),
    };
    for (const workers of [1, 2]) {
      const { deadLetters } = await runJob(job, inputs, { workers });
      const told = deadLetters.map(({ key, origin, timestamp, reason }) =>
        `${reason} ${key} ${origin} ${timestamp}`
      );
      const at = "rules/shard-0@0.0 7";
      assertEquals(told.toSorted(), [
        `Error: a 1 a ${at}`,
        `Error: b 2 b ${at}`,
        ...times(workers, `Error: whole undefined ${at}`),
      ]);
    }
  });

  it("is refused within itself and after the call", async () => {
    let kept: ((apply: () => void) => void) | undefined;
    const job = defineJob({
      name: "refused",
      sources: { payments: memory.source<Payment>([]), rules: memory.source<Rule>([]) },
      sinks: { out: memory.sink<string>() },
      build({ payments, rules }, { out }) {
        payments.keyBy(({ key }) => key).connectBroadcast(rules).process("dump", {
          state: { sum: store.value(0) },
          broadcast: {},
          onEvent({ amount }, { state }) {
            state.sum.value += amount;
            kept?.(() => {});
          },
          onBroadcast(_, { forEachKey }) {
            kept = forEachKey;
            forEachKey(() => forEachKey(() => {}));
          },
        }).to(out);
      },
    });
    const { deadLetters } = await runJob(job, {
      payments: timedSource([{ at: 0, values: [pay("a", 1)] }, {
        at: 2000,
        values: [pay("a", 1)],
      }]),
      rules: timedSource([{ at: 1000, values: [{ rule: "nested" }] }]),
    });
    assertEquals(deadLetters.length, 2);
    assertMatch(deadLetters[0]?.reason ?? "", /Cannot go through the keys of "dump" within itself/);
    assertMatch(
      deadLetters[1]?.reason ?? "",
      /Cannot go through the keys of "dump" after the call/,
    );
  });
});

describe("a failing onBroadcast", () => {
  it("leaves broadcast state and keys as they were on the workers where it fails, and puts nothing out", async () => {
    for (const options of RUNS) {
      const { workers = 1 } = options;
      const { lines, said, letters } = await matched([
        all(1),
        { rule: "kept", least: 1 },
        { rule: "lost", least: 1, do: "fail late" },
        { rule: "kept", least: 2, do: "fail late" },
        { rule: "see", do: "look" },
        all(1),
        { rule: "dump", do: "dump" },
      ], options);
      assertEquals(letters.length, 2 * workers);
      assertEquals(new Set(letters.map(({ reason }) => reason)), new Set(["RangeError: too late"]));
      assertEquals(
        letters.map(({ operator }) => operator).toSorted(),
        Array.from({ length: 2 * workers }, (_, n) => `match/onBroadcast@${n >> 1}`),
      );
      assertEquals(letters.map(({ key }) => key), times(2 * workers, undefined));
      assertEquals(
        said.filter((line) => !line.startsWith("before")),
        times(workers, "1 kept kept=1"),
      );
      assertEquals(said.filter((line) => line !== "before dump").length, workers);
      assertEquals([lines("lost"), lines("after lost"), lines("after kept")], [[], [], []]);
      for (const key of KEYS) {
        assertEquals(lines(`${key} `), [`${key} 1 kept`.replace(" kept", " "), `${key} 2 kept`]);
      }
      assertEquals(lines("dump ").toSorted(), KEYS.map((key) => `dump ${key} 2 of 1+1`).toSorted());
    }
  });

  it("fails only where it fails: the letter names worker and key", async () => {
    for (const options of RUNS) {
      const { workers = 1 } = options;
      const { lines, said, letters } = await matched([
        all(1),
        { rule: "bad", least: 1, do: "fail" },
        { rule: "see", do: "look" },
        all(1),
      ], options);
      assertEquals(letters.map(({ key, reason }) => [key, reason]), [["k3", "Error: no k3"]]);
      assertMatch(letters[0]?.operator ?? "", /^match\/onBroadcast@[0-2]$/);
      assertEquals(lines("after bad").length, workers - 1);
      assertEquals(said.filter((line) => line === "0  ").length, 1);
      assertEquals(said.filter((line) => line === "1 bad bad=1").length, workers - 1);
      const touched = lines("bad ").map((line) => line.split(" ")[1]);
      for (const key of KEYS) {
        const expected = touched.includes(key) ? `${key} 1002 bad` : `${key} 2 `;
        assertEquals(lines(`${key} `).at(-1), expected);
      }
    }
  });

  it("follows the job's policy", async () => {
    const job = { ...matching, onError: "stop" as const };
    const inputs = {
      payments: [pay("k3", 1)],
      rules: timedSource([{ at: 1000, values: [{ rule: "bad", do: "fail late" as const }] }]),
    };
    const error = await runJob(job, inputs, { workers: 2 }).catch((error) => error);
    assert(error instanceof Error);
    assertMatch(error.message, /match\/onBroadcast@\d" failed on the record at rules\/shard-0@0.0/);
  });

  it("that goes on after a key has failed keeps the other keys' changes", async () => {
    const job = defineJob({
      name: "catching",
      sources: { payments: memory.source<Payment>([]), rules: memory.source<Rule>([]) },
      sinks: { out: memory.sink<string>() },
      build({ payments, rules }, { out }) {
        const caught = payments.keyBy(({ key }) => key).connectBroadcast(rules).process("catch", {
          state: { sum: store.value(0) },
          broadcast: {},
          sides: { touched: side<string>() },
          onEvent({ amount, key }, { state }): string[] {
            state.sum.value += amount;
            return [`${key} ${state.sum.value}`];
          },
          onBroadcast(_, { forEachKey, side }) {
            try {
              forEachKey((key, { sum }) => {
                sum.value += 100;
                side.touched(`touched ${key}`);
                if (sum.value > 101) throw new Error("too much");
              });
            } catch {
              side.touched("went on");
            }
          },
        });
        caught.merge(caught.sides.touched).to(out);
      },
    });
    const run = await runJob(job, {
      payments: timedSource([
        { at: 0, values: [pay("a", 1), pay("b", 2)] },
        { at: 2000, values: [pay("a", 0), pay("b", 0)] },
      ]),
      rules: timedSource([{ at: 1000, values: [{ rule: "now" }] }]),
    });
    assertEquals(run.deadLetters, []);
    const after = run.output("out").slice(2).toSorted();
    assertEquals(after, ["a 101", "b 2", "touched a", "went on"]);
  });
});
