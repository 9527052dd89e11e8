/**
 * A SQLite file with checkpoints of a job that has something of everything, to look into.
 *
 * @module
 */

import { memory } from "../../../connectors/memory/memory.ts";
import { sqliteStore } from "../../../runtime/checkpoint/sqlite_store.ts";
import type { CheckpointStore } from "../../../runtime/checkpoint/store.ts";
import { defineJob } from "../../../runtime/job.ts";
import { store } from "../../../runtime/state/state.ts";
import { JobDriver } from "../../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../../runtime/testing/scripted_source.ts";

/** What is ordered. */
export interface KeptOrder {
  readonly customer: string | number;
  readonly amount: number;
}

/** A job, led. Two stages that are keyed by customer, one with broadcast state; shards a and b. */
export async function startKeptJob(
  checkpoints: CheckpointStore,
  workers = 2,
): Promise<{ readonly driver: JobDriver; readonly orders: ScriptedSource<KeptOrder> }> {
  const orders = new ScriptedSource<KeptOrder>({ shards: ["a", "b"] });
  const limits = new ScriptedSource<number>({ shards: ["l"] });
  const job = defineJob({
    name: "orders",
    sources: { orders, limits },
    sinks: { out: memory.sink<string>() },
    build({ orders, limits }, { out }) {
      const customers = orders.keyBy(({ customer }) => customer);
      customers.process("totals", {
        state: {
          sum: store.value(0, { version: 2, migrate: Number }),
          seen: store.list<number>(),
          by: store.map<string, number>(),
        },
        onEvent({ amount }, { state, setTimer }) {
          state.sum.value += amount;
          state.seen.add(amount);
          if (amount > 100) state.by.set("large", amount);
          setTimer("forget", 60_000);
        },
        onTimer() {},
      }).to(out);
      customers.connectBroadcast(limits).process("limited", {
        state: { last: store.value<number | undefined>(undefined) },
        broadcast: { limits: store.map<string, number>() },
        onEvent({ amount }, { state }) {
          if (amount > 100) state.last.value = amount;
        },
        onBroadcast: (limit, { broadcast }) => void broadcast.limits.set("most", limit),
      }).to(out);
    },
  });
  const driver = await JobDriver.start(job, { workers, checkpoints });
  limits.push("l", { value: 7 });
  orders.push("a", { value: { customer: "ann", amount: 60 } });
  orders.push("a", { value: { customer: "ann", amount: 150 } });
  orders.push("b", { value: { customer: 5, amount: 20 } }, { value: { customer: "5", amount: 1 } });
  await driver.settle();
  return { driver, orders };
}

/** A file in which the job has left a checkpoint (1), a savepoint (3) of another (2), and its last one (4). */
export async function keptJobFile(folder: string): Promise<string> {
  const path = `${folder}/kept.db`;
  const { driver } = await startKeptJob(sqliteStore(path));
  await driver.checkpoint();
  await driver.savepoint();
  await driver.stop();
  return path;
}

/** What a command prints, `error` before lines about what went wrong. */
export class PrintedLines {
  readonly lines: string[] = [];

  print(line: string): void {
    this.lines.push(line);
  }

  printError(line: string): void {
    this.lines.push(`error ${line}`);
  }
}
