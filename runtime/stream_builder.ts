/**
 * Writes down what a job's `build` chains, as a topology. The engine of `stream.ts`: types are checked there, by the
 * compiler, and forgotten here.
 *
 * @module
 */

import type { RawRecord } from "../connectors/raw_record.ts";
import type { Sink } from "../connectors/sink.ts";
import type { Observable, OperatorFunction } from "../deps.ts";
import {
  flatMapJson,
  type FlatMapJsonPath,
  type InvalidRecord,
} from "../operators/flat_map_json.ts";
import { type Step, stepOf } from "../operators/fused.ts";
import type { StandardSchema } from "../operators/standard_schema.ts";
import { dedupeHandlers, type DedupeOptions } from "./dedupe.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { BroadcastStream } from "./broadcast.ts";
import { BuiltBroadcastStream } from "./broadcast_builder.ts";
import { Graph } from "./graph.ts";
import { isJob, type Job } from "./job.ts";
import type { Key } from "./key.ts";
import type { Logger } from "./logger.ts";
import type { NoSides, Sided, SideSpecs } from "./side.ts";
import { sideNames, withSides } from "./side_streams.ts";
import type { StateSpecs } from "./state/state.ts";
import type {
  ActorContext,
  ActorOptions,
  AsyncContext,
  CoFlatMapOptions,
  ConnectedStream,
  EventTimeOptions,
  KeyByOptions,
  Keyed,
  KeyedStream,
  MapAsyncOptions,
  ParsedStream,
  ProcessOptions,
  Stream,
} from "./stream.ts";
import {
  checkTopology,
  type Handler,
  type KeyedHandlers,
  type KeyedOperator,
  type Node,
  type NodeId,
  type NodeOf,
  type Output,
  sideOutput,
  type TimerHandler,
  type Topology,
  TopologyError,
} from "./topology.ts";

/** Calls under way at once in a mapAsync that doesn't say: Flink's default. */
const ASYNC_CAPACITY = 100;
const ASYNC_RETRY_DELAY_MS = 100;
const PASSIVATE_AFTER_MS = 60_000;

/**
 * The topology of a job: runs its `build` and checks the outcome.
 *
 * @throws {TopologyError} if the job can't run, with what to do; what `build` throws is its cause
 *
 * @example A job's nodes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memory } from "../connectors/memory/memory.ts";
 * import { defineJob } from "./job.ts";
 * import { silentLogger } from "./logger.ts";
 * import { buildTopology } from "./stream_builder.ts";
 *
 * const job = defineJob({
 *   name: "copy",
 *   sources: { from: memory.source([1]) },
 *   sinks: { to: memory.sink<number>() },
 *   build: ({ from }, { to }) => from.to(to),
 * });
 * const topology = buildTopology(job, { params: undefined, logger: silentLogger });
 * assertEquals(topology.nodes.map((node) => node.kind), ["source", "sink"]);
 * ```
 */
export function buildTopology(job: Job, context: { params: unknown; logger: Logger }): Topology {
  if (!isJob(job)) {
    throw new TopologyError("Cannot build a job: the value is not one; make it with defineJob()");
  }
  const graph = new Graph(job);
  const streams = Object.fromEntries(
    Object.entries(job.sources).map(([name, source]) => [
      name,
      new BuiltStream(graph, graph.add((id) => ({ kind: "source", id, name, source }))),
    ]),
  );
  try {
    job.build(streams, job.sinks, context);
  } catch (error) {
    if (error instanceof TopologyError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TopologyError(`Cannot build job "${job.name}": build() threw: ${reason}`, {
      cause: error,
    });
  }
  const topology: Topology = { nodes: graph.nodes, sinks: new Map(Object.entries(job.sinks)) };
  checkTopology(job.name, topology);
  return topology;
}

class BuiltStream<T> implements Stream<T> {
  readonly graph: Graph;
  readonly output: Output;

  constructor(graph: Graph, output: Output) {
    this.graph = graph;
    this.output = output;
  }

  pipe<A>(...operators: OperatorFunction<never, unknown>[]): Stream<A> {
    if (operators.length === 0) return new BuiltStream(this.graph, this.output);
    return this.#next((id) => ({
      kind: "pipe",
      id,
      input: this.output,
      operators: operators as OperatorFunction<unknown, unknown>[],
    }));
  }

  flatMapJson<R>(
    this: Stream<RawRecord>,
    path: FlatMapJsonPath,
    schema: StandardSchema<R>,
  ): ParsedStream<R> {
    const { graph, output } = BuiltStream.of(this);
    const operator = flatMapJson(path, schema);
    const step = stepOf(operator);
    if (step === undefined) throw new TypeError("Cannot fuse flatMapJson: it carries no step");
    const main = graph.add((id) => ({
      kind: "flatMapJson",
      id,
      input: output,
      operator: operator as OperatorFunction<unknown, unknown>,
      step: step as Step<unknown, unknown>,
    }));
    return new BuiltParsedStream<R>(graph, main);
  }

  eventTime(options: EventTimeOptions<T>): Stream<T> {
    return this.#next((id) => ({
      kind: "eventTime",
      id,
      input: this.output,
      timestamp: options.timestamp as ((value: unknown) => number) | undefined,
      outOfOrdernessMs: milliseconds(options.outOfOrderness ?? 0),
      idleAfterMs: options.idleAfter === undefined ? undefined : milliseconds(options.idleAfter),
      watermark: options.watermark === undefined
        ? "bounded"
        : options.watermark as Exclude<NodeOf<"eventTime">["watermark"], "bounded">,
      emitEveryMs: options.emitEvery === undefined ? undefined : this.#period(options.emitEvery),
    }));
  }

  merge<U>(other: Stream<U>): Stream<T | U> {
    return this.#next((id) => ({
      kind: "merge",
      id,
      inputs: [this.output, BuiltStream.of(other, this.graph).output],
    }));
  }

  mapAsync<R>(
    name: string,
    run: (value: T, context: AsyncContext) => Promise<R>,
    options: MapAsyncOptions = {},
  ): Stream<R> {
    const { ordered = true, capacity = ASYNC_CAPACITY, timeout, retry } = options;
    const attempts = retry?.attempts ?? 1;
    if (!Number.isInteger(capacity) || capacity < 1) {
      this.graph.fail(`mapAsync "${name}" has capacity ${capacity}: give it a whole number from 1`);
    }
    if (!Number.isInteger(attempts) || attempts < 1) {
      this.graph.fail(`mapAsync "${name}" has ${attempts} attempts: give it a whole number from 1`);
    }
    return this.#next((id) => ({
      kind: "mapAsync",
      id,
      name,
      input: this.output,
      call: {
        run: run as (value: unknown, context: AsyncContext) => Promise<unknown>,
        ordered,
        capacity,
        timeoutMs: timeout === undefined ? undefined : milliseconds(timeout),
        attempts,
        retryDelayMs: milliseconds(retry?.delay ?? ASYNC_RETRY_DELAY_MS),
      },
    }));
  }

  keyBy<K extends Key>(key: (value: T) => K, options: KeyByOptions = {}): KeyedStream<K, T> {
    const { node } = this.graph.add((id) => ({
      kind: "keyBy",
      id,
      input: this.output,
      key: key as (value: unknown) => Key,
      hash: options.hash ?? "string",
    }));
    return new BuiltKeyedStream<K, T>(this.graph, node);
  }

  to(sink: Sink<T>): void {
    const name = this.graph.sinkName(sink);
    this.graph.add((id) => ({ kind: "sink", id, name, input: this.output }));
  }

  #period(emitEvery: Duration): number {
    const period = milliseconds(emitEvery);
    if (period <= 0) this.graph.fail(`eventTime has emitEvery ${period} ms: give it more than 0`);
    return period;
  }

  #next<R>(node: (id: NodeId) => Node): Stream<R> {
    return new BuiltStream<R>(this.graph, this.graph.add(node));
  }

  /** The stream as one of this builder, and of `graph` where it must be: node numbers mean nothing elsewhere. */
  static of<T>(stream: Stream<T>, graph?: Graph): BuiltStream<T> {
    if (stream instanceof BuiltStream && (graph === undefined || stream.graph === graph)) {
      return stream;
    }
    throw new TopologyError(
      "Cannot use a stream that was not made by the job's build(): take it from build's arguments",
    );
  }
}

class BuiltParsedStream<T> extends BuiltStream<T> implements ParsedStream<T> {
  get invalid(): Stream<InvalidRecord> {
    return new BuiltStream(this.graph, { node: this.output.node, port: "invalid" });
  }
}

class BuiltKeyedStream<K extends Key, T> implements KeyedStream<K, T> {
  readonly #graph: Graph;
  readonly #keyBy: NodeId;

  constructor(graph: Graph, keyBy: NodeId) {
    this.#graph = graph;
    this.#keyBy = keyBy;
  }

  connect<U>(other: KeyedStream<K, U>): ConnectedStream<K, T, U> {
    const inputs = [this.#keyBy, BuiltKeyedStream.keyByOf(other, this.#graph)];
    const [left, right] = inputs.map((keyBy) => hashOf(this.#graph.nodes[keyBy]));
    if (left !== right) {
      this.#graph.fail(
        `connect joins keys that are hashed as ${left} and as ${right}: give both keyBys the same hash`,
      );
    }
    return new BuiltConnectedStream<K, T, U>(this.#graph, inputs);
  }

  connectBroadcast<R>(other: Stream<R>): BroadcastStream<K, T, R> {
    const input = BuiltStream.of(other, this.#graph).output;
    const { node } = this.#graph.add((id) => ({ kind: "broadcast", id, input }));
    return new BuiltBroadcastStream<K, T, R>((name, operator, sides) =>
      sided(this.#graph, name, [this.#keyBy, node], operator, sides)
    );
  }

  process<
    const S extends StateSpecs,
    Out = never,
    OutT = never,
    const O extends SideSpecs = NoSides,
  >(name: string, options: ProcessOptions<K, S, T, Out, OutT, O>): Sided<Out | OutT, O> {
    const { state, sides, onEvent, onTimer } = options;
    return sided(this.#graph, name, [this.#keyBy], {
      kind: "handlers",
      state,
      handlers: [onEvent.bind(options) as Handler],
      onTimer: onTimer?.bind(options) as TimerHandler | undefined,
    }, sides);
  }

  actor<const S extends StateSpecs, Out>(
    name: string,
    options: ActorOptions<K, S, T, Out>,
  ): Stream<Out> {
    const { state, behavior, passivateAfter } = options;
    return keyed(this.#graph, name, [this.#keyBy], {
      kind: "actor",
      state,
      behavior: behavior.bind(options) as (
        mailbox: Observable<unknown>,
        context: ActorContext<Key, StateSpecs>,
      ) => Observable<unknown>,
      passivateAfterMs: milliseconds(passivateAfter ?? PASSIVATE_AFTER_MS),
    });
  }

  dedupe(name: string, options: DedupeOptions<T>): Stream<T> {
    return this.process(name, dedupeHandlers<K, T>(name, options));
  }

  pipe<A>(operator: OperatorFunction<Keyed<K, T>, A>): Stream<A> {
    // It has no state to be found again by its name: its place will do.
    return keyed(this.#graph, `pipe-${this.#graph.nodes.length}`, [this.#keyBy], {
      kind: "pipe",
      operator: operator as OperatorFunction<unknown, unknown>,
    });
  }

  static keyByOf<K extends Key, T>(stream: KeyedStream<K, T>, graph: Graph): NodeId {
    if (stream instanceof BuiltKeyedStream && stream.#graph === graph) return stream.#keyBy;
    throw new TopologyError(
      "Cannot connect a stream that was not made by the job's build(): use keyBy() on both sides",
    );
  }
}

class BuiltConnectedStream<K extends Key, L, R> implements ConnectedStream<K, L, R> {
  readonly #graph: Graph;
  readonly #inputs: readonly NodeId[];

  constructor(graph: Graph, inputs: readonly NodeId[]) {
    this.#graph = graph;
    this.#inputs = inputs;
  }

  coFlatMap<
    const S extends StateSpecs,
    OutL = never,
    OutR = never,
    OutT = never,
    const O extends SideSpecs = NoSides,
  >(
    name: string,
    options: CoFlatMapOptions<K, S, L, R, OutL, OutR, OutT, O>,
  ): Sided<OutL | OutR | OutT, O> {
    const { state, sides, left, right, onTimer } = options;
    return sided(this.#graph, name, this.#inputs, {
      kind: "handlers",
      state,
      handlers: [left.bind(options) as Handler, right.bind(options) as Handler],
      onTimer: onTimer?.bind(options) as TimerHandler | undefined,
    }, sides);
  }
}

function hashOf(node: Node | undefined): string {
  return node?.kind === "keyBy" ? node.hash : "";
}

function keyed<R>(
  graph: Graph,
  name: string,
  inputs: readonly NodeId[],
  operator: Extract<Node, { kind: "keyed" }>["operator"],
): BuiltStream<R> {
  return new BuiltStream<R>(
    graph,
    graph.add((id) => ({ kind: "keyed", id, name, inputs, operator })),
  );
}

/** A keyed operator, with a stream for each of its side outputs. */
function sided<R, O extends SideSpecs>(
  graph: Graph,
  name: string,
  inputs: readonly NodeId[],
  operator: Extract<KeyedOperator, KeyedHandlers>,
  specs: O | undefined,
): Sided<R, O> {
  const fail = (what: string) => graph.fail(what);
  const names = sideNames(name, specs, fail);
  const stream = keyed<R>(graph, name, inputs, { ...operator, sides: names });
  const streams = names.map((side) =>
    [side, new BuiltStream(graph, sideOutput(stream.output.node, side))] as const
  );
  return withSides<R, O>(name, stream, streams, fail);
}
