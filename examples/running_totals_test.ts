/**
 * The job on values given by the test: no file is touched.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runJob } from "../mod.ts";
import job from "./running_totals.ts";

const orders = [
  { customer: "ann", amount: 60 },
  { customer: "bob", amount: 5 },
  { customer: "ann", amount: 50 },
];

describe("running-totals", () => {
  it("writes each customer's total after each order", async () => {
    const run = await runJob(job, { orders });
    const of = (customer: string) =>
      run.output("totals").filter((row) => row.customer === customer);
    assertEquals(of("ann"), [
      { customer: "ann", orders: 1, amount: 60 },
      { customer: "ann", orders: 2, amount: 110 },
    ]);
    assertEquals(of("bob"), [{ customer: "bob", orders: 1, amount: 5 }]);
  });

  it("leaves out totals below the minimum, but counts their orders", async () => {
    const run = await runJob(job, { orders }, { params: { minimum: "100" }, workers: 2 });
    assertEquals(run.output("totals"), [{ customer: "ann", orders: 2, amount: 110 }]);
  });

  it("refuses a minimum that is no number", async () => {
    const run = () => runJob(job, { orders }, { params: { minimum: "much" } });
    await assertRejects(run, Error, 'Cannot use the parameters of job "running-totals": minimum');
  });
});
