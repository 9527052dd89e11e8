/**
 * Processing time as users meet it: timers that go by the worker's clock, here a virtual one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import { runJob, type RunJobOptions } from "../../runtime/testing/run_job.ts";
import { type Delivery, timedSource } from "./timed_source.ts";

interface Order {
  readonly key: string;
  /** Timers to set, by name, so long after the clock. */
  readonly after?: Readonly<Record<string, number>>;
  /** One by its time, so long after the clock. */
  readonly by?: number;
  readonly clear?: string;
  readonly fails?: boolean;
}

/** What is told of orders and of timers: the clock comes last. */
async function told(deliveries: readonly Delivery<Order>[], options: RunJobOptions = {}) {
  const job = defineJob({
    name: "clock",
    sources: { orders: timedSource<Order>() },
    sinks: { out: memory.sink<string>() },
    build({ orders }, { out }) {
      orders.keyBy(({ key }) => key).process("told", {
        state: { fired: store.value(0) },
        onEvent({ key, after = {}, by, clear, fails }, context) {
          const now = context.processingTime;
          for (const [name, ms] of Object.entries(after)) {
            context.setProcessingTimer(name, now + ms);
          }
          if (by !== undefined) context.setProcessingTimer(now + by);
          if (clear !== undefined) context.clearProcessingTimer(clear);
          if (fails) throw new Error("not this one");
          return [`${key} ${now}`];
        },
        onTimer(name, { key, timestamp, processingTime, timeDomain, state, setProcessingTimer }) {
          state.fired.value += 1;
          if (name === "again" && state.fired.value < 3) setProcessingTimer("again", timestamp);
          if (name === "repeat" && state.fired.value < 3) {
            setProcessingTimer("repeat", processingTime + 100);
          }
          const of = `${key} ${name} ${timeDomain} ${state.fired.value}`;
          return [`${of}: ${timestamp} at ${processingTime}`];
        },
      }).to(out);
    },
  });
  const run = await runJob(job, { orders: timedSource(deliveries) }, options);
  return run.output("out");
}

const until = (at: number): Delivery<Order> => ({ at, values: [] });

describe("a processing-time timer", () => {
  it("fires when the clock reaches its time, without any record", async () => {
    for (const workers of [1, 2]) {
      const lines = await told([
        { at: 1000, values: [{ key: "a", after: { late: 500, soon: 200 }, by: 300 }] },
        { at: 1400, values: [{ key: "a" }] },
        until(5000),
      ], { workers });
      assertEquals(lines, [
        "a 1000",
        "a soon processing 1: 1200 at 1200",
        "a  processing 2: 1300 at 1300",
        "a 1400",
        "a late processing 3: 1500 at 1500",
      ]);
    }
  });

  it("for a time that is over fires soon, after the call that set it", async () => {
    const lines = await told([
      { at: 1000, values: [{ key: "a", after: { over: -50, now: 0 } }] },
      until(5000),
    ]);
    assertEquals(lines, [
      "a 1000",
      "a over processing 1: 950 at 1000",
      "a now processing 2: 1000 at 1000",
    ]);
  });

  it("may set others, which fire in their turn", async () => {
    const lines = await told([
      {
        at: 1000,
        values: [{ key: "a", after: { again: 10 } }, { key: "b", after: { repeat: 5 } }],
      },
      until(5000),
    ]);
    assertEquals(lines.filter((line) => line.includes("processing")), [
      "b repeat processing 1: 1005 at 1005",
      ...[1, 2, 3].map((n) => `a again processing ${n}: 1010 at 1010`),
      "b repeat processing 2: 1105 at 1105",
      "b repeat processing 3: 1205 at 1205",
    ]);
  });

  it("is moved by setting it again, gone when cleared, and taken back when its turn fails", async () => {
    const lines = await told([
      { at: 0, values: [{ key: "a", after: { moved: 100, cleared: 100, kept: 100 } }] },
      { at: 50, values: [{ key: "a", after: { moved: 100 }, clear: "cleared" }] },
      { at: 60, values: [{ key: "a", after: { kept: 500, no: 5 }, clear: "moved", fails: true }] },
      until(5000),
    ]);
    assertEquals(lines.slice(2), [
      "a kept processing 1: 100 at 100",
      "a moved processing 2: 150 at 150",
    ]);
  });

  it("neither fires at the end of the input nor keeps the job", async () => {
    const far = 3650 * 86_400_000;
    assertEquals(
      await told([
        { at: 0, values: [{ key: "a", after: { far, near: 100, end: 2000 } }] },
        until(2000),
      ]),
      ["a 0", "a near processing 1: 100 at 100"],
    );
  });

  it("waits while the stage is held up, and then fires with the clock's new time", async () => {
    const job = defineJob({
      name: "held up",
      sources: { keys: timedSource<string>() },
      sinks: { out: memory.sink<string>() },
      build({ keys }, { out }) {
        keys.keyBy((key) => key).process("timers", {
          state: {},
          onEvent(_, { setProcessingTimer, processingTime }) {
            for (const ms of [10, 20, 30]) setProcessingTimer(processingTime + ms);
          },
          onTimer: (_, { timestamp, processingTime }) => [`${timestamp} at ${processingTime}`],
        }).mapAsync("slow", async (line, context) => {
          await context.delay(1000);
          return line;
        }, { capacity: 1 }).to(out);
      },
    });
    const run = await runJob(job, {
      keys: timedSource([{ at: 0, values: ["a"] }, { at: 9000, values: [] }]),
    });
    assertEquals(run.output("out"), ["10 at 10", "20 at 1010", "30 at 2010"]);
  });
});
