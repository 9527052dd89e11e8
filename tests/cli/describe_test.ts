/**
 * `deno task start --describe` as people meet it: the plan and nothing else, without anything that it names being there.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { JobPlan } from "../../runtime/stage_plan.ts";
import { jobModule } from "../workers/job_module.ts";
import { runDeno, START } from "./subprocess.ts";

const absentStream = new URL("./jobs/absent_stream.ts", import.meta.url).href;

describe("deno task start --describe", () => {
  it("shows the example, and does not start it", async () => {
    const { code, stdout } = await runDeno([...START, "--describe"]);
    assertEquals(code, 0);
    assertMatch(stdout, /^booking-correlation: key groups 128, on error "resume"\n\nSources\n/);
    assertMatch(
      stdout,
      /\n {2}bookings -> correlate +left +as rows +keyed by \(booking\) ?=> ?booking\.book/,
    );
    assertMatch(stdout, /\nSinks\n {2}correlated {2}kinesis {2}booking-correlated\n\nDecoding\n/);
  });

  for (const isolation of ["web-worker", "thread"]) {
    it(`prints JSON of a job on a ${isolation}, whose streams need not be there`, async () => {
      const { code, stdout } = await runDeno(
        [...START, absentStream, "--describe", "--json", "--isolation", isolation],
      );
      assertEquals(code, 0);
      const plan: JobPlan = JSON.parse(stdout);
      assertEquals(plan, {
        job: "absent",
        maxParallelism: 128,
        onError: "resume",
        sources: [{ name: "records", kind: "kinesis", of: "no-such-stream", bounded: false }],
        sinks: [{ name: "copies", kind: "kinesis", of: "no-such-sink" }],
        stages: [{ name: "records", kind: "source", states: [], calls: [] }],
        edges: [],
        decoding: [],
      });
    });
  }

  it("exits with 2 and why if the job can't be built", async () => {
    const url = jobModule("troubled", { trouble: "topology" });
    const { code, stdout, stderr } = await runDeno([...START, url, "--describe"]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, 'Cannot build job "troubled": sink "results"');
  });
});
