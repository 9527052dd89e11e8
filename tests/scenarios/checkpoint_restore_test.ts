import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import { memory } from "../../connectors/memory/memory.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

interface Order {
  readonly customer: string;
  readonly total: number;
}

/** Sums per customer, twice: the second keyed stage adds up what the first one tells. */
function sums() {
  const orders = new ScriptedSource<Order>({ shards: ["a", "b"] });
  const out = memory.sink<string>();
  const job = defineJob({
    name: "sums",
    sources: { orders },
    sinks: { out },
    build({ orders }, { out }) {
      orders.keyBy(({ customer }) => customer).process("sum", {
        state: { sum: store.value(0), seen: store.list<number>() },
        onEvent({ total }, { key, state }) {
          state.seen.add(total);
          return [{ key, sum: state.sum.value += total }];
        },
      }).keyBy(({ sum }) => sum % 2).process("parity", {
        state: { count: store.value(0), last: store.map<string, number>() },
        onEvent({ key, sum }, { key: parity, state }) {
          state.last.set(key, sum);
          return [`${key} ${sum} ${parity}: ${++state.count.value} of ${state.last.size}`];
        },
      }).to(out);
    },
  });
  return { orders, out, job };
}

describe("a job that starts from a checkpoint", () => {
  it("goes on with its state and positions, on any number of workers", async () => {
    for (const [before, after] of [[1, 1], [1, 3], [3, 2], [2, 1]] as const) {
      const { orders, out, job } = sums();
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { workers: before, checkpoints });
      orders.push("a", { value: { customer: "ann", total: 3 } });
      orders.push("b", { value: { customer: "bob", total: 4 } });
      await first.settle();
      await first.checkpoint();
      orders.push("a", { value: { customer: "ann", total: 4 } });
      await first.settle();
      await first.checkpoint();
      // After it: lost with the job, and read again.
      orders.push("b", { value: { customer: "bob", total: 1 } });
      await first.settle();
      const rows = out.rows.length;
      const second = await JobDriver.start(job, { workers: after, seed: 7, checkpoints });
      assertEquals(out.rows.slice(rows), ["bob 5 1: 3 of 2"], `${before} to ${after}`);
      orders.push("a", { value: { customer: "ann", total: 1 } });
      await second.settle();
      assertEquals(out.rows.slice(rows + 1), ["ann 8 0: 2 of 2"]);
    }
  });
});
