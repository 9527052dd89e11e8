import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  defineJob,
  type EventTimeOptions,
  type Sink,
  type SinkMark,
  type Source,
  type Stream,
} from "../../mod.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

interface Event {
  readonly id: string;
  readonly mark?: boolean;
  readonly at?: number;
}

/** A sink that keeps what it is given and told. */
function keeping(): { readonly sink: Sink<Event>; readonly log: string[] } {
  const log: string[] = [];
  const told = (mark: SinkMark) => "at" in mark ? `until ${mark.at}` : mark.kind;
  const sink: Sink<Event> = {
    guarantee: "at least once",
    kind: "keeping",
    name: "keeping",
    open: () =>
      Promise.resolve({
        write({ length, values, timestampAt }) {
          for (const [row, { id }] of values.entries()) {
            if (row < length) log.push(`${id}@${timestampAt(row)}`);
          }
          return undefined;
        },
        mark: (mark) => void log.push(told(mark)),
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
        pending: () => 0,
      }),
  };
  return { sink, log };
}

/** A led job from a source to a sink. */
async function led(
  source: Source<Event>,
  build: (events: Stream<Event>) => Stream<Event>,
): Promise<{ readonly driver: JobDriver; readonly taken: () => string[] }> {
  const { sink, log } = keeping();
  const driver = await JobDriver.start(defineJob({
    name: "led",
    sources: { source },
    sinks: { sink },
    build: ({ source }, { sink }) => build(source).to(sink),
  }));
  return { driver, taken: () => log.splice(0) };
}

const timed = (options: EventTimeOptions<Event>) => (events: Stream<Event>) =>
  events.eventTime(options);

describe("watermarks of timestamps", () => {
  it("go out at a period, those of all shards together", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a", "b"] });
    const { driver, taken } = await led(source, timed({ emitEvery: 100 }));
    source.push("a", { value: { id: "x" }, timestamp: 20 });
    source.push("b", { value: { id: "y" }, timestamp: 10 });
    await driver.advanceTo(99);
    assertEquals(taken().toSorted(), ["x@20", "y@10"]);
    await driver.advanceTo(100);
    assertEquals(taken(), ["until 9"]);
    source.push("a", { value: { id: "x" }, timestamp: 40 });
    source.push("b", { value: { id: "y" }, timestamp: 30 });
    await driver.advanceTo(200);
    // Not 19 on the way.
    assertEquals(taken().slice(2), ["until 29"]);
  });

  it("leave an idle shard out, judged at the period", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a", "b"] });
    const { driver, taken } = await led(source, timed({ emitEvery: 100, idleAfter: 150 }));
    source.push("b", { value: { id: "y" }, timestamp: 10 });
    for (let time = 100; time <= 500; time += 100) {
      source.push("a", { value: { id: "x" }, timestamp: time });
      await driver.advanceTo(time);
    }
    // b was quiet first at 200, and for more than 150 ms at 400.
    assertEquals(taken().filter((line) => line.startsWith("until")), [
      "until 9",
      "until 399",
      "until 499",
    ]);
  });
});

describe("a period", () => {
  it("is one word of all shards: one that falls idle as another comes back leaves nothing idle", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a", "b"] });
    const { driver, taken } = await led(source, timed({ emitEvery: 100, idleAfter: 150 }));
    const at = async (time: number, shard: string, timestamp: number) => {
      source.push(shard, { value: { id: shard }, timestamp });
      await driver.advanceTo(time);
    };
    source.push("a", { value: { id: "a" }, timestamp: 100 });
    await at(100, "b", 10);
    await at(200, "a", 101);
    for (const time of [300, 400]) await driver.advanceTo(time);
    // b is idle since 400; at 500 a is, too, while b has something new.
    await at(500, "b", 200);
    assertEquals(taken().filter((line) => !line.includes("@")), [
      "until 9",
      "until 100",
      "until 199",
    ]);
  });
});

describe("watermarks of records", () => {
  it("go out behind the record that says one, if they rise", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a"] });
    const { driver, taken } = await led(
      source,
      timed({
        timestamp: ({ at = 0 }) => at,
        watermark: ({ mark }, timestamp) => mark ? timestamp : undefined,
      }),
    );
    source.push(
      "a",
      { value: { id: "x", at: 20 } },
      { value: { id: "y", at: 10, mark: true } },
      { value: { id: "z", at: 9, mark: true } },
    );
    await driver.settle();
    assertEquals(taken(), ["x@20", "y@10", "until 10", "z@9"]);
  });

  it("must be times: another one costs the record", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a"] });
    const { driver, taken } = await led(source, timed({ watermark: () => NaN }));
    source.push("a", { value: { id: "x" }, timestamp: 1 });
    await driver.settle();
    assertEquals([taken(), driver.deadLetters.length], [[], 1]);
    assertEquals(driver.deadLetters[0]?.reason.includes("watermark() gave NaN"), true);
  });

  it("are none where nothing promises anything, but for the end", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a"], bounded: true });
    const { driver, taken } = await led(source, timed({ watermark: "none" }));
    source.push("a", { value: { id: "x" }, timestamp: 1 }, { event: { kind: "advance", at: 5 } });
    await driver.settle();
    assertEquals(taken(), ["x@1"]);
    source.end("a");
    await driver.settle();
    assertEquals(taken(), ["until Infinity"]);
  });
});

describe("watermarks of a source", () => {
  it("stand between its rows, and are those of all its shards", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a", "b"] });
    const { driver, taken } = await led(source, (events) => events);
    source.push("b", { event: { kind: "advance", at: 7 } });
    await driver.settle();
    source.push(
      "a",
      { value: { id: "x" }, timestamp: 1 },
      { event: { kind: "advance", at: 5 } },
      { value: { id: "y" }, timestamp: 6 },
      { event: { kind: "idle" } },
    );
    await driver.settle();
    assertEquals(taken(), ["x@1", "until 5", "y@6", "until 7"]);
  });

  it("reach keyed operators, and sinks behind them", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a"] });
    const { driver, taken } = await led(
      source,
      (events) =>
        events.keyBy(({ at = 0 }) => at, { hash: "int" }).process("see", {
          state: {},
          onEvent: (_, { watermark, key }) => [{ id: `${key} after ${watermark}` }],
        }),
    );
    source.push(
      "a",
      { value: { id: "x", at: 1 }, timestamp: 1 },
      { event: { kind: "advance", at: 5 } },
      { value: { id: "y", at: 2 }, timestamp: 6 },
      { value: { id: "z", at: 1.5 }, timestamp: 6 },
    );
    await driver.settle();
    assertEquals(taken(), ["1 after -Infinity@1", "until 5", "2 after 5@6"]);
    // Half a key is no int.
    assertEquals(driver.deadLetters.length, 1);
  });
});

describe("statuses", () => {
  it("fire no timers: one that is set for a time that is over waits for the next watermark", async () => {
    const source = new ScriptedSource<Event>({ shards: ["a"], watermarks: "channels" });
    const { driver, taken } = await led(
      source,
      (events) =>
        events.keyBy(({ id }) => id).process("late", {
          state: {},
          onEvent: (_, { setTimer }) => setTimer("late", 3),
          onTimer: (name) => [{ id: name }],
        }),
    );
    source.push("a", { event: { kind: "advance", at: 5 } }, { value: { id: "x" } }, {
      event: { kind: "idle" },
    });
    await driver.settle();
    assertEquals(taken(), ["until 5", "idle"]);
    source.push("a", { event: { kind: "active" } }, { event: { kind: "advance", at: 6 } });
    await driver.settle();
    assertEquals(taken(), ["active", "late@3", "until 6"]);
  });
});
