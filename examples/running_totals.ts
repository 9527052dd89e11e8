/**
 * What each customer has spent so far, from a file of orders to a file of totals: a job that ends by itself when the
 * file does. Both files have a JSON value on each line; `ORDERS` and `TOTALS` in the environment say which.
 *
 * ```sh
 * ORDERS=/tmp/orders.ndjson TOTALS=/tmp/totals.ndjson deno task start examples/running_totals.ts --param minimum=100
 * ```
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { defineJob, file, startJob, store } from "../mod.ts";

const Order = z.object({ customer: z.string(), amount: z.number().positive() });

/** A customer after an order. */
export interface RunningTotal {
  readonly customer: string;
  readonly orders: number;
  readonly amount: number;
}

/** Job `running-totals`. Totals below the parameter `minimum` are not written. */
export default defineJob({
  name: "running-totals",
  params: z.object({ minimum: z.number().default(0) }),
  sources: {
    orders: file.source(Deno.env.get("ORDERS") ?? "orders.ndjson", { schema: Order }),
  },
  sinks: {
    // Rows are appended: a second run writes behind those of the first.
    totals: file.sink<RunningTotal>(Deno.env.get("TOTALS") ?? "totals.ndjson"),
  },
  build({ orders }, { totals }, { params }) {
    orders.keyBy((order) => order.customer)
      .process("total", {
        state: { orders: store.value(0), amount: store.value(0) },
        *onEvent({ customer, amount }, { state }) {
          state.orders.value += 1;
          state.amount.value += amount;
          const total = { customer, orders: state.orders.value, amount: state.amount.value };
          if (total.amount >= params.minimum) yield total;
        },
      })
      .to(totals);
  },
});

if (import.meta.main) await startJob(import.meta.url).finished;
