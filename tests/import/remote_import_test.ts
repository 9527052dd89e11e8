/**
 * `mod.ts` imported from a URL, by a program in a folder that is no project of ours, with no more permissions than what
 * it does needs: workers start, packages resolve, jobs run.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openKinesis } from "../../connectors/kinesis/client.ts";
import { createStream, startEmbeddedKinesis } from "../../connectors/kinesis/embedded.ts";
import { type Ended, runDeno } from "../cli/subprocess.ts";
import { ISOLATIONS } from "../workers/job_module.ts";
import { Loopback } from "./loopback.ts";

const JOB = `
import { map } from "npm:rxjs@7.8.2";
import { defineJob, file, store } from "MOD";

const Line = {
  "~standard": {
    version: 1,
    vendor: "own",
    validate: (value: unknown) => ({ value: value as { readonly word: string } }),
  },
} as const;

export default defineJob({
  name: "words",
  sources: { words: file.source("words.ndjson", { schema: Line }) },
  sinks: { counts: file.sink<string>("counts.ndjson") },
  build({ words }, { counts }) {
    words.pipe(map((line) => line.word))
      .keyBy((word) => word)
      .process("count", {
        state: { count: store.value(0) },
        onEvent: (word, { state }) => [\`\${word} \${state.count.value += 1}\`],
      })
      .to(counts);
  },
});
`;

const PROGRAM = `
import { startJob } from "MOD";

const url = new URL("./job.ts", import.meta.url).href;
const { outcome } = startJob(url, { isolation: Deno.args[0] === "thread" ? "thread" : "web-worker" });
const { kind, status } = await outcome;
console.log(kind, JSON.stringify(status.sinks));
`;

const KINESIS_JOB = `
import { defineJob, kinesis, startJob } from "MOD";

const schema = {
  "~standard": {
    version: 1,
    vendor: "own",
    validate: (value: unknown) => ({ value: value as { readonly id: string } }),
  },
} as const;

export default defineJob({
  name: "copy",
  sources: { from: kinesis.source("from", { start: "trimHorizon", schema }) },
  sinks: { to: kinesis.sink<{ id: string }>("to", { partitionKey: (row) => row.id }) },
  build: ({ from }, { to }) => from.to(to),
});

if (import.meta.main) {
  const aws = { endpoint: Deno.args[0], region: "eu-west-1" };
  const handle = startJob(import.meta.url, {
    workers: 1,
    aws,
    onStatus({ sinks }) {
      if (sinks["to"]?.rows === 3) handle.stop();
    },
  });
  const { kind, status } = await handle.outcome;
  console.log(kind, JSON.stringify(status.sinks));
}
`;

/** What the AWS SDK looks at. Profiles in \`~/.aws\` need \`--allow-read\` for that folder on top. */
const AWS_ENV = "AWS_*,HOME,USERPROFILE,HOMEPATH,HOMEDRIVE,_X_AMZN_TRACE_ID";

describe("mod.ts from a URL", () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await Loopback.open();
    await loopback.module("job.ts", JOB);
    await loopback.module("main.ts", PROGRAM);
    await loopback.module("copy.ts", KINESIS_JOB);
    const words = ["stone", "river", "stone"].map((word) => JSON.stringify({ word }));
    await Deno.writeTextFile(`${loopback.folder}/words.ndjson`, words.join("\n"));
  });
  afterAll(async () => await loopback[Symbol.asyncDispose]());

  /** Runs a program in the folder elsewhere. */
  function run(args: readonly string[]): Promise<Ended> {
    const { folder: cwd, env } = loopback;
    return runDeno(["run", "--no-prompt", ...args], {
      cwd,
      env: { ...env, AWS_ACCESS_KEY_ID: "anybody", AWS_SECRET_ACCESS_KEY: "anything" },
    });
  }

  for (const isolation of ISOLATIONS) {
    it(`runs a job with isolation "${isolation}", allowed to import it and to use its files`, async () => {
      const counts = `${loopback.folder}/counts.ndjson`;
      const files = "--allow-read=job.ts,words.ndjson,counts.ndjson";
      const imports = `--allow-import=${loopback.host}`;
      const ended = await run([
        imports,
        files,
        "--allow-write=counts.ndjson",
        "main.ts",
        isolation,
      ]);
      assertEquals([ended.code, ended.stdout], [
        0,
        'finished {"counts":{"rows":3,"pending":0}}\n',
      ], ended.stderr);
      const lines = (await Deno.readTextFile(counts)).trimEnd().split("\n");
      assertEquals(lines.toSorted(), ['"river 1"', '"stone 1"', '"stone 2"']);
      await Deno.remove(counts);
    });
  }

  it("says what permission is missing", async () => {
    const imports = `--allow-import=${loopback.host}`;
    const unread = await run([imports, "main.ts"]);
    assertMatch(unread.stderr, /Cannot import the job at file:.*Requires read access to .*job\.ts/);
    const unimported = await run(["main.ts"]);
    assertEquals(unimported.code, 1);
    assertStringIncludes(unimported.stderr, `Requires import access to "${loopback.host}"`);
  });

  it("reads and writes Kinesis, allowed the service and what the SDK looks at", async () => {
    const { endpoint, close } = await startEmbeddedKinesis();
    const { client, sdk } = await openKinesis({ endpoint });
    try {
      await Promise.all(["from", "to"].map((name) => createStream({ client, sdk }, name, 1)));
      const Records = ["a", "b", "c"].map((id) => ({
        PartitionKey: id,
        Data: new TextEncoder().encode(JSON.stringify({ id })),
      }));
      await client.send(new sdk.PutRecordsCommand({ StreamName: "from", Records }));
      const ended = await run([
        `--allow-import=${loopback.host}`,
        "--allow-read=copy.ts",
        `--allow-net=${new URL(endpoint).host}`,
        `--allow-env=${AWS_ENV}`,
        "--allow-sys=osRelease",
        "copy.ts",
        endpoint,
      ]);
      assertEquals(
        [ended.code, ended.stdout],
        [0, 'finished {"to":{"rows":3,"pending":0}}\n'],
        ended.stderr,
      );
    } finally {
      client.destroy();
      await close();
    }
  });
});
