/**
 * What customers have ordered, as the first version of the job has it: a sum, and how often they came.
 *
 * Query: `in` (one or more) and `out` are paths.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { defineJob, file, store } from "../../../mod.ts";

const query = new URL(import.meta.url).searchParams;
const Order = z.object({ customer: z.string(), amount: z.number() });

export default defineJob({
  name: "tally",
  sources: { orders: file.source(query.getAll("in"), { schema: Order, follow: true }) },
  sinks: { tallies: file.sink<unknown>(query.get("out") ?? "") },
  build({ orders }, { tallies }) {
    const customers = orders.keyBy(({ customer }) => customer);
    customers.process("sum", {
      state: { sum: store.value(0) },
      onEvent: ({ customer, amount }, { state }) => [{
        customer,
        sum: state.sum.value += amount,
      }],
    }).to(tallies);
    customers.process("visits", {
      state: { visits: store.value(0) },
      onEvent: ({ customer }, { state }) => [{ customer, visits: ++state.visits.value }],
    }).to(tallies);
  },
});
