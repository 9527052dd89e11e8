/**
 * Totals per customer from a file that is followed, in which records can be poisoned: each does harm to the worker that
 * meets it first, and none after that.
 *
 * Query: `in` and `out` are paths, `markers` a folder in which poisons leave a file each.
 *
 * @module
 */

import { defineJob, fields, file, store } from "../../../mod.ts";
import type { Total } from "./totals.ts";

const query = new URL(import.meta.url).searchParams;
const Order = fields({ customer: "string", amount: "number", poison: "string" });

/** Does harm, unless it has been done before. */
function suffer(poison: string): void {
  try {
    Deno.writeTextFileSync(`${query.get("markers")}/${poison}`, "", { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
  switch (poison) {
    case "throw":
      queueMicrotask(() => {
        throw new Error("Thrown where nobody listens");
      });
      return;
    case "end":
      // Of a worker: the process goes on.
      Deno.exit(9);
      break;
    case "hang":
      for (;;);
    case "memory": {
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array<number>(10_000).fill(hoard.length));
    }
  }
}

export default defineJob({
  name: "poisoned",
  sources: { orders: file.source([query.get("in") ?? ""], { schema: Order, follow: true }) },
  sinks: { totals: file.sink<Total>(query.get("out") ?? "") },
  build({ orders }, { totals }) {
    orders.keyBy((order) => order.customer)
      .process("total", {
        state: { orders: store.value(0), amount: store.value(0) },
        onEvent({ customer, amount, poison }, { state }) {
          const orders = state.orders.value += 1;
          state.amount.value += amount;
          if (poison !== "") suffer(poison);
          return [{ customer, orders, amount: state.amount.value }];
        },
      })
      .to(totals);
  },
});
