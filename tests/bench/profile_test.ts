/**
 * Samples count for the step whose file they were in, or that called for them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type CpuProfile, shareTable, type Step, STEPS, stepShares } from "./profile.ts";

const ROOT = "file:///x";

/** A tree of calls, with the microseconds that each function was seen in after the warm-up. */
interface Call {
  readonly name?: string;
  readonly url?: string;
  readonly micros?: number;
  readonly calls?: readonly Call[];
}

/** The profile of these calls from the outermost frame, after a warm-up: of half their time unless said. */
function profileOf(calls: readonly Call[], warmUpMicros?: number): CpuProfile {
  const nodes: {
    id: number;
    callFrame: { functionName: string; url: string };
    children: number[];
  }[] = [];
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  const visit = ({ name = "f", url = "", micros = 0, calls = [] }: Call): number => {
    const node = {
      id: nodes.length + 1,
      callFrame: { functionName: name, url },
      children: [] as number[],
    };
    nodes.push(node);
    if (micros > 0) {
      samples.push(node.id);
      timeDeltas.push(micros);
    }
    node.children = calls.map(visit);
    return node.id;
  };
  visit({ name: "(root)", calls });
  const total = timeDeltas.reduce((sum, micros) => sum + micros, 0);
  const warmUp = {
    id: nodes.length + 1,
    callFrame: { functionName: "load", url: "" },
    children: [],
  };
  nodes.push(warmUp);
  return {
    nodes,
    samples: [warmUp.id, ...samples],
    timeDeltas: [warmUpMicros ?? total / 2, ...timeDeltas],
  };
}

/** The shares that are not 0. */
function sharesOf(...calls: Call[]): Partial<Record<Step, number>> {
  return sharesIn(profileOf(calls));
}

function sharesIn(profile: CpuProfile): Partial<Record<Step, number>> {
  return Object.fromEntries(Object.entries(stepShares(profile)).filter(([, share]) => share > 0));
}

describe("stepShares()", () => {
  it("gives each file's own time to its step", () => {
    const file = (path: string, micros: number) => ({ url: `${ROOT}/${path}`, micros });
    assertEquals(
      sharesOf(
        file("operators/decoder/column_decoder.ts", 10),
        file("operators/flat_map_json.ts", 10),
        file("operators/json_encoder/line_encoder.ts", 20),
        file("runtime/worker/edge_output.ts", 5),
        file("runtime/state/key_group.ts", 5),
        file("runtime/state/key_table.ts", 10),
        file("runtime/worker/turn_queue.ts", 10),
        file("tests/bench/jobs/booking.ts?dataDir=a", 10),
        file("tests/bench/jobs/checksum_sink.ts", 10),
        file("runtime/main.ts", 10),
      ),
      {
        decode: 0.2,
        route: 0.1,
        mailbox: 0.1,
        state: 0.1,
        handler: 0.1,
        encode: 0.2,
        sink: 0.1,
        other: 0.1,
      },
    );
  });

  it("gives what has no file of its own to the step that called it", () => {
    const decoder = `${ROOT}/operators/decoder/column_decoder.ts`;
    const encoding = { url: "ext:deno_web/08_text_encoding.js", micros: 10 };
    assertEquals(
      sharesOf(
        { url: decoder, calls: [{ name: "decode", url: "wasm://wasm/1b2c3d", micros: 40 }] },
        { url: decoder, calls: [{ ...encoding, calls: [{ name: "op_encode", micros: 10 }] }] },
        { url: `${ROOT}/tests/bench/checksum.ts`, calls: [encoding] },
        {
          url: `${ROOT}/runtime/state/key_table.ts`,
          calls: [{ name: "find", url: "wasm://wasm/0", micros: 20 }],
        },
        { name: "(program)", micros: 10 },
      ),
      { decode: 0.6, state: 0.2, sink: 0.1, other: 0.1 },
    );
  });

  it("gives what a file without a step does to nobody, whoever called it", () => {
    const url = `${ROOT}/operators/decoder/column_decoder.ts`;
    assertEquals(sharesOf({ url, micros: 10, calls: [{ url: `${ROOT}/mod.ts`, micros: 30 }] }), {
      decode: 0.25,
      other: 0.75,
    });
  });

  it("names the collector, and leaves out idle time and the benchmark's input", () => {
    const read = { name: "op_fs_read", micros: 100 };
    const job = `${ROOT}/tests/bench/jobs`;
    const calls = [
      { name: "(idle)", micros: 100 },
      { url: `${job}/shard_blocks.ts`, micros: 100, calls: [read] },
      {
        url: `${job}/booking.ts`,
        micros: 30,
        calls: [{ name: "(garbage collector)", micros: 10 }],
      },
    ];
    assertEquals(sharesIn(profileOf(calls, 20)), { handler: 0.75, collector: 0.25 });
  });

  it("leaves out the first third as warm-up", () => {
    const profile = {
      nodes: [
        { id: 1, callFrame: { functionName: "a", url: `${ROOT}/operators/a.ts` } },
        { id: 2, callFrame: { functionName: "b", url: `${ROOT}/mod.ts` } },
        { id: 3, callFrame: { functionName: "(idle)", url: "" } },
      ],
      samples: [3, 2, 2, 1, 2, 1, 1],
      timeDeltas: [1000, 10, 10, 10, 10, 10, 10],
    };
    const { decode, other } = stepShares(profile);
    assertEquals([decode, other], [0.75, 0.25]);
  });

  it("is all 0 of an empty profile", () => {
    const shares = Object.values(stepShares({ nodes: [], samples: [], timeDeltas: [] }));
    assertEquals(shares, STEPS.map(() => 0));
  });
});

describe("shareTable()", () => {
  it("has a row for each run", () => {
    const shares = stepShares(profileOf([{ url: `${ROOT}/operators/a.ts`, micros: 10 }]));
    const table = shareTable([{ workload: "count", engine: "penstock-zod", shares }]);
    assertEquals(
      table.split("\n").at(-1)?.replaceAll(/\s+/g, " "),
      "| count | penstock-zod | 100 % | 0 % | 0 % | 0 % | 0 % | 0 % | 0 % | 0 % | 0 % |",
    );
  });
});
