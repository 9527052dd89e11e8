/**
 * Ids of outputs: whatever the number of workers, the order in which they run, and the way in which records are decoded,
 * each output has the same id, and no two have the same one.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  defineJob,
  fields,
  flatMapJson,
  kinesis,
  simulatedStream,
  type Sink,
  store,
} from "../../mod.ts";
import { columnarCut } from "../../runtime/columnar_cut.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { buildTopology } from "../../runtime/stream_builder.ts";
import { filter, map, reduce } from "../runtime/deps.ts";
import { fc } from "../deps.ts";
import { hostedRun } from "./hosted_run.ts";

interface Item {
  readonly key: string;
  readonly n: number;
}

/** A sink that keeps rows with their ids and times. */
function idSink(lines: string[]): Sink<unknown> {
  return {
    kind: "ids",
    name: "ids",
    guarantee: "at least once",
    open: () =>
      Promise.resolve({
        write({ length, values, idAt, timestampAt }) {
          for (let row = 0; row < length; row++) {
            lines.push(`${idAt(row)} ${timestampAt(row)} ${JSON.stringify(values[row])}`);
          }
          return undefined;
        },
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
        pending: () => 0,
      }),
  };
}

const Items = fields({ key: "string", n: "number" });
const decodable = flatMapJson("$", Items);
/** The same as far as anybody can tell, but for the engine. */
const { validate } = Items["~standard"];
const opaque = flatMapJson("$", { "~standard": { version: 1, vendor: "test", validate } });
const listed = flatMapJson("$.items[*]", Items);
const keyOf = ({ key }: Item) => key;

/** Fan-outs, stages behind stages, a join of a stream with itself, calls, timers and failures. */
function job(columns: boolean) {
  const lines: string[] = [];
  const letters: string[] = [];
  const built = defineJob({
    name: "ids",
    sources: { single: kinesis.source("single"), several: kinesis.source("several") },
    sinks: { out: idSink(lines), more: idSink(lines) },
    deadLetters: idSink(letters),
    build({ single, several }, { out, more }) {
      const sums = single.pipe(columns ? decodable : opaque).keyBy((item) => item.key)
        .process("each", {
          state: {},
          *onEvent(item, { key }) {
            if (item.n === 3) throw new Error("three");
            for (let copy = 0; copy < item.n; copy++) yield { key, n: copy };
          },
        });
      const items = several.pipe(listed);
      items.to(more);
      items.mapAsync("look up", async (item, { delay }) => {
        await delay(item.n);
        return { ...item, looked: "up" };
      }).to(out);
      items.pipe(reduce((sum, { n }) => sum + n, 0)).to(more);
      const byKey = items.merge(sums).keyBy(keyOf);
      byKey.connect(byKey).coFlatMap("twice", {
        state: {},
        left: (item) => [{ key: item.key, n: -item.n }],
        right: (item) => [{ key: item.key, n: -item.n }],
      }).to(out);
      const echoes = items.eventTime({ timestamp: ({ n }) => n }).keyBy(keyOf).process("later", {
        state: { count: store.value(0) },
        onEvent({ n }, { setTimer }) {
          setTimer(`t${n}`, n + 10);
          return [{ key: "x", n }];
        },
        onTimer: (name, { key }) => [{ key, n: -1, name }, { key, n: -2, name }],
      });
      echoes.mapAsync("call", async (echo, { delay }) => {
        await delay(echo.n % 3);
        return echo;
      }, { ordered: false }).to(more);
      const [even, odd] = [0, 1].map((rest) =>
        echoes.pipe(filter((item: Item) => Math.abs(item.n % 2) === rest))
      );
      assert(even && odd);
      even.merge(odd).pipe(map((item) => ({ ...item, again: true }))).to(out);
    },
  });
  return { built, lines, letters };
}

const item = fc.record({ key: fc.constantFrom("a", "b", "c", "d"), n: fc.nat(4) });
const partitionKey = fc.constantFrom("p", "q", "r", "s");
const inputs = fc.record({
  single: fc.array(fc.record({ partitionKey, data: item }), { maxLength: 12 }),
  several: fc.array(
    fc.record({ partitionKey, data: fc.record({ items: fc.array(item, { maxLength: 4 }) }) }),
    { maxLength: 8 },
  ),
});

describe("ids of outputs", () => {
  it("are tried with columns and without", () => {
    const cuts = [true, false].map((columns) => {
      const context = { params: undefined, logger: silentLogger };
      const topology = buildTopology(job(columns).built, context);
      const keyBys = topology.nodes.filter((node) => node.kind === "keyBy");
      return keyBys.filter(({ id }) => columnarCut(topology, id) !== undefined).length;
    });
    assertEquals(cuts, [1, 0]);
  });

  it("are the same for each number of workers, seed and way of decoding, and unique", async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async ({ single, several }) => {
        const outcome = async (workers: number, seed: number, columns: boolean) => {
          const { built, lines, letters } = job(columns);
          const streams = {
            single: simulatedStream({ shards: 2, records: single, batchRecordsMax: 5 }),
            several: simulatedStream({ shards: 2, records: several, batchRecordsMax: 2 }),
          };
          const { outcome } = await hostedRun({ ...built, sources: streams }, { workers, seed });
          assertEquals(outcome.kind, "finished");
          return { lines: lines.sort(), letters: letters.sort() };
        };
        const first = await outcome(1, 1, true);
        for (const lines of [first.lines, first.letters]) {
          const ids = lines.map((line) => line.split(" ")[0]);
          assertEquals(new Set(ids).size, ids.length, "ids are unique");
        }
        for (
          const [workers, seed, columns] of [[2, 2, true], [3, 3, true], [1, 4, false], [
            3,
            5,
            false,
          ]] as const
        ) {
          assertEquals(await outcome(workers, seed, columns), first);
        }
      }),
      { numRuns: 15 },
    );
  });
});
