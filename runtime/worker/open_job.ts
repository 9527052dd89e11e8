/**
 * A job that is open on one worker: its stages, channels and sinks, from opening to the end.
 *
 * @module
 */

import type { SinkWriter } from "../../connectors/sink.ts";
import type { ConnectorContext } from "../../connectors/source.ts";
import type { Clock } from "../clock.ts";
import { columnarCut } from "../columnar_cut.ts";
import type { DeadLetter } from "../dead_letter.ts";
import { type JobPlan, type Stage, stagesOf } from "../stage_plan.ts";
import { KeyedState } from "../state/keyed_state.ts";
import type { NodeId, NodeOf, Topology } from "../topology.ts";
import type { Outside } from "./async_operator.ts";
import { EdgeOutput } from "./edge_output.ts";
import { Exchange } from "./exchange.ts";
import type { Failures } from "./failures.ts";
import { Gate } from "./gate.ts";
import { HandlerOperator, type KeyedOperator } from "./keyed_operator.ts";
import { KeyedStage, originOf } from "./keyed_stage.ts";
import { MailboxOperator, PipeOperator } from "./mailbox_operator.ts";
import type { Command, Link, Placement, WorkerMessage, WorkerReport } from "./protocol.ts";
import { RecordCursor } from "./record_cursor.ts";
import { SinkPort } from "./sink_port.ts";
import { shardOrigin, SourceStage } from "./source_stage.ts";
import { StageOutputs } from "./stage_outputs.ts";
import { TurnQueue } from "./turn_queue.ts";

/** What a job is opened with. */
export interface OpenJobOptions {
  readonly plan: JobPlan;
  readonly topology: Topology;
  readonly placement: Placement;
  readonly links: readonly (Link | undefined)[];
  readonly writers: ReadonlyMap<string, SinkWriter<never>>;
  readonly deadLetters: SinkWriter<DeadLetter> | undefined;
  readonly connectors: ConnectorContext;
  readonly clock: Clock;
  readonly outside: Outside;
  readonly failures: Failures;
  readonly tell: (message: WorkerMessage) => void;
  /** Every stage has ended and every sink is flushed. */
  readonly ended: () => void;
  /** Turns have handed over what they put out. */
  readonly flushed: () => void;
}

/** A job on one worker. */
export class OpenJob {
  readonly #options: OpenJobOptions;
  readonly #queue: TurnQueue;
  readonly #exchange: Exchange;
  readonly #sinks = new Map<string, SinkPort>();
  readonly #deadLetters: SinkPort | undefined;
  readonly #halted = new Gate();
  readonly #letterCursor = new RecordCursor();
  readonly #sources = new Map<string, SourceStage>();
  readonly #keyed: KeyedStage[] = [];
  #stagesLeft: number;

  constructor(options: OpenJobOptions) {
    this.#options = options;
    const { clock, placement, plan, topology, failures, writers } = options;
    this.#queue = new TurnQueue(clock, () => this.#flush());
    const decoders = plan.edges.map(({ keyBy }) => columnarCut(topology, keyBy)?.decoder);
    this.#exchange = new Exchange(
      placement.worker,
      options.links,
      plan.edges,
      decoders,
      failures,
    );
    const port = (writer: SinkWriter<never>) =>
      new SinkPort(writer as SinkWriter<unknown>, (error) => failures.fatal(error));
    for (const [name, writer] of writers) this.#sinks.set(name, port(writer));
    this.#deadLetters = options.deadLetters === undefined ? undefined : port(options.deadLetters);
    const stages = stagesOf(topology);
    this.#stagesLeft = stages.length;
    for (const stage of stages) this.#openStage(stage, stages);
    this.#exchange.open(this.#keyed);
  }

  command(command: Exclude<Command, { type: "report" }>): void {
    switch (command.type) {
      case "openShard":
        return this.#sources.get(command.source)?.openShard(command.shard, command.after);
      case "releaseShard":
        return this.#sources.get(command.source)?.releaseShard(command.shard, command.successors);
      case "endSource":
        return this.#sources.get(command.source)?.endSource();
      case "stop":
        for (const source of this.#sources.values()) source.stop();
        return;
    }
  }

  writeDeadLetter(letter: DeadLetter): void {
    this.#deadLetters?.next(letter, this.#letterCursor);
    this.#queue.wake();
  }

  /** No more turns: the job has failed. */
  halt(): void {
    this.#halted.set(true);
    this.#queue.halt();
  }

  /** Takes no more turns, and has all dead letters written: the last one may say why it failed. */
  async writeDeadLetters(): Promise<void> {
    this.halt();
    await this.#deadLetters?.drain();
  }

  async close(): Promise<void> {
    this.#queue.halt();
    for (const source of this.#sources.values()) source.close();
    for (const stage of this.#keyed) stage.close();
    this.#exchange.close();
    for (const sink of this.#allSinks()) await sink.close();
  }

  report(): Omit<WorkerReport, "deadLetters" | "cpuMs"> {
    return {
      worker: this.#options.placement.worker,
      sources: Object.fromEntries(
        [...this.#sources.values()].map(({ name, records, bytes, shards, lagMs }) => [
          name,
          { records, bytes, shards, lagMs },
        ]),
      ),
      stages: Object.fromEntries(
        this.#keyed.map((
          { name, rows, waiting, keys, watermark },
        ) => [name, { rows, waiting, keys, watermark }]),
      ),
      sinks: Object.fromEntries(
        [...this.#sinks].map(([name, { rows, pending }]) => [name, { rows, pending }]),
      ),
    };
  }

  #flush(): void {
    this.#exchange.flush();
    for (const sink of this.#allSinks()) sink.flush();
    this.#options.flushed();
  }

  #allSinks(): SinkPort[] {
    return this.#deadLetters === undefined
      ? [...this.#sinks.values()]
      : [...this.#sinks.values(), this.#deadLetters];
  }

  #openStage(stage: Stage, stages: readonly Stage[]): void {
    const { topology, clock, failures, outside } = this.#options;
    const cursor = new RecordCursor();
    const outputs: StageOutputs = new StageOutputs(stage.name, stage.head.id, {
      topology,
      clock,
      queue: this.#queue,
      failures,
      outside,
      cursor,
      edges: this.#edgeOutputs(stage, cursor),
      sinks: this.#sinks,
      deadLetters: this.#deadLetters,
      halted: this.#halted,
    }, () => opened.resume());
    const opened: SourceStage | KeyedStage = stage.head.kind === "source"
      ? this.#openSource(stage, stage.head, outputs, cursor)
      : this.#openKeyed(stage, stage.head, stages, outputs, cursor);
  }

  #openSource(
    { outputs: edges }: Stage,
    { name, source }: NodeOf<"source">,
    outputs: StageOutputs,
    cursor: RecordCursor,
  ): SourceStage {
    const { failures, connectors, tell } = this.#options;
    const stage = new SourceStage({
      name,
      source,
      context: connectors,
      queue: this.#queue,
      cursor,
      outputs,
      failures,
      // Its successors may be read on other workers: what they send must not overtake it.
      shardEnded: (shard) =>
        this.#exchange.settle(edges, () => tell({ type: "shardEnded", source: name, shard })),
      ended: () => this.#stageEnded(),
    });
    this.#sources.set(name, stage);
    return stage;
  }

  #openKeyed(
    stage: Stage,
    head: NodeOf<"keyed">,
    stages: readonly Stage[],
    outputs: StageOutputs,
    cursor: RecordCursor,
  ): KeyedStage {
    const { worker, workers, routing } = this.#options.placement;
    const inputs = head.inputs.map((_, input) => {
      const edges = stage.inputs.filter((edge) => edge.input === input);
      const origins = edges.flatMap((edge) => this.#originsOf(edge.from, stages));
      return { channels: edges.length * workers, origins: [...new Set(origins)] };
    });
    const { operator } = head;
    const specs = operator.kind === "pipe" ? {} : operator.state;
    const state = new KeyedState(specs, this.#options.connectors.random);
    const keyed = new KeyedStage({
      name: stage.name,
      worker,
      routing,
      inputs,
      queue: this.#queue,
      cursor,
      state,
      operator: this.#operator(head, state, cursor),
      outputs,
      ended: () => this.#stageEnded(),
    });
    this.#keyed.push(keyed);
    return keyed;
  }

  #operator(
    { name, operator }: NodeOf<"keyed">,
    state: KeyedState,
    cursor: RecordCursor,
  ): KeyedOperator {
    const { clock, failures } = this.#options;
    switch (operator.kind) {
      case "handlers":
        return new HandlerOperator(name, operator, state, cursor, failures);
      case "actor":
        return new MailboxOperator(name, operator, state, clock, cursor, failures);
      case "pipe":
        return new PipeOperator(name, operator, state, cursor, failures);
    }
  }

  /** Who sends a stage's watermarks: its shards, or its part on each worker. */
  #originsOf(name: string, stages: readonly Stage[]): string[] {
    const { shards, workers } = this.#options.placement;
    const stage = stages.find((other) => other.name === name);
    if (stage?.head.kind === "source") {
      return (shards[name] ?? []).map((shard) => shardOrigin(name, shard));
    }
    return Array.from({ length: workers }, (_, worker) => originOf(name, worker));
  }

  #edgeOutputs(stage: Stage, cursor: RecordCursor): Map<NodeId, EdgeOutput> {
    const { topology, placement, failures } = this.#options;
    const outputs = new Map<NodeId, EdgeOutput>();
    for (const [node, edges] of Map.groupBy(stage.outputs, (edge) => edge.keyBy)) {
      const keyBy = topology.nodes[node];
      if (keyBy?.kind !== "keyBy") {
        throw new Error(`Cannot open the edges of node ${node}: it is no keyBy`);
      }
      const output = new EdgeOutput({
        operator: `${stage.name}/keyBy`,
        key: keyBy.key,
        routing: placement.routing,
        edges: edges.map((edge) => this.#exchange.outbound(edge)),
        cursor,
        failures,
      });
      outputs.set(node, output);
    }
    return outputs;
  }

  #stageEnded(): void {
    this.#stagesLeft--;
    if (this.#stagesLeft > 0) return;
    this.#queue.wake();
    // Sinks may still reject rows while they drain: their dead letters are written last.
    Promise.all([...this.#sinks.values()].map((sink) => sink.drain()))
      .then(() => this.#deadLetters?.drain())
      .then(() => this.#options.ended(), (error) => this.#options.failures.fatal(error));
  }
}
