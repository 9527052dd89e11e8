/**
 * The fuzzer finds nothing in the decoder, and finds mistakes that are planted in it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { DecoderModule } from "../../operators/decoder/program_run.ts";
import {
  compiledDecoder,
  hasCompiler,
  type SourceChange,
} from "../operators/decoder/compiled_decoder.ts";
import { fuzzDecoder } from "./decoder_fuzzer.ts";

/** Cases within which a planted mistake must be found. */
const CASES_MAX = 100_000;

const MISTAKES: Readonly<Record<string, readonly SourceChange[]>> = {
  "an escape at a 16-byte border that is not looked at": [{
    file: "validate.ts",
    from: "      at = escapeEnd(at);",
    to: "      at = ctz(found) == 15 ? at + 2 : escapeEnd(at);",
  }],
  "an escape at a 16-byte border that is copied as it is": [{
    file: "copy_string.ts",
    from: "      at = copyEscape(at, to);\n      if (at == 0) return 0;\n      to = copyEnd;",
    to: "      if (plain == 15) {\n        at++;\n        to++;\n        continue;\n      }\n" +
      "      at = copyEscape(at, to);\n      if (at == 0) return 0;\n      to = copyEnd;",
  }],
  "numbers of 17 digits taken for exact": [{
    file: "read_number.ts",
    from: "const WHOLE_MAX: u64 = 1 << 53;",
    to: "const WHOLE_MAX: u64 = 1 << 60;",
  }],
  "a name taken for one that it begins with": [{
    file: "decoder.ts",
    from: "  const mask = load<u32>(name + NAME_MASK);",
    to: "  const mask = load<u32>(name + NAME_MASK) >> 1;",
  }, {
    file: "decoder.ts",
    from: "      at = colonEnd(at + load<u32>(name + NAME_LENGTH));",
    to: "      at = stringEnd(at);\n      if (at == 0) return 0;\n      at = colonEnd(at);",
  }],
  "a record that ends where the next one does": [{
    file: "decoder.ts",
    from: "    store<u8>(end, 0);\n    const committed",
    to: "    const committed",
  }, {
    file: "decoder.ts",
    from: "    if (at != end) return FALLBACK;",
    to: "    if (at < end) return FALLBACK;",
  }],
  "texts that lose their end at the end of a chunk": [{
    file: "decoder.ts",
    from: "    if (end > last) store<u32>(chunk, end, 4);",
    to: "    if (end > last) store<u32>(chunk, end - 1, 4);",
  }],
};

/** A module of the kind that `decoder.wasm` is. */
function isDecoder(exports: object): exports is DecoderModule {
  return "decode" in exports && "place" in exports && "memoryStart" in exports;
}

const ignore = !await hasCompiler();

describe("fuzzDecoder()", () => {
  it("finds nothing in the decoder, which decides most of what is valid", () => {
    const run = fuzzDecoder(10_000, 7);
    assertEquals(run.finding, undefined);
    assert(run.decided > run.valid * 0.7 && run.valid > run.cases * 0.5, JSON.stringify(run));
  });

  it("does the same for the same seed", () => {
    assertEquals(fuzzDecoder(1000, 11), fuzzDecoder(1000, 11));
  });

  for (const [mistake, changes] of Object.entries(MISTAKES)) {
    it(`finds ${mistake}, and makes it small`, { ignore }, async () => {
      const module = await WebAssembly.compile(await compiledDecoder(changes));
      const { exports } = new WebAssembly.Instance(module);
      assert(isDecoder(exports));
      const { finding } = fuzzDecoder(CASES_MAX, 1, exports);
      assert(finding !== undefined, `Not found in ${CASES_MAX} cases`);
      const bytes = finding.records.reduce((sum, record) => sum + record.length, 0);
      assert(finding.records.length <= 2 && bytes < 100, `${bytes} bytes: ${finding.difference}`);
    });
  }
});
