/**
 * A job that is open on one worker: its stages, channels and sinks, from opening to the end.
 *
 * @module
 */

import type { SinkWriter } from "../../connectors/sink.ts";
import type { ConnectorContext } from "../../connectors/source.ts";
import type { RestoredWorker, WorkerSnapshot } from "../checkpoint/worker_snapshot.ts";
import type { Clock } from "../clock.ts";
import { columnarCut } from "../columnar_cut.ts";
import { DEAD_LETTERS, type DeadLetter } from "../dead_letter.ts";
import { type Edge, type JobPlan, type Stage, stagesOf } from "../stage_plan.ts";
import { KeyedState } from "../state/keyed_state.ts";
import { restoreState } from "../state/restore_state.ts";
import type { GateOrigins } from "../time/gate_watermark.ts";
import type { NodeId, NodeOf, Topology } from "../topology.ts";
import type { Outside } from "./async_operator.ts";
import { BroadcastOutput } from "./broadcast_output.ts";
import { EdgeOutput } from "./edge_output.ts";
import type { EpochSnapshot } from "./epoch_snapshot.ts";
import { Epochs } from "./epochs.ts";
import { Exchange } from "./exchange.ts";
import type { Failures } from "./failures.ts";
import { Gate } from "./gate.ts";
import { GroupMoves } from "./group_moves.ts";
import { KeyedStage } from "./keyed_stage.ts";
import { openOperator } from "./open_operator.ts";
import { type JobReport, jobReport } from "./job_report.ts";
import { deadLetterOrigin } from "./output_id.ts";
import type { Command, Link, Placement, Replies, WorkerMessage } from "./protocol.ts";
import { RecordCursor } from "./record_cursor.ts";
import { SinkPort } from "./sink_port.ts";
import { shardOrigin } from "./shard_actor.ts";
import { type AdoptShard, takeSourceCommand } from "./source_commands.ts";
import { SourceStage } from "./source_stage.ts";
import { originOf } from "./stage_inputs.ts";
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
  /** This worker's part of the checkpoint that the job starts from. */
  readonly restored: RestoredWorker | undefined;
  /** Whether checkpoints are taken. */
  readonly checkpoints: boolean;
  readonly tell: (message: WorkerMessage, transfer?: Transferable[]) => void;
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
  readonly #openedAt: number;
  readonly #letterCursor = new RecordCursor();
  readonly #sources = new Map<string, SourceStage>();
  readonly #keyed: KeyedStage[] = [];
  readonly #epochs: Epochs;
  readonly moves: GroupMoves;
  #stagesLeft: number;

  constructor(options: OpenJobOptions) {
    this.#options = options;
    const { clock, placement, plan, topology, failures, writers } = options;
    this.#queue = new TurnQueue(
      clock,
      () => this.#flush(),
      () => this.#keyed.some(({ isBlocked }) => isBlocked),
    );
    this.#openedAt = clock.monotonic();
    const decoders = plan.edges.map((edge) =>
      "keyBy" in edge ? columnarCut(topology, edge.keyBy)?.decoder : undefined
    );
    this.#exchange = new Exchange(
      placement.worker,
      options.links,
      plan.edges,
      decoders,
      failures,
      (message) => this.moves.take(message),
    );
    const port = (name: string, writer: SinkWriter<never>) =>
      new SinkPort({
        name,
        writer: writer as SinkWriter<unknown>,
        failed: (error) => failures.fatal(error),
        written: (epoch, sink, prepared) => this.#epochs.written(epoch, sink, prepared),
      });
    for (const [name, writer] of writers) this.#sinks.set(name, port(name, writer));
    this.#deadLetters = options.deadLetters === undefined
      ? undefined
      : port(DEAD_LETTERS, options.deadLetters);
    const stages = stagesOf(topology);
    this.#epochs = new Epochs({
      stages: stages.map(({ name }) => name),
      sinks: [...this.#sinks.values()],
      deadLetters: this.#deadLetters,
      clock,
      tell: options.tell,
      failed: (error) => failures.fatal(error),
    });
    this.moves = this.#openMoves(stages);
    this.#stagesLeft = stages.length;
    for (const stage of stages) this.#openStage(stage, stages);
    this.#exchange.open(this.#keyed);
    if (options.restored !== undefined) { for (const stage of this.#keyed) stage.announce(); }
  }

  command(command: Exclude<Command, { type: "report" | "ping" | "startedAt" }>): void {
    switch (command.type) {
      case "openShard":
      case "releaseShard":
      case "closeShard":
      case "shardMoved":
      case "endSource":
        return takeSourceCommand(this.#sources.get(command.source), command, this.#options.tell);
      case "barrier": {
        const snapshot = this.#epochs.of(command.epoch);
        for (const source of this.#sources.values()) source.barrier(snapshot);
        for (const stage of this.#keyed) {
          if (stage.over) stage.handOver(snapshot);
          else stage.announced(command.epoch);
        }
        return;
      }
      case "handOver": {
        const { epoch, moves } = command;
        const handOver = this.moves.begin(epoch, moves);
        for (const source of this.#sources.values()) source.reroute(epoch, moves);
        for (const stage of this.#keyed) {
          if (stage.over) handOver.stage(stage);
          else stage.announced(epoch);
        }
        return;
      }
      case "abandonMove":
        return this.moves.abandon();
      case "committed":
        return this.#epochs.committed(command.epoch);
      case "aborted":
        return this.#epochs.aborted(command.epoch);
      case "stop":
        for (const source of this.#sources.values()) source.stop(command.drain);
        return;
    }
  }

  /** Reads on where another worker has stopped. */
  adoptShard({ source, shard, closed }: AdoptShard): Replies["adoptShard"] {
    const stage = this.#sources.get(source);
    if (stage === undefined) throw new Error(`Cannot read "${source}": the job has no such source`);
    return { pauseMs: stage.adoptShard(shard, closed) };
  }

  /** Resolves when sinks have committed all that they were told to. */
  get commits(): Promise<unknown> {
    return this.#epochs.commits;
  }

  /** What everything is after the end of the last stage. */
  lastSnapshot(epoch: number): Promise<WorkerSnapshot> {
    return new Promise((resolve, reject) => {
      const snapshot = this.#epochs.begin(epoch, resolve, reject);
      for (const source of this.#sources.values()) source.handOver(snapshot);
      for (const stage of this.#keyed) stage.handOver(snapshot);
    });
  }

  writeDeadLetter(letter: DeadLetter, id: string): void {
    this.#letterCursor.leave(-Infinity, deadLetterOrigin(id));
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
    this.moves.close();
    await this.#epochs.commits;
    for (const sink of this.#allSinks()) await sink.close();
  }

  report(): JobReport {
    return jobReport({
      worker: this.#options.placement.worker,
      sources: this.#sources.values(),
      stages: this.#keyed,
      sinks: this.#sinks,
      queue: this.#queue,
      ageMs: this.#options.clock.monotonic() - this.#openedAt,
    });
  }

  #openMoves(stages: readonly Stage[]): GroupMoves {
    const { clock, placement: { worker }, tell, failures } = this.#options;
    const exchange = this.#exchange;
    const edgesOf = (name: string) => stages.find((stage) => stage.name === name)?.outputs ?? [];
    return new GroupMoves({
      ...{ worker, clock, tell },
      stages: this.#keyed,
      send: (to, message, transfer) => exchange.post(to, message, transfer),
      // What waits behind calls comes after the barrier: it must have arrived.
      settle: (stage, then) =>
        stage.settle(() => stage.holdsCalls ? exchange.settle(edgesOf(stage.name), then) : then()),
      arrived: () => new Promise((resolve) => exchange.settleAll(resolve)),
      failed: (error) => failures.fatal(error),
    });
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
      ...{ topology, clock, failures, outside, cursor },
      queue: this.#queue,
      edges: this.#edgeOutputs(stage, cursor),
      sinks: this.#sinks,
      deadLetters: this.#deadLetters,
      halted: this.#halted,
      restored: this.#options.restored?.stages[stage.name],
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
    const { failures, connectors, placement, tell } = this.#options;
    const stage: SourceStage = new SourceStage({
      name,
      source,
      listed: placement.shards[name] ?? [],
      context: connectors,
      queue: this.#queue,
      cursor,
      outputs,
      failures,
      // Its successors may be read on other workers: what they send must not overtake it.
      shardEnded: (shard) =>
        this.#exchange.settle(edges, () => tell({ type: "shardEnded", source: name, shard })),
      arrived: (then) => this.#exchange.settle(edges, then),
      ended: () => this.#stageEnded((snapshot) => stage.handOver(snapshot), name),
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
    const { clock, placement: { worker, routing } } = this.#options;
    const restored = this.#options.restored?.stages[stage.name];
    const inputs = head.inputs.map((_, input) => {
      const edges = stage.inputs.filter((edge) => edge.input === input);
      const channels = edges.flatMap((edge) => this.#exchange.inbound(edge));
      const origins = this.#originsOf(new Set(edges.map((edge) => edge.from)), stages);
      return { channels, origins, restored: restored?.inputs[input] };
    });
    const { operator } = head;
    const specs = operator.kind === "pipe" ? {} : operator.state;
    const state = new KeyedState(specs, this.#options.connectors.random);
    state.changed.isTaken = this.#options.checkpoints;
    if (restored !== undefined) restoreState(state, restored, specs, stage.name);
    const keyed: KeyedStage = new KeyedStage({
      name: stage.name,
      worker,
      routing,
      inputs,
      restored,
      clock,
      queue: this.#queue,
      cursor,
      state,
      operator: openOperator(head, {
        ...{ state, clock, cursor, worker },
        failures: this.#options.failures,
        random: this.#options.connectors.random,
        restored,
      }),
      outputs,
      epochOf: (epoch) => this.moves.handOver(epoch) ?? this.#epochs.of(epoch),
      ended: () => {
        this.moves.ended(keyed);
        this.#stageEnded((snapshot) => keyed.handOver(snapshot), keyed.name);
      },
    });
    this.#keyed.push(keyed);
    return keyed;
  }

  /** Who sends the watermarks of stages: their shards, or their parts on each worker. */
  #originsOf(names: Iterable<string>, stages: readonly Stage[]): GateOrigins {
    const { shards, workers } = this.#options.placement;
    const splits = new Map<string, readonly string[]>();
    const channels: string[] = [];
    for (const name of names) {
      const head = stages.find((other) => other.name === name)?.head;
      if (head?.kind === "source") {
        const origins = (shards[name] ?? []).map((shard) => shardOrigin(name, shard));
        if (head.source.watermarks === "channels") channels.push(...origins);
        else splits.set(name, origins);
      } else {
        for (let worker = 0; worker < workers; worker++) channels.push(originOf(name, worker));
      }
    }
    return { splits, channels };
  }

  #edgeOutputs(stage: Stage, cursor: RecordCursor): Map<NodeId, EdgeOutput | BroadcastOutput> {
    const { topology, placement: { routing }, failures } = this.#options;
    const outputs = new Map<NodeId, EdgeOutput | BroadcastOutput>();
    const cutOf = (edge: Edge) => "keyBy" in edge ? edge.keyBy : edge.broadcast;
    for (const [id, ofCut] of Map.groupBy(stage.outputs, cutOf)) {
      const node = topology.nodes[id];
      const edges = ofCut.map((edge) => this.#exchange.outbound(edge));
      const operator = `${stage.name}/${node?.kind}`;
      const options = { operator, edges, cursor, failures };
      if (node?.kind === "keyBy") {
        outputs.set(id, new EdgeOutput({ ...options, routing, key: node.key, hash: node.hash }));
      } else if (node?.kind === "broadcast") {
        outputs.set(id, new BroadcastOutput(options));
      } else {throw new Error(
          `Cannot open the edges of node ${id}: it is no keyBy and no broadcast`,
        );}
    }
    return outputs;
  }

  /** Without checkpoints the end is what transactional sinks wait for. */
  async #finishSinks(): Promise<void> {
    if (this.#options.checkpoints) return;
    await Promise.all(this.#allSinks().map((sink) => sink.finish()));
  }

  /** @param handOver its part of an epoch whose barrier did not come before its end */
  #stageEnded(handOver: (snapshot: EpochSnapshot) => void, stage: string): void {
    for (const snapshot of this.#epochs.lacking(stage)) handOver(snapshot);
    this.#stagesLeft--;
    if (this.#stagesLeft > 0) return;
    this.#queue.wake();
    // Sinks may still reject rows while they drain: their dead letters are written last.
    Promise.all([...this.#sinks.values()].map((sink) => sink.drain()))
      .then(() => this.#deadLetters?.drain())
      .then(() => this.#finishSinks())
      .then(() => this.#options.ended(), (error) => this.#options.failures.fatal(error));
  }
}
