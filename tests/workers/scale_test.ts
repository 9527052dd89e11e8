/**
 * Workers that come and go, on real ones of either kind: every order is counted once, whoever had its key group when.
 *
 * @module
 */

import { assertEquals, fail } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { delay, systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { threadHost } from "../../runtime/ports/thread_host.ts";
import { webWorkerHost } from "../../runtime/ports/web_worker_host.ts";
import { systemRandom } from "../../runtime/random.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import { ISOLATIONS, jobModule } from "./job_module.ts";
import type { Total } from "./jobs/totals.ts";
import { NdjsonFolder } from "./ndjson_folder.ts";
import { PATIENCE_MS } from "./patience.ts";

const CUSTOMERS = 50;
const ROUNDS = [3, 1, 2, 1];

describe("workers that come and go", () => {
  for (const isolation of ISOLATIONS) {
    it(`count every order once, as ${isolation}s`, async () => {
      await using folder = new NdjsonFolder();
      const orders = Array.from(
        { length: CUSTOMERS },
        (_, customer) => ({ customer: `customer-${customer}`, amount: 1 }),
      );
      const url = jobModule("totals", {
        in: await folder.write("orders.ndjson", orders),
        out: folder.pathOf("totals.ndjson"),
        follow: "",
      });
      const supervisor = new Supervisor({
        ...{ clock: systemClock, random: systemRandom, logger: silentLogger },
        host: isolation === "thread" ? threadHost() : webWorkerHost(),
        settings: { url, params: {}, aws: {}, startedAt: systemClock.now(), logLevel: "warn" },
        ...{ workers: 1, workersMax: 3, parallelism: 1 },
      });
      const run = supervisor.run();
      const totals = async () => await folder.read<Total>("totals.ndjson").catch(() => []);
      const written = async (rows: number) => {
        const began = systemClock.monotonic();
        for (let there = 0; there < rows; there = (await totals()).length) {
          if (systemClock.monotonic() - began > PATIENCE_MS) {
            fail(`${there} of ${rows} totals came`);
          }
          await delay(systemClock, 20);
        }
      };
      await written(CUSTOMERS);
      let rows = CUSTOMERS;
      for (const workers of ROUNDS) {
        await folder.write("orders.ndjson", orders);
        const leaving = supervisor.routing.flatMap((from, group) =>
          from < workers ? [] : [{ group, from, to: group % workers }]
        );
        if (leaving.length > 0) await supervisor.move(leaving);
        assertEquals((await supervisor.scale(workers))?.to, workers);
        const spread = supervisor.routing.flatMap((from, group) =>
          from === group % workers ? [] : [{ group, from, to: group % workers }]
        );
        if (spread.length > 0) await supervisor.move(spread);
        await written(rows += CUSTOMERS);
      }
      supervisor.stop();
      assertEquals((await run).kind, "finished");
      const last = new Map((await totals()).map(({ customer, orders }) => [customer, orders]));
      assertEquals(new Set(last.values()), new Set([1 + ROUNDS.length]));
      assertEquals([last.size, (await totals()).length], [CUSTOMERS, rows]);
    });
  }
});
