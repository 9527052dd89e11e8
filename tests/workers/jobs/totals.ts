/**
 * A job from files to a file, told by its URL which: totals per customer. An order of nothing makes its handler throw.
 *
 * Query: `in` (one or more) and `out` are paths; `letters`, a path for dead letters; `follow` waits for more lines.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { type DeadLetter, defineJob, file, store } from "../../../mod.ts";

const query = new URL(import.meta.url).searchParams;
const letters = query.get("letters");
const Order = z.object({ customer: z.string(), amount: z.number() });

/** What comes out for each order. */
export interface Total {
  readonly customer: string;
  readonly orders: number;
  readonly amount: number;
}

export default defineJob({
  name: "totals",
  sources: {
    orders: file.source(query.getAll("in"), { schema: Order, follow: query.has("follow") }),
  },
  sinks: { totals: file.sink<Total>(query.get("out") ?? "") },
  ...(letters === null ? {} : { deadLetters: file.sink<DeadLetter>(letters) }),
  build({ orders }, { totals }) {
    orders.keyBy((order) => order.customer)
      .process("total", {
        state: { orders: store.value(0), amount: store.value(0) },
        onEvent({ customer, amount }, { state }) {
          if (amount === 0) throw new RangeError(`Nothing ordered by ${customer}`);
          const orders = state.orders.value += 1;
          return [{ customer, orders, amount: state.amount.value += amount }];
        },
      })
      .to(totals);
  },
});
