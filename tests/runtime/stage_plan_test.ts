import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { kinesis } from "../../connectors/kinesis/kinesis.ts";
import { type DecodingChoice, decodingChoice } from "../../operators/decoding_choice.ts";
import { fields } from "../../operators/fields.ts";
import type { DeadLetter } from "../../runtime/dead_letter.ts";
import { defineJob, type Job } from "../../runtime/job.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { KEY_CHARS_MAX, MAX_PARALLELISM, planOf, stagesOf } from "../../runtime/stage_plan.ts";
import { side } from "../../runtime/side.ts";
import { store } from "../../runtime/state/state.ts";
import { buildTopology } from "../../runtime/stream_builder.ts";
import { z } from "../deps.ts";
import { map } from "./deps.ts";

const build = (job: unknown) =>
  buildTopology(job as Job, { params: undefined, logger: silentLogger });
const plan = (job: unknown) => planOf(job as Job, build(job));
const silent = { state: {}, onEvent: (value: number) => [value] };

describe("stagesOf()", () => {
  it("cuts at sources and keyBys, and numbers edges alike each time", () => {
    const job = defineJob({
      name: "demo",
      sources: { left: memory.source([1]), right: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      build({ left, right }, { out }) {
        const key = (n: number) => n;
        const joined = left.keyBy(key).connect(right.keyBy(key))
          .coFlatMap("join", { state: {}, left: (n: number) => [n], right: (n: number) => [n] });
        joined.keyBy(key).process("sum", silent).to(out);
      },
    });
    const stages = stagesOf(build(job));
    assertEquals(
      stages.map((
        { name, inputs, outputs },
      ) => [name, inputs.map(({ id }) => id), outputs.map(({ id }) => id)]),
      [["left", [], [0]], ["right", [], [1]], ["join", [0, 1], [2]], ["sum", [2], []]],
    );
    assertEquals(
      plan(job).edges.map((
        { from, to, input },
      ) => [from, to, input]),
      [["left", "join", 0], ["right", "join", 1], ["join", "sum", 0]],
    );
  });

  it("cuts at broadcasts, and finds what is behind side outputs", () => {
    const job = defineJob({
      name: "demo",
      sources: { numbers: memory.source([1]), rules: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      build({ numbers, rules }, { out }) {
        const key = (n: number) => n;
        const matched = numbers.keyBy(key).connectBroadcast(rules).process("match", {
          state: {},
          broadcast: {},
          sides: { unread: side<number>(), odd: side<number>() },
          onEvent: (n: number) => [n],
          onBroadcast: (n: number) => [n],
        });
        matched.sides.odd.pipe(map((n) => n)).keyBy(key).process("sum", silent).to(out);
        matched.sides.odd.keyBy(key).connectBroadcast(matched).process("again", {
          state: {},
          broadcast: {},
          onEvent() {},
          onBroadcast() {},
        });
      },
    });
    const edges = plan(job).edges.map((edge) => [
      `${edge.from} -> ${edge.to} ${edge.input}`,
      "broadcast" in edge ? "broadcast" : "keyBy",
      edge.as,
    ]);
    assertEquals(edges, [
      ["numbers -> match 0", "keyBy", "rows"],
      ["rules -> match 1", "broadcast", "rows"],
      ["match -> again 1", "broadcast", "rows"],
      ["match -> sum 0", "keyBy", "rows"],
      ["match -> again 0", "keyBy", "rows"],
    ]);
    assertEquals(structuredClone(plan(job)), plan(job));
  });

  it("finds cuts behind every operator, and one edge where a way leads to a cut twice", () => {
    const job = defineJob({
      name: "demo",
      sources: { bytes: kinesis.source("orders") },
      sinks: { out: memory.sink<number>() },
      build({ bytes }, { out }) {
        const parsed = bytes.flatMapJson("$", z.number());
        const length = parsed.invalid.pipe((invalid) => invalid).mapAsync(
          "length",
          () => Promise.resolve(1),
        );
        parsed.merge(length).eventTime({ timestamp: (n) => n }).keyBy((n) => n).process(
          "sum",
          silent,
        ).to(out);
      },
    });
    assertEquals(stagesOf(build(job)).flatMap(({ outputs }) => outputs.map(({ to }) => to)), [
      "sum",
    ]);
  });
});

describe("planOf()", () => {
  it("is plain data that says what hosts need", () => {
    const job = defineJob({
      name: "demo",
      sources: { numbers: memory.source({ shards: [[1]], bounded: false, name: "ones" }) },
      sinks: { out: memory.sink<number>("file") },
      onError: "stop",
      build: ({ numbers }, { out }) => numbers.to(out),
    });
    assertEquals(structuredClone(plan(job)), {
      job: "demo",
      maxParallelism: MAX_PARALLELISM,
      onError: "stop",
      sources: [{ name: "numbers", kind: "memory", of: "ones", bounded: false }],
      sinks: [{ name: "out", kind: "memory", of: "file" }],
      stages: [{ name: "numbers", kind: "source", states: [], calls: [] }],
      edges: [],
      decoding: [],
    });
  });

  it("says behind which sources operators remember what is no state", () => {
    const job = defineJob({
      name: "demo",
      sources: { plain: memory.source([1]), remembering: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      build({ plain, remembering }, { out }) {
        plain.keyBy((n) => n).process("all", silent).to(out);
        remembering.pipe(map((n) => n)).to(out);
      },
    });
    assertEquals(plan(job).stages.map(({ name, remembers }) => [name, remembers]), [
      ["plain", undefined],
      ["remembering", true],
      ["all", undefined],
    ]);
  });

  it("says what checkpoints must fit: state, hashes, timers, where dead letters go", () => {
    const job = defineJob({
      name: "demo",
      sources: { numbers: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      deadLetters: memory.sink<DeadLetter>("letters"),
      build({ numbers }, { out }) {
        const keyed = numbers.keyBy((n) => n, { hash: "int" });
        keyed.process("timed", { ...silent, onTimer: () => [] }).to(out);
        keyed.connectBroadcast(numbers).process("ruled", {
          state: { sum: store.value(0) },
          broadcast: { rules: store.list<number>({ version: 2, migrate: () => [] }) },
          onEvent: () => [],
          onBroadcast: () => [],
        }).to(out);
      },
    });
    const { stages, deadLetters } = plan(job);
    assertEquals(deadLetters, { name: "dead letters", kind: "memory", of: "letters" });
    const ofKeyed = { kind: "keyed" as const, hash: "int" as const, calls: [] };
    const [sum, rules] = [{ name: "sum", version: 1 }, { name: "rules", version: 2 }];
    assertEquals(stages.slice(1), [
      { name: "timed", states: [], firesTimers: true, ...ofKeyed },
      {
        name: "ruled",
        states: [{ ...sum, kind: "value", holds: "number", migrates: false }],
        broadcast: [{ ...rules, kind: "list", holds: "", migrates: true }],
        firesTimers: false,
        ...ofKeyed,
      },
    ]);
  });

  it("says by what edges are keyed, in short and on one line", () => {
    const job = defineJob({
      name: "demo",
      sources: { numbers: memory.source([1]) },
      sinks: { out: memory.sink<number>() },
      build({ numbers }, { out }) {
        const long = (n: number) => {
          if (n < 0) throw new RangeError("Cannot key what is below zero: expected a whole number");
          return n;
        };
        numbers.keyBy((n) => n + 1).process("sum", silent).keyBy(long).process("again", silent)
          .to(out);
      },
    });
    const [first = "", second = ""] = plan(job).edges.map((edge) => "key" in edge ? edge.key : "");
    assertMatch(first, /^\(n\) ?=> ?n \+ 1$/);
    assertMatch(second, /^\(n\)\s*=>\s*\{ if .*…$/);
    assertEquals(second.length, KEY_CHARS_MAX + 1);
  });

  it("tells how each flatMapJson decodes, by the name that its dead letters have", () => {
    const decoding = Symbol.for("penstock.decoding");
    const Item = fields({ id: "string" });
    const choice = (path: string) => decodingChoice([path], Item);
    const [left, items] = [choice("$.left"), choice("$.items[*]")];
    const [both, invalid] = [choice("$.both"), choice("$.invalid")];
    const carrying = (choice: DecodingChoice) =>
      Object.assign(map((record: unknown) => record), { [decoding]: choice });
    const job = defineJob({
      name: "demo",
      sources: { left: kinesis.source("left"), right: kinesis.source("right") },
      sinks: { out: memory.sink<unknown>() },
      build({ left: one, right: other }, { out }) {
        const parsed = other.flatMapJson("$.items[*]", Item);
        const merged = one.pipe(map((record) => record), carrying(left)).merge(parsed)
          .merge(parsed);
        merged.pipe(carrying(both)).to(out);
        parsed.invalid.pipe(carrying(invalid)).to(out);
      },
    });
    const built = build(job);
    const topology = {
      ...built,
      nodes: built.nodes.map((node) =>
        node.kind === "flatMapJson" ? { ...node, operator: carrying(items) } : node
      ),
    };
    assertEquals(planOf(job, topology).decoding, [
      { operator: "left/pipe", ...left },
      { operator: "left/pipe", ...both },
      { operator: "right/flatMapJson", ...items },
      { operator: "right/pipe", ...both },
      { operator: "right/pipe", ...invalid },
    ]);
  });
});
