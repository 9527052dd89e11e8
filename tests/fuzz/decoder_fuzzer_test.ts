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
    from: "    if (load<u8>(at) < 0x80) return at;",
    to: "    if (ctz(found) == 15 && load<u8>(at) == BACKSLASH) {\n      at += 2;\n" +
      "      continue;\n    }\n    if (load<u8>(at) < 0x80) return at;",
  }],
  "an escape at a 16-byte border that is copied as it is": [{
    file: "copy_string.ts",
    from: "const size: usize = 16 - (backslashes >> 15);",
    to: "const size: usize = 16;",
  }],
  "numbers of 17 digits taken for exact": [{
    file: "read_number.ts",
    from: "const WHOLE_MAX: u64 = 1 << 53;",
    to: "const WHOLE_MAX: u64 = 1 << 60;",
  }],
  "a number between two doubles that is always rounded up": [{
    file: "nearest_double.ts",
    from: "  if (isTie) bits--;",
    to: "",
  }],
  "a number that begins with zeros": [{
    file: "read_number.ts",
    from: " || (count > 1 && load<u8>(start) == 0x30)",
    to: "",
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
    from: "  store<u8>(end, 0);\n  const status",
    to: "  const status",
  }, {
    file: "decoder.ts",
    from: "    if (at != end) return FALLBACK;",
    to: "    if (at < end) return FALLBACK;",
  }],
  "texts that lose their end at the end of a chunk": [{
    file: "batch.ts",
    from: "  if (end > last) store<u32>(chunk, end, 4);",
    to: "  if (end > last) store<u32>(chunk, end - 1, 4);",
  }],
  "a template that fits but for its last byte": [{
    file: "template.ts",
    from: "  step.mask = (1 << length) - 1;",
    to: "  step.mask = ((1 << length) - 1) >> 1;",
  }],
  "a template that fits what begins like it": [{
    file: "follow_template.ts",
    from: "if (next == end) return step.cells",
    to: "if (next <= end) return step.cells",
  }],
  "a template in which null is nothing": [{
    file: "learn_template.ts",
    from: "note(end, end, Action.NULL, cellColumn(cells), 0);",
    to: "note(end, end, Action.BYTES, cellColumn(cells), 0);",
  }],
  "a template in which an object may be an array": [{
    file: "learn_template.ts",
    from: "note(start + 1, end, Action.SKIP_REST, 0, 0);",
    to: "note(start, end, Action.SKIP_REST, 0, 0);",
  }, {
    file: "follow_template.ts",
    from: "  at = valueEnd(at - 1);",
    to: "  at = valueEnd(at);",
  }],
  "a template with values where they would be without escapes": [{
    file: "learn_template.ts",
    from: "      if (load<u8>(at) == 0x75) return 0;",
    to: "",
  }],
  "a template that takes true for false": [{
    file: "follow_template.ts",
    from: "word == TRUE ? CELL_TRUE : CELL_FALSE",
    to: "CELL_FALSE",
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
      assert(finding.records.length <= 2 && bytes < 350, `${bytes} bytes: ${finding.difference}`);
    });
  }
});
