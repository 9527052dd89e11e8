/**
 * Ctrl-C: what was read is processed and written, the summary says so, and the exit code is that of success.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes, fail } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { jobModule } from "../workers/job_module.ts";
import type { Total } from "../workers/jobs/totals.ts";
import { NdjsonFolder } from "../workers/ndjson_folder.ts";
import { START, Subprocess } from "./subprocess.ts";

const ORDERS = 50_000;

describe("deno task start, interrupted", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`drains a job at ${signal}`, async () => {
      await using folder = new NdjsonFolder();
      const orders = Array.from(
        { length: ORDERS },
        (_, n) => ({ customer: `c${n % 3}`, amount: 1 }),
      );
      const url = jobModule("totals", {
        in: await folder.write("orders.ndjson", ["no json", ...orders]),
        out: folder.pathOf("totals.ndjson"),
        follow: "",
      });
      await using process = new Subprocess([...START, url], {});
      // The first line is none, which is said at once: the rest is still being read then.
      await process.untilOutput(/"message":"Dead letter"/);
      process.kill(signal);
      const { code, stdout } = await process.ended();
      assertEquals(code, 0);
      assertStringIncludes(stdout, "Draining; interrupt again to end at once\n");
      const [, read, written] =
        /\ntotals ended after .* s\n.*: ([\d,]+) in\n.*: ([\d,]+) out\n {2}dead letters: 1\n$/
          .exec(stdout.replaceAll(",", "")) ?? fail(`No summary in ${stdout}`);
      assertEquals(Number(written), Number(read) - 1);
      assertEquals((await folder.read<Total>("totals.ndjson")).length, Number(written));
    });
  }

  it("drains the endless example", async () => {
    await using process = new Subprocess(START, {});
    await process.untilOutput(/booking-correlated [1-9][\d,]* out /);
    process.kill("SIGINT");
    const { code, stdout } = await process.ended();
    assertEquals(code, 0);
    assertMatch(stdout, /^Embedded Kinesis at http:\/\/127\.0\.0\.1:\d+; streams booking-created/);
    assertMatch(
      stdout,
      /\nDraining; [^]*\nbooking-correlation ended after .* s\n(.*\n){2} {2}booking-correlated: [1-9][\d,]* out\n/,
    );
    assertStringIncludes(stdout, "  dead letters: 0\n");
  });
});
