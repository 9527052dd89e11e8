/**
 * `deno task start` as people meet it: what it prints and how it exits when the command, the job or its surroundings are
 * not what they must be.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { startEmbeddedKinesis } from "../../connectors/kinesis/embedded.ts";
import { jobModule } from "../workers/job_module.ts";
import { NdjsonFolder } from "../workers/ndjson_folder.ts";
import { type Ended, runDeno, START, type SubprocessOptions } from "./subprocess.ts";

const absentStream = new URL("./jobs/absent_stream.ts", import.meta.url).href;

/** Lines of the standard error that are the command's own. */
function complaint({ stderr }: Ended): string {
  // Deno warns that permissions in a configuration file are new.
  return stderr.split("\n").filter((line) => !line.startsWith("Warning")).join("\n").trim();
}

/** Runs a command that can't be done, and gives its complaint. */
async function refused(args: readonly string[], options?: SubprocessOptions): Promise<string> {
  const ended = await runDeno([...START, ...args], options);
  assertEquals([ended.code, ended.stdout], [2, ""]);
  return complaint(ended);
}

describe("deno task start", () => {
  it("prints what it can do with --help", async () => {
    const ended = await runDeno([...START, "--help"]);
    assertEquals([ended.code, complaint(ended)], [0, ""]);
    assertStringIncludes(ended.stdout, "deno task start path/or/url/job.ts");
    for (const flag of ["--workers N", "--param NAME=VALUE", "Exit codes"]) {
      assertStringIncludes(ended.stdout, flag);
    }
  });

  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [["--nope"], /^Cannot read the command line: Unknown option '--nope'.*see --help$/],
    [["--workers", "0"], /^Cannot use --workers 0: expected a whole number from 1$/],
    [
      ["--workers", "5", "--min-workers", "2", "--max-workers", "4"],
      /^Cannot use --workers 5, the number to start with: expected 2 to 4, as/,
    ],
    [
      ["nowhere.ts", "--scaling", "fast"],
      /^Cannot use --scaling fast: expected one of responsive, kinesis-data-analytics, none$/,
    ],
    [["--endpoint", "http://127.0.0.1:1"], /^Cannot use --endpoint or --region with the example/],
    [["nowhere.ts"], /^Cannot start nowhere\.ts: there is no such file; give the path or URL/],
    [["deno.json/job.ts"], /^Cannot start deno\.json\/job\.ts: there is no such file/],
    [
      [jobModule("totals", { in: "absent.ndjson", out: "never.ndjson" })],
      /^Cannot read file "absent\.ndjson": there is no such file/,
    ],
    [["http://"], /^Cannot start http:\/\/: it is no URL/],
    [[jobModule("troubled", { trouble: "import" })], /^Cannot import the job at .* no mood/],
    [
      [jobModule("troubled", { trouble: "no job" })],
      /^Cannot run .*: its default export is no job/,
    ],
    [
      [jobModule("troubled", { trouble: "topology" })],
      /^Cannot build job "troubled": sink "results"/,
    ],
    [
      [jobModule("troubled", {}), "--param", "limit=many"],
      /^Cannot use the parameters of job "troubled": limit: /,
    ],
  ];
  for (const [args, message] of mistakes) {
    const what = args.map((arg) => arg.replace(/^file:.*\//, "")).join(" ");
    it(`exits with 2 and a line of why for ${what}`, async () => {
      const text = await refused(args);
      assertMatch(text, message);
      assertEquals(text.split("\n").length, 1);
    });
  }

  it("exits with 2 for a stream that is not there", async () => {
    const { endpoint, close } = await startEmbeddedKinesis();
    try {
      const text = await refused([absentStream, "--endpoint", endpoint]);
      assertStringIncludes(text, 'Cannot list the shards of stream "no-such-stream"');
      assertStringIncludes(text, "check the stream's name, the region and the account");
    } finally {
      await close();
    }
  });

  describe("without an AWS account", () => {
    /** An environment in which nothing says who and where we are. */
    async function nobody(folder: NdjsonFolder): Promise<SubprocessOptions> {
      const { stdout } = await runDeno(["info", "--json"]);
      const { denoDir }: { readonly denoDir: string } = JSON.parse(stdout);
      const env = {
        DENO_DIR: denoDir,
        HOME: folder.path,
        // Without it the SDK asks the machine that it runs on, which may be a virtual one of AWS.
        AWS_EC2_METADATA_DISABLED: "true",
      };
      return { clearEnv: true, env };
    }

    it("exits with 2 when no region is known", async () => {
      await using folder = new NdjsonFolder();
      const text = await refused([absentStream], await nobody(folder));
      assertMatch(text, /no AWS region is set.*set AWS_REGION/);
    });

    it("exits with 2 when no credentials are known", async () => {
      await using folder = new NdjsonFolder();
      const text = await refused([absentStream, "--region", "eu-west-1"], await nobody(folder));
      assertMatch(text, /no AWS credentials were found.*set AWS_ACCESS_KEY_ID/);
    });
  });

  it("exits with 1 and a summary for a job that fails while it runs", async () => {
    const ended = await runDeno([...START, jobModule("troubled", { trouble: "stop" })]);
    assertEquals(ended.code, 1);
    assertMatch(
      complaint(ended).split("\n").at(-1) ?? "",
      /^Operator "handle" failed on the record at numbers\/shard-0@0: RangeError: This is the end$/,
    );
    assertMatch(ended.stdout, /(^|\n)troubled ended after [\d.]+ s\n/);
    assertStringIncludes(ended.stdout, "dead letters: 1\n");
  });

  it("runs a job from a file to a file, with parameters", async () => {
    await using folder = new NdjsonFolder();
    const orders = [{ customer: "ann", amount: 60 }, { customer: "ann", amount: 50 }];
    const ended = await runDeno(
      [...START, "examples/running_totals.ts", "--param", "minimum=100", "--workers", "1"],
      {
        env: {
          ORDERS: await folder.write("orders.ndjson", [...orders, { customer: "bob" }]),
          TOTALS: folder.pathOf("totals.ndjson"),
        },
      },
    );
    assertEquals(ended.code, 0);
    assertEquals(await folder.read("totals.ndjson"), [{ customer: "ann", orders: 2, amount: 110 }]);
    assertStringIncludes(ended.stdout, "running-totals ended after");
    assertMatch(
      ended.stdout,
      /orders\.ndjson: 3 in\n.*totals\.ndjson: 1 out\n {2}dead letters: 1\n/,
    );
    assert(ended.stdout.concat(ended.stderr).includes('"message":"Dead letter"'));
  });

  it("correlates every booking of the example, once", async () => {
    const ended = await runDeno([...START, "--bookings", "300"]);
    assertEquals([ended.code, complaint(ended)], [0, ""]);
    assertStringIncludes(ended.stdout, "booking-created: 300 in");
    assertStringIncludes(ended.stdout, "booking-events: 900 in");
    assertMatch(ended.stdout, /\n300 correlated, 0 lost, 0 doubled\n$/);
  });
});
