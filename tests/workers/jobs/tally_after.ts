/**
 * The next version of the job in `tally_before.ts`: sums have a currency, visits are not counted any more, and the
 * largest order is kept.
 *
 * Query: `in` (one or more) and `out` are paths; `unmigrated` forgets how to read sums of the first version.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { defineJob, file, store } from "../../../mod.ts";

const query = new URL(import.meta.url).searchParams;
const Order = z.object({ customer: z.string(), amount: z.number() });
const NOTHING = { amount: 0, currency: "EUR" };
const sum = query.has("unmigrated") ? store.value(NOTHING, { version: 2 }) : store.value(NOTHING, {
  version: 2,
  migrate: (content) => ({ amount: Number(content), currency: "EUR" }),
});

export default defineJob({
  name: "tally",
  sources: { orders: file.source(query.getAll("in"), { schema: Order, follow: true }) },
  sinks: { tallies: file.sink<unknown>(query.get("out") ?? "") },
  build({ orders }, { tallies }) {
    const customers = orders.keyBy(({ customer }) => customer);
    customers.process("sum", {
      state: { sum },
      onEvent({ customer, amount }, { state }) {
        const { currency, amount: before } = state.sum.value;
        state.sum.value = { amount: before + amount, currency };
        return [{ customer, sum: `${before + amount} ${currency}` }];
      },
    }).to(tallies);
    customers.process("largest", {
      state: { largest: store.value(0) },
      onEvent: ({ customer, amount }, { state }) => [{
        customer,
        largest: state.largest.value = Math.max(state.largest.value, amount),
      }],
    }).to(tallies);
  },
});
