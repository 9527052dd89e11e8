/**
 * Exactly once over a stream that is written at least once: a writer repeats records, with the ids that they had, and the
 * job behind it lets each pass once.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { defineJob, fields, kinesis, memory, runJob, simulatedStream, store } from "../../mod.ts";
import { numbersBelow } from "./called.ts";

const Payment = fields({ account: "string", amount: "number", id: "string" });

const job = defineJob({
  name: "balances",
  sources: { payments: kinesis.source("payments") },
  sinks: { balances: memory.sink<{ account: string; sum: number }>() },
  build({ payments }, { balances }) {
    payments
      .flatMapJson("$", Payment)
      .keyBy((payment) => payment.account)
      .dedupe("once", { id: (payment) => payment.id, keepFor: "1h" })
      .keyBy((payment) => payment.account)
      .process("sum", {
        state: { sum: store.value(0) },
        onEvent: ({ account, amount }, { state }) => [{
          account,
          sum: state.sum.value += amount,
        }],
      })
      .to(balances);
  },
});

describe("a job with dedupe", () => {
  // Needs processing time in KeyedContext.
  it("counts each record once that a writer has put several times, for any number of workers", async () => {
    const payments = numbersBelow(200).map((n) => ({
      account: `a${n % 7}`,
      amount: n,
      id: `in/s0@${n}#0`,
    }));
    // A writer that crashed behind every fiftieth record, and began again at its checkpoint thirty before.
    const written = payments.flatMap((payment, n) =>
      n % 50 === 49 ? [payment, ...payments.slice(n - 29, n + 1)] : [payment]
    );
    const records = written.map((data) => ({ partitionKey: data.account, data }));
    for (const workers of [1, 2, 3]) {
      const payments = simulatedStream({ shards: 3, records });
      const run = await runJob(job, { payments }, { workers, seed: workers });
      const expected = Map.groupBy(sums(), ({ account }) => account);
      assertEquals(Map.groupBy(run.output("balances"), ({ account }) => account).size, 7);
      for (const [account, rows] of Map.groupBy(run.output("balances"), (row) => row.account)) {
        assertEquals(rows, expected.get(account));
      }
    }

    function sums() {
      const sums = new Map<string, number>();
      return payments.map(({ account, amount }) => {
        const sum = (sums.get(account) ?? 0) + amount;
        sums.set(account, sum);
        return { account, sum };
      });
    }
  });
});
