/**
 * What comes after a stage's head, on one worker: the operators up to the next cuts, compiled into plain functions.
 * Records and watermarks go separate ways: a chain of functions per actor for records (RxJS operators have memory, so
 * each actor subscribes its own), one flow per stage for watermarks.
 *
 * No function of a chain throws: a record that fails in one branch still takes the others.
 *
 * @module
 */

import type { Emit } from "../../operators/fused.ts";
import type { ShardTime, StageSnapshot } from "../checkpoint/worker_snapshot.ts";
import { decodingNode } from "../columnar_cut.ts";
import type { WatermarkEvent } from "../time/watermark.ts";
import {
  consumersOf,
  type Node,
  type NodeId,
  type NodeOf,
  type Output,
  outputsOf,
} from "../topology.ts";
import type { Origin } from "../transport/origin.ts";
import type { AsyncOperator } from "./async_operator.ts";
import type { BarrierPurpose } from "./barrier_purpose.ts";
import { batchFunction } from "./batch_function.ts";
import type { EdgeChannels } from "./edge_channels.ts";
import { type EndStep, passAll } from "./end_step.ts";
import { Valve } from "./gate.ts";
import { LastWords } from "./last_words.ts";
import { endOrigin, saltOf } from "./output_id.ts";
import { ShardTimes } from "./shard_times.ts";
import type { SinkFeed } from "./sink_feed.ts";
import type { SinkPort } from "./sink_port.ts";
import { openAsync, PendingCalls } from "./stage_calls.ts";
import {
  eventTimeFunction,
  flatMapJsonFunction,
  type OwnedChain,
  pipeFunction,
} from "./stage_functions.ts";
import type { Chain, Compiling, StageSurroundings } from "./stage_chain.ts";
import { type MarkFlow, StageGenerators } from "./stage_generators.ts";
import { StageMerges } from "./stage_merges.ts";

/** The operators behind one stage's head. */
export class StageOutputs {
  readonly #stage: string;
  readonly #head: Output;
  readonly #sides: readonly Output[];
  readonly #around: StageSurroundings;
  readonly #asyncs = new Map<NodeId, { operator: AsyncOperator; downstream: Valve }>();
  /** Makes watermarks of event times. */
  readonly generators: StageGenerators;
  readonly #merges: StageMerges;
  readonly #sinks = new Set<SinkPort>();
  readonly #feeds = new Map<NodeId, SinkFeed>();
  readonly #words: LastWords;
  /** What is known of its origins' event time. */
  readonly times: ShardTimes;
  readonly #pending: PendingCalls;
  readonly #isSource: boolean;
  readonly #flow: MarkFlow;
  /** Whether the stage's actors may take turns. */
  readonly valve: Valve;

  /** @param resume called when the stage may go on after back-pressure */
  constructor(stage: string, head: NodeId, around: StageSurroundings, resume: () => void) {
    this.#stage = stage;
    this.#head = { node: head, port: "main" };
    this.#around = around;
    this.#merges = new StageMerges(around.restored?.merges);
    this.generators = new StageGenerators(around.clock, around.restored?.generators);
    this.#words = new LastWords(around.restored?.words);
    const [generators, merges, words] = [this.generators, this.#merges, this.#words];
    this.times = new ShardTimes({ generators, merges, words, feeds: this.#feeds });
    this.#pending = new PendingCalls(around.restored?.pending);
    this.valve = new Valve(resume);
    for (const gate of [around.deadLetters?.gate, around.halted]) gate?.join(this.valve);
    const node = around.topology.nodes[head];
    this.#isSource = node?.kind === "source";
    this.#sides = node === undefined ? [] : outputsOf(node).slice(1);
    const flows = [this.#head, ...this.#sides].map((of) => this.#compileFlow(of, [this.valve]));
    this.#flow = (origin, event) => flows.forEach((flow) => flow(origin, event));
  }

  /**
   * A chain for one actor. Records of it that were waiting for an answer at the checkpoint are called for again.
   *
   * @param domain whose watermark its records count for: a shard, or this worker's stage
   * @param owner whose chain it is: a shard, or a key group
   * @param end what causes the last outputs of its operators
   */
  chain(
    domain: string,
    owner: string | number,
    end: Origin = endOrigin(this.#stage, "shard", domain),
  ): Chain {
    const owned: OwnedChain[] = [];
    const compiling: Compiling = {
      domain,
      owner,
      answers: new Map(),
      owned,
      compiled: new Map(),
      decoding: undefined,
    };
    const next = this.#compileRecords(this.#head, compiling);
    const sides = this.#sides.map((side) => this.#compileUsed(side, compiling));
    this.#noteDecoding(this.#around.topology.nodes[this.#head.node], next, compiling);
    const batch = batchFunction({
      ...this.#around,
      valve: this.valve,
      decoding: compiling.decoding,
      generator: (node) => this.generators.of(node, domain),
    });
    const operators = [...this.#asyncs.values()].map(({ operator }) => operator);
    this.#pending.again(compiling, operators);
    const close = () => owned.forEach(({ rx }) => rx.close());
    return {
      next,
      sides,
      batch,
      end: (final) => {
        const complete = (final ? owned.toReversed() : [])
          .map((of, index) => this.#completion(of, end, index));
        passAll([...complete, ...this.#drains()], close);
      },
      close,
    };
  }

  /** Whether a watermark may be held up inside, behind a call. */
  get holdsMarks(): boolean {
    return this.#asyncs.size > 0;
  }

  /** What is inside now, for a checkpoint. */
  snapshot(): Pick<StageSnapshot, "generators" | "merges" | "words" | "feeds" | "pending"> {
    const pending = [...this.#asyncs.values()].flatMap(({ operator }) => operator.snapshot());
    return { ...this.times.snapshot(), pending };
  }

  /** A barrier goes on: calls that are under way stay behind, in the snapshot. */
  barrier(epoch: number, purpose: BarrierPurpose): void {
    for (const edge of this.#around.edges.values()) edge.barrier(epoch, purpose);
    if (purpose.kind !== "snapshot") return;
    for (const sink of this.#sinks) sink.barrier(this.#stage, epoch);
  }

  /** The channels to the stages behind. */
  get channels(): readonly EdgeChannels[] {
    return [...this.#around.edges.values()].map(({ channels }) => channels);
  }

  /** Calls `then` when everything that is inside now has gone on, and what went to sinks is written. */
  settle(then: () => void): void {
    this.drain(() => {
      if (this.#sinks.size === 0) return then();
      Promise.all([...this.#sinks].map((sink) => sink.drain()))
        .then(then, (error) => this.#around.failures.fatal(error));
    });
  }

  /** A watermark of the stage's input goes on. */
  watermark(origin: string, event: WatermarkEvent): void {
    if (this.holdsMarks && this.#isSource) this.#words.note(origin, event);
    this.#flow(origin, event);
  }

  /** Says again what may have been held up behind calls when the checkpoint was taken, behind those calls. */
  sayAgain(origin: string): void {
    if (!this.holdsMarks || this.#around.restored === undefined) return;
    for (const event of this.#words.again(origin)) this.#flow(origin, event);
    this.generators.sayAgain(origin);
  }

  /** An origin is there and is waited for. Stages behind know those from the start, `listed`; sinks here do not. */
  join(origin: string, listed: boolean): void {
    if (!listed) this.#flow(origin, { kind: "joined" });
    else for (const feed of this.#feeds.values()) feed.take(origin, { kind: "joined" });
    this.sayAgain(origin);
  }

  /**
   * An origin comes from another worker, where its calls have been answered: those that the checkpoint had of it are not
   * made again. Before its chain is made; stages behind know it.
   */
  adopt(origin: string, time: ShardTime): void {
    this.#pending.drop(origin);
    this.times.adopt(origin, time);
  }

  /** The stage is over: everything still inside goes on, then the end. */
  end(final: boolean, ended: () => void): void {
    this.drain(() => {
      for (const channels of this.channels) channels.end(final);
      for (const feed of this.#feeds.values()) if (final) feed.finish();
      for (const sink of this.#sinks) sink.leave(this.#stage);
      ended();
    });
  }

  /** Calls `then` when everything that is inside now has gone on. */
  drain(then: () => void): void {
    passAll(this.#drains(), then);
  }

  #drains(): EndStep[] {
    return [...this.#asyncs].map(([node, { operator }]) => ({
      node,
      pass: (then) => operator.mark(then),
    }));
  }

  #completion({ node, rx }: OwnedChain, end: Origin, index: number): EndStep {
    const { cursor } = this.#around;
    const salt = saltOf(`${this.#stage}/end/${index}`);
    return {
      node,
      pass(then) {
        // No record causes what comes out now.
        cursor.leave(-Infinity, end);
        cursor.salt = salt;
        rx.complete();
        then();
      },
    };
  }

  close(): void {
    for (const { operator } of this.#asyncs.values()) operator.close();
  }

  // --- records

  #compileRecords(output: Output, chain: Compiling): Emit<unknown> {
    const branches = this.#consumers(output).map((node) => {
      const emit = chain.compiled.get(node.id) ?? this.#compileNode(node, chain);
      chain.compiled.set(node.id, emit);
      return emit;
    });
    const [only] = branches;
    if (only === undefined) return () => {};
    if (branches.length === 1) return only;
    return (value) => {
      for (const branch of branches) branch(value);
    };
  }

  #compileUsed(output: Output, chain: Compiling): Emit<unknown> | undefined {
    return this.#consumers(output).length === 0 ? undefined : this.#compileRecords(output, chain);
  }

  #compileNode(node: Node, chain: Compiling): Emit<unknown> {
    const { cursor, edges, sinks } = this.#around;
    const after = () => this.#compileRecords({ node: node.id, port: "main" }, chain);
    switch (node.kind) {
      case "pipe":
        return this.#compilePipe(node, after(), chain);
      case "flatMapJson": {
        const toInvalid = this.#compileUsed({ node: node.id, port: "invalid" }, chain);
        const emit = after();
        this.#noteDecoding(node, emit, chain);
        return flatMapJsonFunction(node, emit, toInvalid, this.#stage, this.#around);
      }
      case "eventTime": {
        const generator = this.generators.of(node, chain.domain);
        const raise = (at: number) => this.generators.raise(node, chain.domain, at);
        return eventTimeFunction(node, after(), { generator, raise }, this.#stage, this.#around);
      }
      case "merge":
        return after();
      case "mapAsync": {
        const operator = this.#asyncs.get(node.id)?.operator;
        const emit = after();
        const { owner } = chain;
        chain.answers.set(node.name, emit);
        return (value) => operator?.push(value, emit, owner);
      }
      case "keyBy":
      case "broadcast": {
        const edge = edges.get(node.id);
        return (value) => edge?.next(value);
      }
      case "sink": {
        const port = sinks.get(node.name);
        return (value) => port?.next(value, cursor);
      }
      case "source":
      case "keyed":
        throw new Error(
          `Cannot compile node ${node.id}: a ${node.kind} has no input inside a stage`,
        );
    }
  }

  /** The operators in two parts where the first decodes: batches enter between them. */
  #compilePipe(node: NodeOf<"pipe">, after: Emit<unknown>, chain: Compiling): Emit<unknown> {
    const compile = (operators: NodeOf<"pipe">["operators"], emit: Emit<unknown>) =>
      pipeFunction({ ...node, operators }, emit, this.#stage, this.#around, chain.owned);
    const decoding = decodingNode(node, this.#around.topology);
    if (decoding?.operator === undefined) return compile(node.operators, after);
    const rest = compile(decoding.rest, after);
    this.#noteDecoding(node, rest, chain);
    return compile([decoding.operator], rest);
  }

  #noteDecoding(node: Node | undefined, after: Emit<unknown>, chain: Compiling): void {
    const decoding = node && decodingNode(node, this.#around.topology);
    if (decoding !== undefined) chain.decoding = { node: decoding, after };
  }

  // --- watermarks

  /** `valves`: those that must be closed when something behind is full. */
  #compileFlow(output: Output, valves: readonly Valve[]): MarkFlow {
    const branches = consumersOf(this.#around.topology, output)
      .flatMap(({ node, input }) => this.#compileNodeFlow(node, input, valves));
    return (origin, event) => {
      for (const branch of branches) branch(origin, event);
    };
  }

  #compileNodeFlow(node: Node, input: number, valves: readonly Valve[]): MarkFlow[] {
    const { edges, sinks } = this.#around;
    const main: Output = { node: node.id, port: "main" };
    switch (node.kind) {
      case "pipe":
        return [this.#compileFlow(main, valves)];
      case "merge": {
        const after = this.#compileFlow(main, valves);
        const merged = this.#merges.at(node.id);
        merged.join(input);
        return [(origin, event) => {
          for (const of of merged.apply(input, origin, event)) after(origin, of);
        }];
      }
      case "flatMapJson":
        return [
          this.#compileFlow(main, valves),
          this.#compileFlow({ node: node.id, port: "invalid" }, valves),
        ];
      case "eventTime":
        return [this.generators.add(node, this.#compileFlow(main, valves))];
      case "mapAsync":
        return [this.#compileAsync(node, valves)];
      case "keyBy":
      case "broadcast": {
        const edge = edges.get(node.id);
        if (edge === undefined) return [];
        for (const gate of edge.channels.gates) for (const valve of valves) gate.join(valve);
        return [(origin, event) => edge.channels.watermark(origin, event)];
      }
      case "sink": {
        const port = sinks.get(node.name);
        if (port === undefined) return [];
        this.#sinks.add(port);
        port.join(this.#stage, valves);
        return this.#compileFeed(node);
      }
      case "source":
      case "keyed":
        return [];
    }
  }

  /** A sink is told of watermarks if it wants to be. Reached twice, over a merge, the node is one feed. */
  #compileFeed({ id, name }: NodeOf<"sink">): MarkFlow[] {
    const { sinks, topology, restored } = this.#around;
    const head = topology.nodes[this.#head.node];
    const splits = head?.kind === "source" && head.source.watermarks !== "channels";
    const index = this.#feeds.size;
    const feed = this.#feeds.get(id) ?? sinks.get(name)?.feed(
      `${this.#stage}#${id}`,
      splits,
      restored?.feeds.find((of) => of.index === index),
    );
    if (feed === undefined) return [];
    this.#feeds.set(id, feed);
    return [(origin, event) => feed.take(origin, event)];
  }

  #compileAsync(node: NodeOf<"mapAsync">, valves: readonly Valve[]): MarkFlow {
    const known = this.#asyncs.get(node.id) ??
      openAsync(node, this.#around, () => this.generators.advanceAll());
    this.#asyncs.set(node.id, known);
    const { operator, downstream } = known;
    for (const valve of valves) operator.gate.join(valve);
    // What is full behind it must stop its results, and the records before it as well.
    const after = this.#compileFlow({ node: node.id, port: "main" }, [...valves, downstream]);
    return (origin, event) => operator.mark(() => after(origin, event));
  }

  #consumers(output: Output): Node[] {
    return consumersOf(this.#around.topology, output).map(({ node }) => node);
  }
}
