import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../runtime/cli/arguments.ts";
import { jobUrl } from "../../../runtime/cli/job_url.ts";

describe("jobUrl()", () => {
  it("gives a path's URL if there is such a file", () => {
    const asked: string[] = [];
    const url = jobUrl("/jobs/with space.ts", (url) => asked.push(url.href) > 0);
    assertEquals([url, asked], ["file:///jobs/with%20space.ts", ["file:///jobs/with%20space.ts"]]);
    assertEquals(jobUrl("job.ts", () => true), new URL("job.ts", `file://${Deno.cwd()}/`).href);
  });

  it("leaves URLs as they are, and does not look whether they exist", () => {
    for (
      const url of [
        "https://example.com/job.ts",
        "HTTP://example.com/job.ts",
        "file:///job.ts",
        "data:text/javascript,1",
      ]
    ) {
      assertEquals(jobUrl(url, () => false), new URL(url).href);
    }
  });

  it("refuses a path where nothing is", () => {
    const message =
      "Cannot start nothing.ts: there is no such file; give the path or URL of a module that exports a job";
    assertThrows(() => jobUrl("nothing.ts", () => false), UsageError, message);
  });

  it("refuses what can't be a URL, and a path that can't be looked at", () => {
    assertThrows(
      () => jobUrl("https://", () => true),
      UsageError,
      "Cannot start https://: it is no URL",
    );
    const denied = () => {
      throw new Error("denied");
    };
    assertThrows(
      () => jobUrl("job.ts", denied),
      UsageError,
      "Cannot start job.ts: it can't be looked at: denied",
    );
  });
});
