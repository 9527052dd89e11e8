import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob, type Job } from "../../runtime/job.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { store } from "../../runtime/state/state.ts";
import type { KeyedStream, Stream } from "../../runtime/stream.ts";
import { buildTopology } from "../../runtime/stream_builder.ts";
import { type NodeOf, type Topology, TopologyError } from "../../runtime/topology.ts";
import { filter } from "./deps.ts";

const out = memory.sink<unknown>();

/** A job over one source of numbers and one sink. */
function numbers(build: (numbers: Stream<number>) => void, parts: Partial<Job> = {}): Topology {
  const job = defineJob({
    name: "demo",
    sources: { numbers: memory.source([1]) },
    sinks: { out },
    build: ({ numbers }) => build(numbers),
  });
  return buildTopology({ ...job, ...parts } as Job, { params: undefined, logger: silentLogger });
}

function only<Kind extends "keyed" | "mapAsync" | "eventTime">(
  topology: Topology,
  kind: Kind,
): NodeOf<Kind> {
  const node = topology.nodes.find((node): node is NodeOf<Kind> => node.kind === kind);
  assert(node !== undefined);
  return node;
}

const silent = { state: {}, onEvent() {} };

describe("buildTopology()", () => {
  it("writes down what is chained, inputs before what they feed", () => {
    const { nodes } = numbers((numbers) => {
      const even = numbers.pipe(filter((n) => n % 2 === 0));
      even.merge(numbers.eventTime({ timestamp: (n) => n })).mapAsync(
        "call",
        (n) => Promise.resolve(n),
      ).to(out);
      even.keyBy((n) => n).connect(numbers.keyBy((n) => n))
        .coFlatMap("join", { state: {}, left() {}, right() {} }).to(out);
    });
    const kinds = nodes.map((node) => `${node.id} ${node.kind}`);
    assertEquals(kinds, [
      "0 source",
      "1 pipe",
      "2 eventTime",
      "3 merge",
      "4 mapAsync",
      "5 sink",
      "6 keyBy",
      "7 keyBy",
      "8 keyed",
      "9 sink",
    ]);
    assertEquals(nodes[3], {
      kind: "merge",
      id: 3,
      inputs: [{ node: 1, port: "main" }, { node: 2, port: "main" }],
    });
    assertEquals(nodes[8]?.kind === "keyed" && nodes[8].inputs, [6, 7]);
  });

  it("adds nothing for an empty pipe()", () => {
    assertEquals(numbers((numbers) => numbers.pipe().to(out)).nodes.length, 2);
  });

  it("fills in defaults: Flink's capacity, one attempt, no timeout, no idleness", () => {
    const topology = numbers((numbers) =>
      numbers.eventTime({ timestamp: (n) => n }).mapAsync("call", (n) => Promise.resolve(n)).to(out)
    );
    const { run: _, ...call } = only(topology, "mapAsync").call;
    assertEquals(call, {
      ordered: true,
      capacity: 100,
      timeoutMs: undefined,
      attempts: 1,
      retryDelayMs: 100,
    });
    const { id: _id, kind: _kind, input: _input, timestamp: _of, ...time } = only(
      topology,
      "eventTime",
    );
    assertEquals(time, {
      outOfOrdernessMs: 0,
      idleAfterMs: undefined,
      watermark: "bounded",
      emitEveryMs: undefined,
    });
  });

  it("calls handlers with the options as this", () => {
    const options = {
      state: { sum: store.value(0) },
      step: 5,
      onEvent(n: number) {
        return [n + this.step];
      },
    };
    const { operator } = only(
      numbers((n) => n.keyBy((n) => n).process("sum", options).to(out)),
      "keyed",
    );
    assert(operator.kind === "handlers");
    const handle = operator.handlers[0];
    const context = {
      key: 1,
      state: {},
      side: {},
      timestamp: 0,
      watermark: 0,
      processingTime: 0,
      timeDomain: undefined,
      setTimer() {},
      clearTimer() {},
      setProcessingTimer() {},
      clearProcessingTimer() {},
    };
    assertEquals(handle?.(1, context), [6]);
  });

  it("refuses what can't run, with what to do", () => {
    let foreign: Stream<number> | undefined;
    let foreignKeyed: KeyedStream<number, number> | undefined;
    numbers((numbers) => {
      foreign = numbers;
      foreignKeyed = numbers.keyBy((n) => n);
      numbers.to(out);
    });
    const impostor = {} as Stream<number>;
    const call = (n: number) => Promise.resolve(n);
    const cases: [string, () => Topology][] = [
      ["has no source", () => numbers(() => {}, { sources: {} })],
      ["has no sink", () => numbers(() => {}, { sinks: {} })],
      ['source "numbers" is never read', () => numbers(() => {})],
      [
        'sink "out" is never fed',
        () => numbers((n) => void n.keyBy((n) => n).process("sum", silent)),
      ],
      [
        'the name "sum" is used twice, by a keyed operator and by a mapAsync',
        () =>
          numbers((n) => n.keyBy((n) => n).process("sum", silent).mapAsync("sum", call).to(out)),
      ],
      [
        "a keyed operator has no name",
        () => numbers((n) => n.keyBy((n) => n).process("", silent).to(out)),
      ],
      [
        "a keyed operator has no name",
        () =>
          numbers((n) =>
            n.keyBy((n) => n).actor("", { state: {}, behavior: (mailbox) => mailbox }).to(out)
          ),
      ],
      [
        "keys that are hashed as string and as int: give both keyBys the same hash",
        () =>
          numbers((n) => {
            const whole = n.keyBy((n) => n, { hash: "int" });
            n.keyBy((n) => n).connect(whole)
              .coFlatMap("join", { state: {}, left: () => [], right: () => [] })
              .to(out);
          }),
      ],
      [
        "eventTime has emitEvery 0 ms: give it more than 0",
        () => numbers((n) => n.eventTime({ emitEvery: 0 }).to(out)),
      ],
      ["a mapAsync has no name", () => numbers((n) => n.mapAsync("", call).to(out))],
      [
        "a sink that is not among the job's sinks",
        () => numbers((n) => n.to(memory.sink<number>())),
      ],
      [
        'sinks "out" and "again" are the same object: make one for each',
        () => numbers((n) => n.to(out), { sinks: { out, again: out } }),
      ],
      [
        "a stream that was not made by the job's build()",
        () => numbers((n) => n.merge(impostor).to(out)),
      ],
      [
        "a stream that was not made by the job's build()",
        () => numbers((n) => n.merge(foreign ?? n).to(out)),
      ],
      [
        "a stream that was not made by the job's build()",
        () => {
          const both = { state: {}, left() {}, right() {} };
          return numbers((n) => {
            const keyed = n.keyBy((n) => n);
            keyed.connect(foreignKeyed ?? keyed).coFlatMap("join", both).to(out);
          });
        },
      ],
      [
        'mapAsync "call" has capacity 0',
        () => numbers((n) => n.mapAsync("call", call, { capacity: 0 }).to(out)),
      ],
      [
        'mapAsync "call" has 1.5 attempts',
        () => numbers((n) => n.mapAsync("call", call, { retry: { attempts: 1.5 } }).to(out)),
      ],
    ];
    for (const [message, build] of cases) assertThrows(build, TopologyError, message);
  });

  it("tells what build() threw, with its cause", () => {
    const cause = new RangeError("boom");
    const error = assertThrows(
      () =>
        numbers(() => {
          throw cause;
        }),
      TopologyError,
      'Cannot build job "demo": build() threw: boom',
    );
    assertStrictEquals(error.cause, cause);
  });

  it("refuses a value that is no job", () => {
    const value = { name: "demo" } as Job;
    assertThrows(
      () => buildTopology(value, { params: undefined, logger: silentLogger }),
      TopologyError,
      "Cannot build a job: the value is not one; make it with defineJob()",
    );
  });
});
