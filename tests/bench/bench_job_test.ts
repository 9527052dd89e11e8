/**
 * A job reads from its URL what the runner wrote there, and nothing else passes.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { benchJobOptions, benchJobUrl, REPLAY_INPUTS, SCHEMA_KINDS } from "./bench_job.ts";

describe("benchJobUrl()", () => {
  it("is the job's module, and benchJobOptions() reads from it what was said", () => {
    for (const schema of SCHEMA_KINDS) {
      for (const input of REPLAY_INPUTS) {
        const options = { dataDir: "/a b&c=d/ü", passes: 12, schema, input };
        const url = benchJobUrl("booking", options);
        assertEquals(new URL(url).pathname.endsWith("/tests/bench/jobs/booking.ts"), true);
        assertEquals(benchJobOptions(url), options);
      }
    }
  });
});

describe("benchJobOptions()", () => {
  it("takes fields and memory when nobody says", () => {
    const { schema, input } = benchJobOptions("file:///count.ts?dataDir=d&passes=1");
    assertEquals([schema, input], ["fields", "memory"]);
  });

  it("refuses what is missing or unknown", () => {
    const open = (query: string) => () => benchJobOptions(`file:///count.ts?${query}`);
    assertThrows(open("passes=1"), TypeError, "add ?dataDir=DIR");
    assertThrows(open("dataDir=d"), RangeError, "with passes=null");
    assertThrows(open("dataDir=d&passes=1.5"), RangeError, "with passes=1.5");
    assertThrows(open("dataDir=d&passes=1&schema=joi"), RangeError, "fields, zod, zod-strict");
    assertThrows(open("dataDir=d&passes=1&input=disk"), RangeError, "input=disk");
  });
});
