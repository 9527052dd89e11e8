import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { kinesis } from "../../../connectors/kinesis/kinesis.ts";
import { memory } from "../../../connectors/memory/memory.ts";
import type { DeadLetter } from "../../../runtime/dead_letter.ts";
import { defineJob } from "../../../runtime/job.ts";
import { store } from "../../../runtime/state/state.ts";
import { runJob } from "../../../runtime/testing/run_job.ts";
import { simulatedStream } from "../../../runtime/testing/simulated_stream.ts";
import { z } from "../../deps.ts";
import { map } from "../deps.ts";

interface Order {
  readonly customer: string;
  readonly total: number;
}

const spending = defineJob({
  name: "spending",
  sources: { orders: memory.source<Order>([]) },
  sinks: { sums: memory.sink<string>() },
  build({ orders }, { sums }) {
    orders.keyBy((order) => order.customer).process("sum", {
      state: { sum: store.value(0) },
      onEvent: ({ total }, { key, state }) => [`${key} ${state.sum.value += total}`],
    }).to(sums);
  },
});

const orders: readonly Order[] = Array.from(
  { length: 60 },
  (_, at) => ({ customer: `c${at % 7}`, total: at }),
);

describe("runJob()", () => {
  it("runs a job on the inputs of the test, without its own sources, sinks and dead letters", async () => {
    const sums = memory.sink<string>();
    const letters = memory.sink<DeadLetter>();
    const job = defineJob({
      ...spending,
      sources: { orders: memory.source<Order>([{ customer: "real", total: 1 }]) },
      sinks: { sums },
      deadLetters: letters,
    });
    const input = [{ customer: "a", total: 2 }, { customer: "a", total: 3 }, {
      customer: 5n as never,
      total: 4,
    }];
    const run = await runJob(job, { orders: input });
    assertEquals(run.deadLetters.map(({ origin }) => origin), ["orders/shard-0@2"]);
    assertEquals(run.output("sums"), ["a 2", "a 5"]);
    assertEquals([sums.rows, letters.rows], [[], []]);
    assertEquals(run.status.sources["orders"]?.records, 3);
    assertEquals([run.status.state, run.status.sinks["sums"]?.rows], ["finished", 2]);
  });

  it("gives the same run for the same seed, and the same results on any number of workers", async () => {
    const outputs = async (workers: number, seed: number) =>
      (await runJob(spending, { orders }, { workers, seed })).output("sums");
    assertEquals(await outputs(3, 5), await outputs(3, 5));
    const one = (await outputs(1, 1)).toSorted();
    for (const [workers, seed] of [[2, 1], [3, 2], [5, 3]] as const) {
      const several = await outputs(workers, seed);
      assertEquals(several.toSorted(), one);
      const own = several.filter((line) => line.startsWith("c3 "));
      assertEquals(own, own.toSorted((a, b) => Number(a.slice(3)) - Number(b.slice(3))));
    }
  });

  it("takes a source in a source's place", async () => {
    const job = defineJob({
      name: "texts",
      sources: { bytes: kinesis.source("texts") },
      sinks: { out: memory.sink<string>() },
      build({ bytes }, { out }) {
        bytes.flatMapJson("$.id", z.string()).to(out);
      },
    });
    const records = [{ partitionKey: "a", data: { id: "one" } }, {
      partitionKey: "b",
      data: { id: 2 },
    }];
    const run = await runJob(job, { bytes: simulatedStream({ shards: 2, records }) });
    assertEquals(run.output("out"), ["one"]);
    assertEquals(run.deadLetters.map(({ operator }) => operator), ["bytes/flatMapJson"]);
  });

  it("reads a bounded source without input itself, and nothing of one that never ends", async () => {
    const job = defineJob({
      name: "both",
      sources: {
        given: memory.source([1, 2]),
        endless: kinesis.source("numbers", { schema: z.number() }),
      },
      sinks: { out: memory.sink<number>() },
      build({ given, endless }, { out }) {
        given.merge(endless).to(out);
      },
    });
    assertEquals((await runJob(job)).output("out"), [1, 2]);
    assertEquals((await runJob(job, { endless: [3] })).output("out").toSorted(), [1, 2, 3]);
  });

  it("gives the job its parameters, its logger and the time that the test says", async () => {
    const lines: string[] = [];
    const job = defineJob({
      name: "shifted",
      params: z.object({ by: z.number() }),
      sources: { numbers: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      build({ numbers }, { out }, { params, logger }) {
        logger.info("built");
        numbers.pipe(map((n) => n + params.by)).to(out);
      },
    });
    const say = (message: string) => void lines.push(message);
    const logger = { debug() {}, info: say, warn: say, error: say, critical: say };
    const run = await runJob(job, {}, { params: { by: "10" }, logger });
    assertEquals([run.output("out"), lines], [[11], ["built"]]);
    await assertRejects(
      () => runJob(job),
      Error,
      'Cannot use the parameters of job "shifted": by: ',
    );
  });

  it("rejects with what the job failed with", async () => {
    const failing = defineJob({
      ...spending,
      onError: "stop",
      build({ orders }, { sums }) {
        orders.pipe(map(({ total }): string => {
          throw new RangeError(`no ${total}`);
        })).to(sums);
      },
    });
    const message =
      'Operator "orders/pipe" failed on the record at orders/shard-0@0: RangeError: no 0';
    await assertRejects(() => runJob(failing, { orders }), Error, message);
    const unread = defineJob({ ...spending, build() {} });
    await assertRejects(
      () => runJob(unread),
      Error,
      'Cannot build job "spending": source "orders" is never read',
    );
  });

  it("refuses an input that never ends", async () => {
    const endless = memory.source<Order>({ shards: [orders], bounded: false });
    await assertRejects(
      () => runJob(spending, { orders: endless }),
      RangeError,
      'Cannot run job "spending" with input "orders": it never ends; give a bounded source',
    );
  });

  it("refuses inputs and outputs that the job does not have", async () => {
    const inputs: { orders: readonly Order[] } = { orders: [], ...{ order: [] } };
    await assertRejects(
      () => runJob(spending, inputs),
      RangeError,
      'Cannot run job "spending" with input "order": it has no such source',
    );
    const run = await runJob(spending);
    assertThrows(
      () => run.output("sum" as "sums"),
      RangeError,
      'Cannot give the output of sink "sum": the job has no such sink',
    );
  });
});
