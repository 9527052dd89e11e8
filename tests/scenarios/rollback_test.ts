/**
 * Nothing half done: a turn that fails leaves state and timers as they were and puts nothing out,
 * and what failed in one place goes on in all others.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { filter, map, scan } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import type { Stream } from "../../runtime/stream.ts";
import { runJob, type TestRun } from "../../runtime/testing/run_job.ts";

interface Step {
  readonly at: number;
  readonly do: "write" | "write and fail" | "clear and fail" | "look";
}

const steps = (...kinds: Step["do"][]): Step[] => kinds.map((kind, at) => ({ at, do: kind }));

const everyState = {
  value: store.value(0),
  object: store.value<{ readonly sum: number }>(),
  list: store.list<number>(),
  map: store.map<string, number>(),
};

/** One key with every kind of state, and two timers. Gives what it looks like, and timers fired. */
const keeping = defineJob({
  name: "keeping",
  sources: { steps: memory.source<Step>([]) },
  sinks: { seen: memory.sink<unknown>() },
  build({ steps }, { seen }) {
    steps.eventTime({ timestamp: (step) => step.at }).keyBy(() => "key").process("keep", {
      state: everyState,
      onEvent(step, { state, setTimer, clearTimer }): unknown[] | undefined {
        if (step.do === "look") {
          const { value, object, list, map } = state;
          return [{
            value: value.value,
            object: object.value,
            list: [...list],
            map: [...map.entries()],
          }];
        }
        if (step.do === "clear and fail") {
          for (const handle of Object.values(state)) handle.clear();
          clearTimer("first");
        } else {
          state.value.value++;
          state.value.value++;
          state.object.value = { sum: (state.object.value?.sum ?? 0) + 1 };
          for (const n of [1, 2]) state.list.add(step.at * 10 + n);
          state.map.set("a", step.at);
          state.map.set(`at ${step.at}`, step.at);
          state.map.delete("a");
          state.map.set("last", step.at);
          setTimer("first", 100 + step.at);
          setTimer(`timer ${step.at}`, 200 + step.at);
        }
        if (step.do !== "write") throw new Error("not this time");
        return undefined;
      },
      onTimer: (name, { timestamp }) => [`${name} at ${timestamp}`],
    }).to(seen);
  },
});

describe("a handler that throws", () => {
  const WRITTEN_ONCE = {
    value: 2,
    object: { sum: 1 },
    list: [1, 2],
    map: [["at 0", 0], ["last", 0]],
  };
  const FIRED = ["first at 100", "timer 0 at 200"];
  const cases: [string, Step[], unknown[]][] = [
    [
      "its very first writes",
      steps("write and fail", "look"),
      [{ value: 0, object: undefined, list: [], map: [] }],
    ],
    [
      "writes over earlier ones",
      steps("write", "write and fail", "look"),
      [WRITTEN_ONCE, ...FIRED],
    ],
    [
      "clears",
      steps("write", "clear and fail", "look"),
      [WRITTEN_ONCE, ...FIRED],
    ],
    [
      "one after the other",
      steps("write and fail", "write", "clear and fail", "write and fail", "look"),
      [
        { value: 2, object: { sum: 1 }, list: [11, 12], map: [["at 1", 1], ["last", 1]] },
        "first at 101",
        "timer 1 at 201",
      ],
    ],
  ];
  for (const [what, input, expected] of cases) {
    it(`takes back ${what}: value, list, map and timers`, async () => {
      const run = await runJob(keeping, { steps: input });
      const failing = input.filter((step) => step.do.endsWith("fail")).length;
      assertEquals(run.deadLetters.length, failing);
      assertEquals(run.output("seen"), expected);
    });
  }

  it("leaves no state behind for a key that had none", async () => {
    const run = await runJob(keeping, { steps: steps("write and fail", "clear and fail") });
    assertEquals(run.status.stages["keep"]?.keys, 0);
  });

  it("takes back what onTimer wrote, and keeps other timers", async () => {
    const job = defineJob({
      name: "failing timer",
      sources: { times: memory.source([10, 20]) },
      sinks: { seen: memory.sink<string>() },
      build({ times }, { seen }) {
        times.eventTime({ timestamp: (at) => at }).keyBy(() => "key").process("keep", {
          state: { sum: store.value(0) },
          onEvent(at, { state, setTimer }) {
            state.sum.value += at;
            setTimer(`t${at}`, at + 5);
          },
          onTimer(name, { state, setTimer }) {
            if (name === "t10") {
              state.sum.value = -1;
              setTimer("t20", 1000);
              setTimer("new", 1);
              throw new Error("not this one");
            }
            return [`${name} ${state.sum.value}`];
          },
        }).to(seen);
      },
    });
    const run = await runJob(job);
    assertEquals(run.output("seen"), ["t20 30"]);
    assertEquals(run.deadLetters, [{
      operator: "keep",
      key: "key",
      origin: "",
      reason: "Error: not this one",
      timestamp: 15,
      value: { key: "key", name: "t10", at: 15 },
    }]);
  });
});

/** Runs numbers 1 to 6 through a job of one sink, in which 3 is bad. */
function run(build: (numbers: Stream<number>) => Stream<unknown>): Promise<TestRun<SinkOf>> {
  return runJob(defineJob({
    name: "numbers",
    sources: { numbers: memory.source([1, 2, 3, 4, 5, 6]) },
    sinks: { out: memory.sink<unknown>() },
    build: ({ numbers }, { out }) => build(numbers).to(out),
  }));
}

type SinkOf = { out: ReturnType<typeof memory.sink<unknown>> };

function refuse3(n: number): number {
  if (n === 3) throw new Error("no 3");
  return n;
}

describe("an RxJS chain that errored", () => {
  it("is built anew and goes on, without what its operators remembered", async () => {
    const { deadLetters, ...rest } = await run((numbers) =>
      numbers.pipe(map(refuse3), scan((sum, n) => sum + n, 0))
    );
    assertEquals(rest.output("out"), [1, 3, 4, 9, 15]);
    assertEquals(deadLetters.map(({ value }) => value), [3]);
  });

  it("leaves other chains of the same pipeline as they are", async () => {
    const { output } = await run((numbers) =>
      numbers.pipe(scan((count) => count + 1, 0)).pipe(map(refuse3))
    );
    assertEquals(output("out"), [1, 2, 4, 5, 6]);
  });

  it("is built anew behind a key as well", async () => {
    const { output, deadLetters } = await run((numbers) =>
      numbers.keyBy(() => "all").pipe(map(({ value }) => refuse3(value)))
    );
    assertEquals(output("out"), [1, 2, 4, 5, 6]);
    assertEquals(deadLetters.map(({ key }) => key), ["all"]);
  });
});

describe("a record that fails in one branch", () => {
  it("takes all others, and makes one letter for each failure", async () => {
    const { output, deadLetters } = await run((numbers) => {
      const failing = numbers.pipe(map(refuse3), map((n) => `a${n}`));
      const fine = numbers.pipe(filter((n) => n === 3), map((n) => `b${n}`));
      const keyed = numbers.keyBy(refuse3).process("same", {
        state: {},
        onEvent: (n) => [`c${n}`],
      });
      return failing.merge(fine).merge(keyed.pipe(filter((n) => n === "c1")));
    });
    assertEquals(output("out").toSorted(), ["a1", "a2", "a4", "a5", "a6", "b3", "c1"]);
    assertEquals(deadLetters.map(({ operator }) => operator).sort(), [
      "numbers/keyBy",
      "numbers/pipe",
    ]);
  });

  it("makes one letter for a key that can't be taken, however many stages share it", async () => {
    const { output, deadLetters } = await run((numbers) => {
      const keyed = numbers.keyBy(refuse3);
      const first = keyed.process("first", { state: {}, onEvent: (n) => [n] });
      return first.merge(keyed.process("second", { state: {}, onEvent: (n) => [n * 10] }));
    });
    assertEquals(output("out").length, 10);
    assertEquals(deadLetters.length, 1);
  });
});
