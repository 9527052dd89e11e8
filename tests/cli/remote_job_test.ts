/**
 * `deno task start` with a job that is not part of this repository: from a URL, or in another folder. Such a job brings
 * its own copy of the library, which has to get on with the one that runs it.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Loopback } from "../import/loopback.ts";
import { NdjsonFolder } from "../workers/ndjson_folder.ts";
import { runDeno, START } from "./subprocess.ts";

describe("deno task start", () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await Loopback.open();
  });
  afterAll(async () => await loopback[Symbol.asyncDispose]());

  it("runs a job from a URL, with the operators of its own copy of the library", async () => {
    await using folder = new NdjsonFolder();
    const url = new URL(loopback.url("tests/import/jobs/items.ts"));
    // An invalid item costs itself: those behind it in the same record come out.
    url.searchParams.set("in", await folder.write("lines.ndjson", [{ items: ["a", 1, "b", "a"] }]));
    url.searchParams.set("out", folder.pathOf("numbered.ndjson"));
    const { code, stdout, stderr } = await runDeno([...START, url.href], { env: loopback.env });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "items ended after");
    const numbered = await folder.read<{ item: string; number: number }>("numbered.ndjson");
    const texts = numbered.map(({ item, number }) => `${item}${number}`);
    assertEquals(texts.toSorted(), ["a1", "a2", "b1"]);
    assertStringIncludes(stdout, "dead letters: 1\n");
  });

  it("says that a URL can't be read", async () => {
    const url = loopback.url("tests/import/jobs/nowhere.ts");
    const { code, stdout, stderr } = await runDeno([...START, url], { env: loopback.env });
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, `Cannot import the job at ${url}: `);
  });

  it("runs a job in another folder that imports the library by path", async () => {
    await using folder = new NdjsonFolder();
    const mod = new URL("../../mod.ts", import.meta.url).href;
    await Deno.writeTextFile(
      folder.pathOf("job.ts"),
      `import { map } from "npm:rxjs@7.8.2";
       import { defineJob, file, memory } from ${JSON.stringify(mod)};
       export default defineJob({
         name: "elsewhere",
         sources: { numbers: memory.source([1, 2, 3]) },
         sinks: { doubled: file.sink<number>(${JSON.stringify(folder.pathOf("doubled.ndjson"))}) },
         build: ({ numbers }, { doubled }) => numbers.pipe(map((n) => n * 2)).to(doubled),
       });`,
    );
    const { code, stderr } = await runDeno(["task", "start", folder.pathOf("job.ts")]);
    assertEquals(code, 0, stderr);
    assertEquals(await folder.read("doubled.ndjson"), [2, 4, 6]);
  });
});
