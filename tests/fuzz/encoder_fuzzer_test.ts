/**
 * The fuzzer finds nothing in the encoder, and finds mistakes that are planted in it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type * as encoding from "../../operators/json_encoder.ts";
import { fuzzEncoder, type MakeEncoder } from "./encoder_fuzzer.ts";

/** Cases within which a planted mistake must be found. */
const CASES_MAX = 100_000;

const OPERATORS = new URL("../../operators/", import.meta.url);

interface SourceChange {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Rows that show a mistake, made small: enough to have code generated for them, and a few more. */
const ROWS_MAX = 25;

const MISTAKES: Readonly<Record<string, SourceChange>> = {
  "a quote that is written as it is": {
    file: "write_text.ts",
    from: " && unit !== QUOTE",
    to: "",
  },
  "a lone surrogate that is taken for half of a pair": {
    file: "write_text.ts",
    from: "next >= LOW_SURROGATES && next < SURROGATES_END",
    to: "next >= LOW_SURROGATES",
  },
  "letters of escapes that are not known": {
    file: "write_text.ts",
    from: "escape.length === 2 ?",
    to: "escape.length >= 2 ?",
  },
  "the wrong number of digits at a power of ten": {
    file: "write_number.ts",
    from: "value < 10_000 ?",
    to: "value <= 10_000 ?",
  },
  "fractions of more digits than a double tells apart": {
    file: "write_number.ts",
    from: "if (millionths / MILLIONTHS === size)",
    to: "if (Math.abs(millionths / MILLIONTHS - size) < 1e-9)",
  },
  "a comma before the first member": {
    file: "write_rows.ts",
    from: "if (at !== ${name}Start) ",
    to: "",
  },
  "a member more than the shape has": {
    file: "write_rows.ts",
    from: "if (column !== ${members.length}) break;",
    to: "",
  },
  "kinds that are not looked at": {
    file: "write_rows.ts",
    from: "if (kinds & ScalarKind.NULL) tests.push(`${variable} === null`);",
    to: 'if (kinds & ScalarKind.NULL) tests.push(`typeof ${variable} === "object"`);',
  },
  "objects that inherit something": {
    file: "write_rows.ts",
    from: "if (${name}Prototype !== plain && ${name}Prototype !== null) break;",
    to: "",
  },
  "lengths of texts beyond ASCII": {
    file: "row_output.ts",
    from: "this.bytes.subarray(this.at, end)",
    to: "this.bytes.subarray(this.at)",
  },
};

/** The encoder with a change in its source. */
async function changedEncoder(folder: string, change: SourceChange): Promise<MakeEncoder> {
  const files = ["../json_encoder.ts"];
  for await (const { name } of Deno.readDir(new URL("json_encoder/", OPERATORS))) files.push(name);
  await Deno.mkdir(`${folder}/json_encoder`);
  for (const name of files) {
    const source = await Deno.readTextFile(new URL(`json_encoder/${name}`, OPERATORS));
    assert(name !== change.file || source.includes(change.from), `No such text in ${name}`);
    const changed = name === change.file ? source.replace(change.from, () => change.to) : source;
    const root = new URL("../", OPERATORS).href;
    await Deno.writeTextFile(`${folder}/json_encoder/${name}`, changed.replaceAll("../../", root));
  }
  const { JsonEncoder }: typeof encoding = await import(`file://${folder}/json_encoder.ts`);
  return (options) => new JsonEncoder(options);
}

describe("fuzzEncoder()", () => {
  it("finds nothing in the encoder", () => {
    const run = fuzzEncoder(10_000, 7);
    assertEquals(run.finding, undefined);
    assert(run.faults > 0 && run.faults < run.cases / 10, JSON.stringify(run));
  });

  it("does the same for the same seed", () => {
    assertEquals(fuzzEncoder(1000, 11), fuzzEncoder(1000, 11));
  });

  for (const [mistake, change] of Object.entries(MISTAKES)) {
    it(`finds ${mistake}, and makes it small`, async () => {
      const folder = await Deno.makeTempDir({ prefix: "penstock-" });
      try {
        const { finding } = fuzzEncoder(CASES_MAX, 1, await changedEncoder(folder, change));
        assert(finding !== undefined, `Not found in ${CASES_MAX} cases`);
        const rows = finding.batches.flat().length;
        assert(rows <= ROWS_MAX, Deno.inspect(finding));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
});
