/**
 * Side outputs: each record of a side comes to whoever reads it, in order and with its time, or not at all if the call
 * fails.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { map } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { fields } from "../../operators/fields.ts";
import { flatMapJson } from "../../operators/flat_map_json.ts";
import { kinesis } from "../../connectors/kinesis/kinesis.ts";
import { defineJob } from "../../runtime/job.ts";
import { side, type SideSpec } from "../../runtime/side.ts";
import { store } from "../../runtime/state/state.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { simulatedStream } from "../../runtime/testing/simulated_stream.ts";
import { timedSource } from "./timed_source.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const ascending = (a: number, b: number) => a - b;

const split = defineJob({
  name: "split",
  sources: { numbers: memory.source<number>([]) },
  sinks: { all: memory.sink<number>(), odd: memory.sink<number>(), sums: memory.sink<number>() },
  build({ numbers }, { all, odd, sums }) {
    const checked = numbers.keyBy((n) => n % 7).process("check", {
      state: { seen: store.value(0) },
      sides: { odd: side<number>(), nobodyReads: side<number>() },
      onEvent(n, { side, state }) {
        side.nobodyReads(n);
        if (n % 2 === 1) side.odd(n);
        state.seen.value++;
        if (n % 11 === 10) throw new Error("not this one");
        return [n];
      },
    });
    checked.to(all);
    checked.sides.odd.to(odd);
    checked.sides.odd.keyBy(() => "all").process("sum", {
      state: { sum: store.value(0) },
      onEvent(n, { state }) {
        state.sum.value += n;
        return [state.sum.value];
      },
    }).to(sums);
  },
});

describe("a side output", () => {
  it("has what handlers put there, on any number of workers and in any order of turns", async () => {
    const kept = numbers(3000).filter((n) => n % 11 !== 10);
    const odd = kept.filter((n) => n % 2 === 1);
    for (const [workers, seed] of [[1, 1], [2, 2], [3, 3], [3, 4]] as const) {
      const run = await runJob(split, { numbers: numbers(3000) }, { workers, seed });
      assertEquals(run.output("all").toSorted(ascending), kept);
      assertEquals(run.output("odd").toSorted(ascending), odd);
      assertEquals(Math.max(...run.output("sums")), odd.reduce((sum, n) => sum + n, 0));
      assertEquals(run.deadLetters.length, 3000 - kept.length);
      for (let key = 0; key < 7; key++) {
        assertEquals(
          run.output("odd").filter((n) => n % 7 === key),
          odd.filter((n) => n % 7 === key),
        );
      }
    }
  });

  it("stands among what a generator yields, and before an array", async () => {
    const job = defineJob({
      name: "order",
      sources: { kinds: memory.source<"array" | "generator" | "nothing">([]) },
      sinks: { out: memory.sink<string>() },
      build({ kinds }, { out }) {
        const told = kinds.keyBy(() => "k").process("tell", {
          state: {},
          sides: { note: side<string>() },
          onEvent(kind, { side }): Iterable<string> | undefined {
            if (kind === "nothing") return void side.note("alone");
            if (kind === "array") {
              side.note("a1");
              return ["a2", "a3", (side.note("a4"), "a5")];
            }
            return (function* () {
              yield "g1";
              side.note("g2");
              side.note("g3");
              yield "g4";
              side.note("g5");
            })();
          },
        });
        told.merge(told.sides.note).to(out);
      },
    });
    const run = await runJob(job, { kinds: ["generator", "array", "nothing", "generator"] });
    const generated = ["g1", "g2", "g3", "g4", "g5"];
    assertEquals(run.output("out"), [
      ...generated,
      ...["a1", "a4", "a2", "a3", "a5"],
      "alone",
      ...generated,
    ]);
    assertEquals(run.deadLetters, []);
  });

  it("carries time and watermarks as the main output does, from timers and both sides of connect", async () => {
    const job = defineJob({
      name: "times",
      sources: { left: memory.source<number>([]), right: memory.source<number>([]) },
      sinks: { out: memory.sink<string>() },
      build({ left, right }, { out }) {
        const key = () => "k";
        const timed = { timestamp: (n: number) => n };
        const joined = left.eventTime(timed).keyBy(key).connect(right.eventTime(timed).keyBy(key))
          .coFlatMap("join", {
            state: {},
            sides: { seen: side<string>() },
            left(n, { side, setTimer }) {
              side.seen(`left ${n}`);
              setTimer(`of ${n}`, n + 10);
            },
            right: (n, { side }) => side.seen(`right ${n}`),
            onTimer: (name, { side }) => side.seen(name),
          });
        joined.sides.seen.keyBy(key).process("see", {
          state: {},
          onEvent(line, { timestamp, watermark, setTimer }) {
            setTimer(line, timestamp + 1);
            return [`${line} at ${timestamp} behind ${watermark}`];
          },
          onTimer: (name, { timestamp }) => [`${name} and 1 at ${timestamp}`],
        }).to(out);
      },
    });
    const source = (...times: number[]) =>
      timedSource(times.map((n) => ({ at: n * 10, values: [n] })));
    for (const workers of [1, 3]) {
      const run = await runJob(job, { left: source(10, 30), right: source(20, 50) }, { workers });
      assertEquals(run.output("out").toSorted(), [
        "left 10 and 1 at 11",
        "left 10 at 10 behind -Infinity",
        "left 30 and 1 at 31",
        "left 30 at 30 behind 9",
        "of 10 and 1 at 21",
        "of 10 at 20 behind 19",
        "of 30 and 1 at 41",
        "of 30 at 40 behind 19",
        "right 20 and 1 at 21",
        "right 20 at 20 behind -Infinity",
        "right 50 and 1 at 51",
        "right 50 at 50 behind 19",
      ]);
    }
  });

  it("is filled behind columns as behind rows, with the origin of its record", async () => {
    const Order = fields({ id: "string", total: "number" });
    const job = defineJob({
      name: "columns",
      sources: { bytes: kinesis.source("orders") },
      sinks: { large: memory.sink<string>() },
      build({ bytes }, { large }) {
        const routes = [
          bytes.pipe(flatMapJson("$", Order)).keyBy((order) => order.id),
          bytes.pipe(flatMapJson("$", Order)).pipe(map((order) => order)).keyBy((order) =>
            order.id
          ),
        ];
        for (const [route, keyed] of routes.entries()) {
          keyed.process(`check ${route}`, {
            state: {},
            sides: { large: side<string>() },
            onEvent({ id, total }, { side }) {
              if (total > 5) side.large(`${route} ${id} ${total}`);
            },
          }).sides.large.pipe(map((line) => {
            if (line.endsWith(" 9")) throw new Error(line);
            return line;
          })).to(large);
        }
      },
    });
    const records = numbers(10).map((total) => ({
      partitionKey: "p",
      data: { id: `k${total % 3}`, total },
    }));
    for (const workers of [1, 2]) {
      const bytes = simulatedStream({ shards: 1, records });
      const run = await runJob(job, { bytes }, { workers });
      const lines = (route: number) => [6, 7, 8].map((total) => `${route} k${total % 3} ${total}`);
      assertEquals(run.output("large").toSorted(), [...lines(0), ...lines(1)]);
      const [first, second] = run.deadLetters;
      assertEquals(run.deadLetters.length, 2);
      assert(first !== undefined && first.origin !== "");
      assertEquals([first.origin, first.key], [second?.origin, "k0"]);
    }
  });

  it("of an unknown name is an error that says which there are", async () => {
    const build = (use: (sides: Readonly<Record<string, unknown>>) => void) =>
      defineJob({
        name: "unknown",
        sources: { numbers: memory.source([1, 2]) },
        sinks: { out: memory.sink<number>() },
        build({ numbers }, { out }) {
          const checked = numbers.keyBy((n) => n).process("check", {
            state: {},
            sides: { audit: side<number>() },
            onEvent(n, { side }) {
              Reflect.get(side, n === 1 ? "audit" : "adit")(n);
            },
          });
          use(checked.sides);
          checked.sides.audit.to(out);
        },
      });
    const run = await runJob(build(() => {}));
    assertEquals(run.output("out"), [1]);
    assertEquals(run.deadLetters.map(({ reason }) => reason), [
      'TypeError: Cannot put out to side "adit" of "check": found "audit"; declare it in sides',
    ]);
    const failed = await runJob(build((sides) => sides["adit"])).catch((error) => error);
    const message = '"check" has no side output "adit": found "audit"; declare it in sides';
    assertThrows(
      () => {
        throw failed;
      },
      Error,
      message,
    );
    const wrong = defineJob({
      name: "wrong",
      sources: { numbers: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      build: ({ numbers }, { out }) =>
        numbers.keyBy((n) => n).process("check", {
          state: {},
          sides: { audit: store.value(0) as object as SideSpec<number> },
          onEvent: (n) => [n],
        }).to(out),
    });
    const refused = await runJob(wrong).catch((error) => error);
    assertThrows(
      () => {
        throw refused;
      },
      Error,
      'declares side output "audit" as something else',
    );
  });

  it("is closed after the call", async () => {
    let later: ((n: number) => void) | undefined;
    const reasons: string[] = [];
    const job = defineJob({
      name: "late",
      sources: { numbers: memory.source([1, 2, 3]) },
      sinks: { out: memory.sink<number>() },
      build({ numbers }, { out }) {
        const checked = numbers.keyBy((n) => n).process("check", {
          state: {},
          sides: { audit: side<number>() },
          onEvent(n, { side }) {
            later = side.audit;
            if (n === 1) throw new Error("undone");
          },
        });
        checked.sides.audit.to(out);
        checked.pipe(map((n) => n)).to(out);
        numbers.pipe(map((n) => n)).keyBy(() => 0).process("other", {
          state: {},
          onEvent(n) {
            try {
              later?.(n);
            } catch (error) {
              reasons.push(String(error));
            }
          },
        });
      },
    });
    const run = await runJob(job);
    assertEquals(run.output("out"), []);
    assert(reasons.length > 0 && reasons.every((reason) => reason.includes("after the call")));
  });
});
