/**
 * The committed module is what the committed source compiles to, and needs nothing from outside.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { compiledDecoder, DECODER_WASM, hasCompiler } from "./compiled_decoder.ts";

const ignore = !await hasCompiler();

describe("decoder.wasm", () => {
  it({
    name: "is what its source compiles to: if not, run deno task build:decoder",
    ignore,
    async fn() {
      const committed = await Deno.readFile(DECODER_WASM);
      assertEquals((await compiledDecoder()).toHex(), committed.toHex());
    },
  });

  it("imports nothing, and exports what is used", async () => {
    const module = await WebAssembly.compile(await Deno.readFile(DECODER_WASM));
    assertEquals(WebAssembly.Module.imports(module), []);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    assertEquals(names.toSorted(), ["decode", "memory", "memoryStart", "place"]);
  });
});

describe("compiledDecoder()", { ignore }, () => {
  it("tells changes that do not fit and sources that do not compile", async () => {
    const file = "decoder.ts";
    await assertRejects(
      () => compiledDecoder([{ file, from: "no such text", to: "" }]),
      RangeError,
      "no such text",
    );
    await assertRejects(
      () => compiledDecoder([{ file, from: "textEnd = texts;\n", to: "nowhere = texts;\n" }]),
      SyntaxError,
      "nowhere",
    );
  });
});
