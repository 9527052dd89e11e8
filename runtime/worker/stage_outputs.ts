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

import { plainRecord } from "../../connectors/raw_record.ts";
import type { OperatorFunction } from "../../deps.ts";
import { type Emit, stepOf } from "../../operators/fused.ts";
import type { Clock } from "../clock.ts";
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
import type { EdgeOutput } from "./edge_output.ts";
import type { Failures } from "./failures.ts";
import { Valve } from "./gate.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { RxChain } from "./rx_chain.ts";
import type { SinkPort } from "./sink_port.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** What a stage's operators are connected to. */
export interface StageSurroundings {
  readonly topology: Topology;
  readonly clock: Clock;
  readonly queue: TurnQueue;
  readonly failures: Failures;
  readonly outside: Outside;
  readonly cursor: RecordCursor;
  /** By keyBy node: the ways out of this worker. */
  readonly edges: ReadonlyMap<NodeId, readonly EdgeOutput[]>;
  readonly sinks: ReadonlyMap<string, SinkPort>;
  /** The sink of dead letters, if the job has one: every stage feeds it. */
  readonly deadLetters: SinkPort | undefined;
}

/** An actor's own functions. */
export interface Chain {
  readonly next: Emit<unknown>;
  /** The actor's input is over. */
  complete(): void;
  close(): void;
}

/** A chain while it is compiled. Nodes that are reached twice, over a merge, are compiled once. */
interface Compiling {
  readonly domain: string;
  readonly owned: RxChain[];
  readonly compiled: Map<NodeId, Emit<unknown>>;
}

type MarkFlow = (origin: string, event: WatermarkEvent) => void;

/** The operators behind one stage's head. */
export class StageOutputs {
  readonly #stage: string;
  readonly #head: Output;
  readonly #around: StageSurroundings;
  readonly #asyncs = new Map<NodeId, { operator: AsyncOperator; downstream: Valve }>();
  readonly #generators = new Map<NodeId, Map<string, EventTimeGenerator>>();
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
    this.#flow = this.#compileFlow(this.#head, [this.valve]);
  }

  /** A chain for one actor. `domain` is whose watermark its records count for: a shard, or this worker's stage. */
  chain(domain: string): Chain {
    const owned: RxChain[] = [];
    const next = this.#compileRecords(this.#head, { domain, owned, compiled: new Map() });
    return {
      next,
      complete: () => owned.forEach((rx) => rx.complete()),
      close: () => owned.forEach((rx) => rx.close()),
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
    const asyncs = [...this.#asyncs.values()];
    const passAll = (at: number): void => {
      const next = asyncs[at];
      if (next !== undefined) return next.operator.mark(() => passAll(at + 1));
      for (const edges of this.#around.edges.values()) for (const edge of edges) edge.end(final);
      ended();
    };
    passAll(0);
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
    switch (node.kind) {
      case "pipe": {
        const after = this.#compileRecords({ node: node.id, port: "main" }, chain);
        return this.#compilePipe(node, after, chain.owned);
      }
      case "flatMapJson":
        return this.#compileFlatMapJson(node, chain);
      case "eventTime":
        return this.#compileEventTime(node, chain);
      case "merge":
        return this.#compileRecords({ node: node.id, port: "main" }, chain);
      case "mapAsync": {
        const operator = this.#asyncs.get(node.id)?.operator;
        const after = this.#compileRecords({ node: node.id, port: "main" }, chain);
        return (value) => operator?.push(value, after);
      }
      case "keyBy": {
        const outputs = edges.get(node.id) ?? [];
        return (value) => {
          for (const edge of outputs) edge.next(value);
        };
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

  /** Our own operators run as functions, runs of others as one subscription each. */
  #compilePipe(node: NodeOf<"pipe">, after: Emit<unknown>, owned: RxChain[]): Emit<unknown> {
    const { cursor, failures } = this.#around;
    const name = `${this.#stage}/pipe`;
    const refusals = {
      refuse: (value: unknown, reason: string) => failures.refused(name, value, reason, cursor),
    };
    const rxRun: OperatorFunction<unknown, unknown>[] = [];
    const closeRun = (emit: Emit<unknown>): Emit<unknown> => {
      if (rxRun.length === 0) return emit;
      const chain = new RxChain(rxRun.splice(0).reverse(), {
        emit,
        thrown: (value, error) => failures.thrown(name, value, error, cursor),
        emittedOutside: () =>
          failures.fatal(
            new Error(
              `Cannot go on with pipe() behind "${this.#stage}": an operator emitted after the call; use mapAsync for what takes time`,
            ),
          ),
      });
      owned.push(chain);
      return (value) => chain.next(value);
    };
    let emit = after;
    for (const operator of [...node.operators].reverse()) {
      const step = stepOf(operator);
      if (step === undefined) {
        rxRun.push(operator);
        continue;
      }
      const next = closeRun(emit);
      emit = (value) => {
        try {
          step(value, next, refusals);
        } catch (error) {
          failures.thrown(name, value, error, cursor);
        }
      };
    }
    return closeRun(emit);
  }

  #compileFlatMapJson(node: NodeOf<"flatMapJson">, chain: Compiling): Emit<unknown> {
    const { cursor, failures } = this.#around;
    const name = `${this.#stage}/flatMapJson`;
    const after = this.#compileRecords({ node: node.id, port: "main" }, chain);
    const invalidOutput: Output = { node: node.id, port: "invalid" };
    const invalid = this.#consumers(invalidOutput).length === 0
      ? undefined
      : this.#compileRecords(invalidOutput, chain);
    const refusals = {
      refuse: (value: unknown, reason: string) =>
        invalid === undefined
          ? failures.refused(name, value, reason, cursor)
          : invalid({ value: plainRecord(value), reason }),
    };
    return (value) => {
      try {
        node.step(value, after, refusals);
      } catch (error) {
        failures.thrown(name, value, error, cursor);
      }
    };
  }

  #compileEventTime(node: NodeOf<"eventTime">, chain: Compiling): Emit<unknown> {
    const { cursor, failures } = this.#around;
    const name = `${this.#stage}/eventTime`;
    const after = this.#compileRecords({ node: node.id, port: "main" }, chain);
    const generators = this.#generators.get(node.id);
    const generator = generators?.get(chain.domain) ??
      new EventTimeGenerator(node.outOfOrdernessMs);
    generators?.set(chain.domain, generator);
    return (value) => {
      let timestamp: number;
      try {
        timestamp = node.timestamp(value);
      } catch (error) {
        return failures.thrown(name, value, error, cursor);
      }
      if (!Number.isFinite(timestamp)) {
        const reason =
          `Cannot take the record's time: timestamp() gave ${timestamp}, expected milliseconds since the epoch`;
        return failures.refused(name, value, reason, cursor);
      }
      const before = cursor.timestamp;
      cursor.timestamp = timestamp;
      generator.see(timestamp);
      after(value);
      cursor.timestamp = before;
    };
  }

  // --- watermarks

  /** `valves`: those that must be closed when something behind is full. */
  #compileFlow(output: Output, valves: readonly Valve[]): MarkFlow {
    const branches = this.#consumers(output).flatMap((node) => this.#compileNodeFlow(node, valves));
    return (origin, event) => {
      for (const branch of branches) branch(origin, event);
    };
  }

  #compileNodeFlow(node: Node, valves: readonly Valve[]): MarkFlow[] {
    const { edges, sinks } = this.#around;
    const main: Output = { node: node.id, port: "main" };
    switch (node.kind) {
      case "pipe":
      case "merge":
        return [this.#compileFlow(main, valves)];
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
        const outputs = edges.get(node.id) ?? [];
        for (const channel of outputs.flatMap((edge) => edge.channels)) {
          for (const valve of valves) channel.gate.join(valve);
        }
        return outputs.map((edge) => (origin, event) => edge.watermark(origin, event));
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
    const { clock, queue, failures, outside, cursor } = this.#around;
    const downstream = new Valve(() => operator.resume());
    const operator = new AsyncOperator({
      name,
      call,
      clock,
      queue,
      failures,
      outside,
      cursor,
      downstream,
    });
    return { operator, downstream };
  }

  #consumers(output: Output): Node[] {
    return consumersOf(this.#around.topology, output).map(({ node }) => node);
  }
}
