/**
 * Programs that start jobs end by themselves when the job has: no worker, port or timer is left behind that would keep
 * the process.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runDeno } from "../cli/subprocess.ts";
import { ISOLATIONS, jobModule } from "./job_module.ts";
import { NdjsonFolder } from "./ndjson_folder.ts";

const mod = new URL("../../mod.ts", import.meta.url).href;

/** A program that starts a job and does nothing else: not even exit. */
function program(url: string, options: object): string {
  return `import { startJob } from ${JSON.stringify(mod)};
    const { outcome } = startJob(${JSON.stringify(url)}, ${JSON.stringify(options)});
    console.log((await outcome).kind);`;
}

for (const isolation of ISOLATIONS) {
  describe(`startJob() with isolation "${isolation}"`, () => {
    it("leaves nothing behind when the job has ended", async () => {
      await using folder = new NdjsonFolder();
      const url = jobModule("totals", {
        in: await folder.write("orders.ndjson", [{ customer: "ann", amount: 3 }]),
        out: folder.pathOf("totals.ndjson"),
      });
      const { code, stdout } = await runDeno(["eval", "--no-lock", program(url, { isolation })]);
      assertEquals([code, stdout], [0, "finished\n"]);
      assertEquals(await folder.read("totals.ndjson"), [{ customer: "ann", orders: 1, amount: 3 }]);
    });

    it("leaves nothing behind when the job could not be started", async () => {
      const url = jobModule("troubled", { trouble: "import" });
      const ended = await runDeno(["eval", "--no-lock", program(url, { isolation })]);
      assertEquals([ended.code, ended.stdout], [0, "failed\n"]);
      assertStringIncludes(ended.stderr, "The job has no mood to be imported");
    });
  });
}
