/**
 * The decoder's module has what is used of it, and can be compiled with a mistake in it.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { compiledDecoder, DECODER_WASM, hasCompiler } from "./compiled_decoder.ts";

const ignore = !await hasCompiler();

describe("decoder.wasm", () => {
  it("exports what is used", async () => {
    const module = await WebAssembly.compile(await Deno.readFile(DECODER_WASM));
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    assertEquals(names.toSorted(), [
      "deal",
      "decode",
      "memory",
      "memoryStart",
      "numberGroups",
      "pick",
      "pickCells",
      "pickGroups",
      "pickNumbers",
      "pickTexts",
      "place",
      "stringGroups",
      "workersOf",
    ]);
  });
});

describe("compiledDecoder()", { ignore }, () => {
  it("makes a module of a source that was changed", async () => {
    const change = { file: "copy_string.ts", from: "byte = 0x0c;", to: "byte = 0x0d;" };
    const changed = await compiledDecoder([change]);
    assert(WebAssembly.validate(changed));
    assertNotEquals(changed.toHex(), (await Deno.readFile(DECODER_WASM)).toHex());
  });
});
