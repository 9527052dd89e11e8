/**
 * A job on two real workers of either kind, from files to a file: the right result, whichever worker read and handled
 * what; what fails is reported; and stopping loses nothing that was read.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type DeadLetter, silentLogger, startJob } from "../../mod.ts";
import { ISOLATIONS, jobModule } from "./job_module.ts";
import type { Total } from "./jobs/totals.ts";
import { NdjsonFolder } from "./ndjson_folder.ts";
import { endOf } from "./patience.ts";

const FILES = 3;
const ORDERS_PER_FILE = 200;
const CUSTOMERS = 11;
/** A line that is no order, and an order that makes its handler throw. */
const BAD_LINES = ["no json", { customer: "nobody", amount: 0 }];

interface Order {
  readonly customer: string;
  readonly amount: number;
}

/** The orders of one file; every customer's are spread over all files. */
function ordersOf(file: number): readonly Order[] {
  return Array.from({ length: ORDERS_PER_FILE }, (_, number) => ({
    customer: `customer-${(number * 7 + file) % CUSTOMERS}`,
    amount: 1 + (number * 31 + file) % 100,
  }));
}

/** Writes the files and gives their paths. */
async function filled(folder: NdjsonFolder): Promise<readonly string[]> {
  const paths: string[] = [];
  for (let file = 0; file < FILES; file++) {
    const rows: unknown[] = [...ordersOf(file)];
    if (file === 0) rows.splice(10, 0, ...BAD_LINES);
    paths.push(await folder.write(`orders-${file}.ndjson`, rows));
  }
  return paths;
}

/** What must come out last for each customer if these orders were handled, in any order. */
function lastTotals(orders: readonly Order[]): ReadonlyMap<string, Total> {
  const totals = new Map<string, Total>();
  for (const { customer, amount } of orders) {
    const before = totals.get(customer) ?? { orders: 0, amount: 0 };
    totals.set(customer, { customer, orders: before.orders + 1, amount: before.amount + amount });
  }
  return totals;
}

/** The last total of each customer, after seeing that the customer's orders were counted one after another. */
function lastWritten(written: readonly Total[]): ReadonlyMap<string, Total> {
  const totals = new Map<string, Total>();
  for (const total of written) {
    assertEquals(total.orders, (totals.get(total.customer)?.orders ?? 0) + 1);
    totals.set(total.customer, total);
  }
  return totals;
}

function sorted<T>(map: ReadonlyMap<string, T>): readonly [string, T][] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}

for (const isolation of ISOLATIONS) {
  describe(`startJob() with isolation "${isolation}"`, () => {
    it("adds up what several files hold and reports what it can't", async () => {
      await using folder = new NdjsonFolder();
      const url = jobModule("totals", {
        in: await filled(folder),
        out: folder.pathOf("totals.ndjson"),
        letters: folder.pathOf("letters.ndjson"),
      });
      const letters: DeadLetter[] = [];
      const plans: string[] = [];
      const handle = startJob(url, {
        isolation,
        workers: 2,
        logger: silentLogger,
        onDeadLetter: (letter) => letters.push(letter),
        onPlan: (plan) => plans.push(...plan.stages.map((stage) => stage.name)),
      });
      const { kind, status } = await endOf(handle);
      assertEquals(kind, "finished");
      assertEquals(plans, ["orders", "total"]);

      const orders = [0, 1, 2].flatMap(ordersOf);
      const written = await folder.read<Total>("totals.ndjson");
      assertEquals(sorted(lastWritten(written)), sorted(lastTotals(orders)));

      const lines = orders.length + BAD_LINES.length;
      assertEquals(status.state, "finished");
      assertEquals(status.sources["orders"]?.records, lines);
      assertGreater(status.sources["orders"]?.bytes ?? 0, 20 * lines);
      assertEquals(status.stages["total"]?.rows, orders.length + 1);
      assertEquals(status.stages["total"]?.keys, CUSTOMERS);
      assertEquals(status.sinks["totals"], { rows: orders.length, pending: 0 });
      assertEquals(status.deadLetters, BAD_LINES.length);
      assertEquals(status.workers.map((worker) => worker.worker).sort(), [0, 1]);
      assert(status.workers.every((worker) => worker.cpuMs > 0 && worker.waiting === 0));
      // Each thread has a heap of its own, and its share of the key groups.
      assert(
        status.workers.every(({ heapUsed, heapTotal }) => 0 < heapUsed && heapUsed <= heapTotal),
      );
      assertEquals(new Set(status.workers.map(({ heapUsed }) => heapUsed)).size, 2);
      assertEquals(status.workers.map(({ groups }) => groups), [64, 64]);

      const byOperator = (a: DeadLetter, b: DeadLetter) => a.operator < b.operator ? -1 : 1;
      const [unparsed, refused] = letters.sort(byOperator);
      assertEquals(letters.length, BAD_LINES.length);
      assertMatch(unparsed?.reason ?? "", /^SyntaxError: .*no json/);
      assertEquals(refused?.reason, "RangeError: Nothing ordered by nobody");
      assertEquals([refused?.operator, refused?.key], ["total", "nobody"]);
      assertEquals(refused?.value, { customer: "nobody", amount: 0 });
      assertMatch(refused?.origin ?? "", /orders-0\.ndjson@\d+$/);
      const kept = await folder.read<DeadLetter>("letters.ndjson");
      assertEquals(kept.map((letter) => letter.reason).sort(), [
        refused?.reason,
        unparsed?.reason,
      ]);
    });

    it("writes all that was read before it was stopped", async () => {
      await using folder = new NdjsonFolder();
      const url = jobModule("totals", {
        in: await filled(folder),
        out: folder.pathOf("totals.ndjson"),
        follow: "",
      });
      // The files are followed for ever; the first bad line says that the job is in the middle of it.
      const handle = startJob(url, {
        isolation,
        workers: 2,
        logger: silentLogger,
        onDeadLetter: () => void handle.stop(),
      });
      const { kind, status } = await endOf(handle);
      assertEquals(kind, "finished");
      const read = status.sources["orders"]?.records ?? 0;
      assertGreater(read, 0);
      const written = await folder.read<Total>("totals.ndjson");
      assertEquals(written.length, read - status.deadLetters);
      assertEquals(status.sinks["totals"], { rows: written.length, pending: 0 });
      const counts = [...lastWritten(written).values()].map((total) => total.orders);
      assertEquals(counts.reduce((sum, count) => sum + count, 0), written.length);
      assertEquals(await handle.stop(), await handle.outcome);
    });

    it("ends at once when it is stopped before it runs", async () => {
      await using folder = new NdjsonFolder();
      const url = jobModule("totals", {
        in: await filled(folder),
        out: folder.pathOf("totals.ndjson"),
        follow: "",
      });
      const handle = startJob(url, { isolation, logger: silentLogger });
      assertEquals(handle.status.state, "starting");
      handle.stop();
      const { kind, status } = await endOf(handle);
      assertEquals([kind, status.state], ["finished", "finished"]);
      assertEquals(status.sources, {});
    });
  });
}
