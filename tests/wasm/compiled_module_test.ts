/**
 * Each committed module is what the committed source compiles to, and needs nothing from outside.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { compiledModule, DECODER, hasCompiler, KEY_TABLE } from "./compiled_module.ts";

const ignore = !await hasCompiler();

for (const source of [DECODER, KEY_TABLE]) {
  describe(`The module of the ${source.name}`, () => {
    it({
      name: "is what its source compiles to: if not, run deno task build:wasm",
      ignore,
      async fn() {
        const committed = await Deno.readFile(source.wasm);
        assertEquals((await compiledModule(source)).toHex(), committed.toHex());
      },
    });

    it("imports nothing", async () => {
      const module = await WebAssembly.compile(await Deno.readFile(source.wasm));
      assertEquals(WebAssembly.Module.imports(module), []);
    });
  });
}

describe("compiledModule()", { ignore }, () => {
  const file = "hash.ts";

  it("tells changes that do not fit", async () => {
    for (const from of ["no such text", "u64"]) {
      const change = { file, from, to: "" };
      await assertRejects(() => compiledModule(KEY_TABLE, [change]), RangeError, from);
    }
  });

  it("tells sources that do not compile", async () => {
    const change = { file, from: "let first = head;", to: "let first = nowhere;" };
    await assertRejects(() => compiledModule(KEY_TABLE, [change]), SyntaxError, "nowhere");
  });
});
