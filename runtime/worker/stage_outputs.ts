/**
 * What comes after a stage's head, on one worker: the operators up to the next cuts, compiled into plain functions.
 * Records and watermarks go separate ways through the same operators: a chain of functions per actor for records
 * (RxJS operators have memory, so each actor subscribes its own), one flow per stage for watermarks.
 *
 * No function of a chain throws: each operator keeps its own failures, so that a record that fails in one branch still
 * takes the others.
 *
 * @module
 */

import type { Emit } from "../../operators/fused.ts";
import type { Clock } from "../clock.ts";
import { decodingNode } from "../columnar_cut.ts";
import { EventTimeGenerator } from "../time/event_time.ts";
import type { WatermarkEvent } from "../time/watermark.ts";
import {
  consumersOf,
  type Node,
  type NodeId,
  type NodeOf,
  type Output,
  type Topology,
} from "../topology.ts";
import { AsyncOperator, type Outside } from "./async_operator.ts";
import { type BatchFunction, batchFunction, type Decoding } from "./batch_function.ts";
import type { EdgeOutput } from "./edge_output.ts";
import type { Failures } from "./failures.ts";
import { type Gate, Valve } from "./gate.ts";
import { MergedWatermarks } from "./merged_watermarks.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { SinkPort } from "./sink_port.ts";
import {
  eventTimeFunction,
  flatMapJsonFunction,
  type OwnedChain,
  pipeFunction,
} from "./stage_functions.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** What a stage's operators are connected to. */
export interface StageSurroundings {
  readonly topology: Topology;
  readonly clock: Clock;
  readonly queue: TurnQueue;
  readonly failures: Failures;
  readonly outside: Outside;
  readonly cursor: RecordCursor;
  /** By keyBy node: the way out of this worker. */
  readonly edges: ReadonlyMap<NodeId, EdgeOutput>;
  readonly sinks: ReadonlyMap<string, SinkPort>;
  /** The sink of dead letters, if the job has one: every stage feeds it. */
  readonly deadLetters: SinkPort | undefined;
  /** Closed when the job has failed: no record is touched after the one that failed it. */
  readonly halted: Gate;
}

/** An actor's own functions. */
export interface Chain {
  readonly next: Emit<unknown>;
  /** Handles rows of a batch as a whole where that is cheaper; with the same outcome. */
  readonly batch: BatchFunction;
  /**
   * The actor's input is over: what is inside goes on, then the operators complete, unless the job
   * stops (`final` is false), and are let go.
   */
  end(final: boolean): void;
  /** Lets go of all operators now. */
  close(): void;
}

/** A chain while it is compiled. Nodes that are reached twice, over a merge, are compiled once. */
interface Compiling {
  readonly domain: string;
  readonly owned: OwnedChain[];
  readonly compiled: Map<NodeId, Emit<unknown>>;
  /** What decodes batches, if it is the head or its only consumer, and what comes after it. */
  decoding: Decoding | undefined;
}

type MarkFlow = (origin: string, event: WatermarkEvent) => void;

/** A part of an end: goes on with `then` when everything before has passed. */
interface EndStep {
  readonly node: NodeId;
  pass(then: () => void): void;
}

/** The operators behind one stage's head. */
export class StageOutputs {
  readonly #stage: string;
  readonly #head: Output;
  readonly #around: StageSurroundings;
  readonly #asyncs = new Map<NodeId, { operator: AsyncOperator; downstream: Valve }>();
  readonly #generators = new Map<NodeId, Map<string, EventTimeGenerator>>();
  readonly #merges = new Map<NodeId, MergedWatermarks>();
  readonly #flows = new Map<NodeId, MarkFlow>();
  readonly #flow: MarkFlow;
  /** Whether the stage's actors may take turns. */
  readonly valve: Valve;

  /** @param resume called when the stage may go on after back-pressure */
  constructor(stage: string, head: NodeId, around: StageSurroundings, resume: () => void) {
    this.#stage = stage;
    this.#head = { node: head, port: "main" };
    this.#around = around;
    this.valve = new Valve(resume);
    around.deadLetters?.gate.join(this.valve);
    around.halted.join(this.valve);
    this.#flow = this.#compileFlow(this.#head, [this.valve]);
  }

  /** A chain for one actor. `domain` is whose watermark its records count for: a shard, or this worker's stage. */
  chain(domain: string): Chain {
    const owned: OwnedChain[] = [];
    const compiling: Compiling = { domain, owned, compiled: new Map(), decoding: undefined };
    const next = this.#compileRecords(this.#head, compiling);
    this.#noteDecoding(this.#around.topology.nodes[this.#head.node], next, compiling);
    const batch = batchFunction({
      ...this.#around,
      valve: this.valve,
      decoding: compiling.decoding,
      generator: (node) => this.#generator(node, domain),
    });
    const close = () => owned.forEach(({ rx }) => rx.close());
    return {
      next,
      batch,
      end: (final) => {
        const complete = final ? owned.toReversed().map((of) => this.#completion(of)) : [];
        passAll([...complete, ...this.#drains()], close);
      },
      close,
    };
  }

  /** A watermark of the stage's input goes on. */
  watermark(origin: string, event: WatermarkEvent): void {
    this.#flow(origin, event);
  }

  /** Watermarks of event times that were taken from records since the last call go on. Called at the end of turns. */
  advance(domain: string): void {
    for (const [node, generators] of this.#generators) {
      const event = generators.get(domain)?.take();
      if (event !== undefined) this.#flows.get(node)?.(domain, event);
    }
  }

  /** The same for all domains: results of calls come from any of them. */
  #advanceAll(): void {
    const domains = new Set([...this.#generators.values()].flatMap((of) => [...of.keys()]));
    for (const domain of domains) this.advance(domain);
  }

  /** Asks for idleness once each timeout until closed. `held`: whether a domain's records are stuck in a queue. */
  probeIdleness(domain: string, held: () => boolean): () => void {
    const cancels = new Map<NodeId, () => void>();
    for (const node of this.#around.topology.nodes) {
      if (
        node.kind !== "eventTime" || node.idleAfterMs === undefined ||
        !this.#generators.has(node.id)
      ) continue;
      const { id, idleAfterMs } = node;
      const probe = () => {
        const event = this.#generators.get(id)?.get(domain)?.probe(held());
        if (event !== undefined) this.#flows.get(id)?.(domain, event);
        cancels.set(id, this.#around.clock.setTimer(idleAfterMs, probe));
      };
      probe();
    }
    return () => cancels.forEach((cancel) => cancel());
  }

  /** The stage is over: everything still inside goes on, then the end. */
  end(final: boolean, ended: () => void): void {
    this.drain(() => {
      for (const edge of this.#around.edges.values()) edge.end(final);
      ended();
    });
  }

  /** Calls `then` when everything that is inside now has gone on. */
  drain(then: () => void): void {
    passAll(this.#drains(), then);
  }

  /** Waiting for all calls that are under way now. */
  #drains(): EndStep[] {
    return [...this.#asyncs].map(([node, { operator }]) => ({
      node,
      pass: (then) => operator.mark(then),
    }));
  }

  #completion({ node, rx }: OwnedChain): EndStep {
    const { cursor } = this.#around;
    return {
      node,
      pass(then) {
        // No record causes what comes out now.
        cursor.leave();
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

  #compileNode(node: Node, chain: Compiling): Emit<unknown> {
    const { cursor, edges, sinks } = this.#around;
    const after = () => this.#compileRecords({ node: node.id, port: "main" }, chain);
    switch (node.kind) {
      case "pipe":
        return this.#compilePipe(node, after(), chain);
      case "flatMapJson": {
        const invalid: Output = { node: node.id, port: "invalid" };
        const toInvalid = this.#consumers(invalid).length === 0
          ? undefined
          : this.#compileRecords(invalid, chain);
        const emit = after();
        this.#noteDecoding(node, emit, chain);
        return flatMapJsonFunction(node, emit, toInvalid, this.#stage, this.#around);
      }
      case "eventTime": {
        const generator = this.#generator(node, chain.domain);
        return eventTimeFunction(node, after(), generator, this.#stage, this.#around);
      }
      case "merge":
        return after();
      case "mapAsync": {
        const operator = this.#asyncs.get(node.id)?.operator;
        const emit = after();
        return (value) => operator?.push(value, emit);
      }
      case "keyBy": {
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

  #generator({ id, outOfOrdernessMs }: NodeOf<"eventTime">, domain: string): EventTimeGenerator {
    const generators = this.#generators.get(id);
    const generator = generators?.get(domain) ?? new EventTimeGenerator(outOfOrdernessMs);
    generators?.set(domain, generator);
    return generator;
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
        const merged = this.#merges.get(node.id) ?? new MergedWatermarks();
        this.#merges.set(node.id, merged);
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
      case "eventTime": {
        const after = this.#compileFlow(main, valves);
        if (!this.#generators.has(node.id)) this.#generators.set(node.id, new Map());
        this.#flows.set(node.id, after);
        // Its own watermarks replace those from before; that an origin has ended, or all input is over, stays true.
        return [(origin, event) => {
          if (event.kind === "ended" || (event.kind === "advance" && event.at === Infinity)) {
            after(origin, event);
          }
        }];
      }
      case "mapAsync":
        return [this.#compileAsync(node, valves)];
      case "keyBy": {
        const edge = edges.get(node.id);
        if (edge === undefined) return [];
        for (const { gate } of edge.channels) for (const valve of valves) gate.join(valve);
        return [(origin, event) => edge.watermark(origin, event)];
      }
      case "sink":
        for (const valve of valves) sinks.get(node.name)?.gate.join(valve);
        return [];
      case "source":
      case "keyed":
        return [];
    }
  }

  #compileAsync(node: NodeOf<"mapAsync">, valves: readonly Valve[]): MarkFlow {
    const known = this.#asyncs.get(node.id) ?? this.#makeAsync(node);
    this.#asyncs.set(node.id, known);
    const { operator, downstream } = known;
    for (const valve of valves) operator.gate.join(valve);
    // What is full behind it must stop its results, and the records before it as well.
    const after = this.#compileFlow({ node: node.id, port: "main" }, [...valves, downstream]);
    return (origin, event) => operator.mark(() => after(origin, event));
  }

  #makeAsync({ name, call }: NodeOf<"mapAsync">): { operator: AsyncOperator; downstream: Valve } {
    const { clock, queue, failures, outside, cursor, halted } = this.#around;
    const downstream = new Valve(() => operator.resume());
    halted.join(downstream);
    const operator = new AsyncOperator({
      name,
      call,
      clock,
      queue,
      failures,
      outside,
      cursor,
      downstream,
      handedOn: () => this.#advanceAll(),
    });
    return { operator, downstream };
  }

  #consumers(output: Output): Node[] {
    return consumersOf(this.#around.topology, output).map(({ node }) => node);
  }
}

/** Goes through the steps, upstream first: inputs have lower numbers than what they feed. */
function passAll(steps: readonly EndStep[], then: () => void): void {
  const [first, ...rest] = steps.toSorted((a, b) => a.node - b.node);
  if (first === undefined) then();
  else first.pass(() => passAll(rest, then));
}
