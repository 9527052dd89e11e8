import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { defineJob, fields, flatMapJson, kinesis, memory, type RawRecord } from "../../mod.ts";
import { columnarCut } from "../../runtime/columnar_cut.ts";
import { silentLogger } from "../../runtime/logger.ts";
import type { KeyedStream, Stream } from "../../runtime/stream.ts";
import { buildTopology } from "../../runtime/stream_builder.ts";
import { map } from "./deps.ts";

const Event = fields({ id: "string", at: "number", note: "string?" });
type Event = { readonly id: string; readonly at: number; readonly note: string | undefined };

/** The cut of a job in which records are keyed like this, in a few words. */
function cutOf(keyed: (events: Stream<RawRecord>) => KeyedStream<string | number, Event>) {
  const job = defineJob({
    name: "cut",
    sources: { events: kinesis.source("events") },
    sinks: { out: memory.sink<Event>() },
    build({ events }, { out }) {
      keyed(events).process("copy", { state: {}, onEvent: (event) => [event] }).to(out);
    },
  });
  const topology = buildTopology(job, { params: undefined, logger: silentLogger });
  const keyBy = topology.nodes.find((node) => node.kind === "keyBy");
  const cut = keyBy && columnarCut(topology, keyBy.id);
  return cut &&
    `${topology.nodes[cut.decodedBy]?.kind} ${cut.decoder.key.kind} ${
      cut.times.map(({ node, column }) => `${node.kind} ${column}`).join()
    }`;
}

const json = flatMapJson("$.event", Event);

describe("columnarCut()", () => {
  it("is there where fields are the key, behind a decoder and times that are fields", () => {
    assertEquals(cutOf((raw) => raw.pipe(json).keyBy((event) => event.id)), "pipe string ");
    assertEquals(
      cutOf((raw) => raw.flatMapJson("$.event", Event).keyBy(({ at }) => at)),
      "flatMapJson number ",
    );
    assertEquals(
      cutOf((raw) =>
        raw.pipe(json).eventTime({ timestamp: (event) => event.at }).keyBy((event) => event.id)
      ),
      "pipe string eventTime 0",
    );
  });

  it("is not there where anything else is on the way", () => {
    const id = (event: Event) => event.id;
    const cuts: Parameters<typeof cutOf>[0][] = [
      (raw) => raw.pipe(json).keyBy((event) => `${event.id}`),
      (raw) => raw.pipe(json, map((event) => event)).keyBy(id),
      (raw) => raw.pipe(json).pipe(map((event) => event)).keyBy(id),
      (raw) => raw.pipe(map((record) => record), json).keyBy(id),
      (raw) => raw.pipe(map((record) => record)).pipe(json).keyBy(id),
      (raw) => raw.pipe(json).merge(raw.pipe(json)).keyBy(id),
      (raw) => raw.pipe(json).mapAsync("call", (event) => Promise.resolve(event)).keyBy(id),
      (raw) => raw.pipe(json).eventTime({ timestamp: ({ at }) => at + 1 }).keyBy(id),
      (raw) =>
        raw.pipe(json).eventTime({ timestamp: ({ at }) => at, watermark: () => 1 }).keyBy(id),
      (raw) => raw.pipe(json).eventTime({}).keyBy(id),
      (raw) => raw.pipe(json).keyBy(id, { hash: "int" }),
      (raw) => raw.pipe(flatMapJson("$.events[*]", Event)).keyBy(id),
      (raw) => raw.pipe(json).keyBy((event) => event.note ?? ""),
    ];
    assertEquals(cuts.map(cutOf), cuts.map(() => undefined));
  });
});
