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
import type { DeadLetter } from "../dead_letter.ts";
import { type JobPlan, type Stage, stagesOf } from "../stage_plan.ts";
import { KeyedState } from "../state/keyed_state.ts";
import { restoreState } from "../state/restore_state.ts";
import type { NodeOf, Topology } from "../topology.ts";
import type { Outside } from "./async_operator.ts";
import type { EpochSnapshot } from "./epoch_snapshot.ts";
import { Epochs } from "./epochs.ts";
import { Exchange } from "./exchange.ts";
import type { Failures } from "./failures.ts";
import { Gate } from "./gate.ts";
import { GroupMoves } from "./group_moves.ts";
import { Joining } from "./joining.ts";
import { JobSinks } from "./job_sinks.ts";
import { KeyedStage } from "./keyed_stage.ts";
import { openOperator } from "./open_operator.ts";
import { type JobReport, jobReport } from "./job_report.ts";
import type { Command, Link, Placement, Replies, WorkerMessage } from "./protocol.ts";
import { RecordCursor } from "./record_cursor.ts";
import { type AdoptShard, takeSourceCommand } from "./source_commands.ts";
import { SourceStage } from "./source_stage.ts";
import { StageEdges } from "./stage_edges.ts";
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
  readonly #edges: StageEdges;
  readonly #sinks: JobSinks;
  readonly #halted = new Gate();
  readonly #openedAt: number;
  readonly #sources = new Map<string, SourceStage>();
  readonly #keyed: KeyedStage[] = [];
  readonly #epochs: Epochs;
  readonly moves: GroupMoves;
  /** The barrier at which another worker joins, while it is under way. */
  #joining: Joining | undefined;
  #stagesLeft: number;

  constructor(options: OpenJobOptions) {
    this.#options = options;
    const { clock, placement, plan, topology, failures, writers } = options;
    this.#queue = new TurnQueue(
      clock,
      (isLast) => this.#flush(isLast),
      () => this.#keyed.some(({ isBlocked }) => isBlocked),
    );
    this.#openedAt = clock.monotonic();
    const decoders = plan.edges.map((edge) =>
      "keyBy" in edge ? columnarCut(topology, edge.keyBy)?.decoder : undefined
    );
    this.#exchange = new Exchange({
      ...{ worker: placement.worker, slots: placement.slots, links: options.links },
      ...{ edges: plan.edges, decoders, failures },
      moved: (message) => this.moves.take(message),
      mayWait: () => this.#queue.inSlice,
    });
    const failed = (error: unknown) => failures.fatal(error);
    this.#sinks = new JobSinks({
      ...{ writers, deadLetters: options.deadLetters, failed },
      written: (epoch, sink, prepared) => this.#epochs.written(epoch, sink, prepared),
    });
    const stages = stagesOf(topology);
    const exchange = this.#exchange;
    this.#edges = new StageEdges({ topology, placement, exchange, stages, failures });
    this.#epochs = new Epochs({
      stages: stages.map(({ name }) => name),
      sinks: [...this.#sinks.ports.values()],
      deadLetters: this.#sinks.deadLetters,
      ...{ clock, tell: options.tell, failed },
    });
    this.moves = this.#openMoves(stages);
    this.#stagesLeft = stages.length;
    for (const stage of stages) this.#openStage(stage);
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
      case "join":
        return this.#join(command.epoch, command.worker);
      case "left":
        for (const stage of [...this.#sources.values(), ...this.#keyed]) stage.left(command.worker);
        return this.#exchange.disconnect(command.worker);
      case "handOver": {
        const { epoch, moves } = command;
        const handOver = this.moves.begin(epoch, moves);
        for (const source of this.#sources.values()) {
          source.pass(epoch, { kind: "hand over", moves });
        }
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

  /** Another worker will join; see {@linkcode Joining}. */
  connect(worker: number, link: Link): void {
    this.#exchange.connect(worker, link);
  }

  /**
   * Takes no more turns. Resolves when all it has put out is written and has arrived: with false, and going on, where some
   * of that is to be shown by a checkpoint.
   */
  async leave(): Promise<boolean> {
    await this.#sinks.drain();
    await this.#epochs.commits;
    if (this.#options.checkpoints && this.#sinks.awaitCheckpoint) return false;
    this.halt();
    await this.#finishSinks();
    this.#exchange.flush();
    await new Promise<void>((resolve) => this.#exchange.settleAll(resolve));
    return true;
  }

  #join(epoch: number, worker: number): void {
    const joining = this.#joining = new Joining({
      ...{ epoch, worker },
      stages: [...this.#sources.keys(), ...this.#keyed.map(({ name }) => name)],
      done: (stages) => {
        this.#joining = undefined;
        this.#options.tell({ type: "joined", epoch, stages });
      },
    });
    for (const source of this.#sources.values()) {
      joining.stage(source.snapshot());
      source.pass(epoch, { kind: "join", worker });
    }
    for (const stage of this.#keyed) {
      if (stage.over) stage.joinEnded(joining);
      else stage.announced(epoch);
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
    this.#sinks.writeDeadLetter(letter, id);
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
    await this.#sinks.deadLetters?.drain();
  }

  async close(): Promise<void> {
    this.#queue.halt();
    for (const source of this.#sources.values()) source.close();
    for (const stage of this.#keyed) stage.close();
    this.#exchange.close();
    this.moves.close();
    await this.#epochs.commits;
    await this.#sinks.close();
  }

  report(): JobReport {
    return jobReport({
      worker: this.#options.placement.worker,
      sources: this.#sources.values(),
      stages: this.#keyed,
      sinks: this.#sinks.ports,
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
      arrived: (to) => new Promise((resolve) => exchange.settleWith([to], resolve)),
      failed: (error) => failures.fatal(error),
    });
  }

  #flush(isLast: boolean): void {
    if (isLast) this.#exchange.flush();
    else this.#exchange.handOver();
    this.#sinks.flush();
    this.#options.flushed();
  }

  #openStage(stage: Stage): void {
    const { topology, clock, failures, outside } = this.#options;
    const cursor = new RecordCursor();
    const outputs: StageOutputs = new StageOutputs(stage.name, stage.head.id, {
      ...{ topology, clock, failures, outside, cursor },
      queue: this.#queue,
      edges: this.#edges.outputs(stage, cursor),
      sinks: this.#sinks.ports,
      deadLetters: this.#sinks.deadLetters,
      halted: this.#halted,
      restored: this.#options.restored?.stages[stage.name],
    }, () => opened.resume());
    const opened: SourceStage | KeyedStage = stage.head.kind === "source"
      ? this.#openSource(stage, stage.head, outputs, cursor)
      : this.#openKeyed(stage, stage.head, outputs, cursor);
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
    outputs: StageOutputs,
    cursor: RecordCursor,
  ): KeyedStage {
    const { clock, placement: { worker, routing } } = this.#options;
    const restored = this.#options.restored?.stages[stage.name];
    const { operator } = head;
    const specs = operator.kind === "pipe" ? {} : operator.state;
    const state = new KeyedState(specs, this.#options.connectors.random);
    state.changed.isTaken = this.#options.checkpoints;
    if (restored !== undefined) restoreState(state, restored, specs, stage.name);
    const keyed: KeyedStage = new KeyedStage({
      name: stage.name,
      worker,
      routing,
      inputs: this.#edges.inputs(stage, head.inputs.length, restored),
      inputsOf: (of) => this.#edges.inputsOf(stage, head.inputs.length, of),
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
      epochOf: (epoch) =>
        this.#joining?.epoch === epoch
          ? this.#joining
          : this.moves.handOver(epoch) ?? this.#epochs.of(epoch),
      ended: () => {
        this.moves.ended(keyed);
        if (this.#joining !== undefined) keyed.joinEnded(this.#joining);
        this.#stageEnded((snapshot) => keyed.handOver(snapshot), keyed.name);
      },
    });
    this.#keyed.push(keyed);
    return keyed;
  }

  /** All is written. Without checkpoints the end is what transactional sinks wait for. */
  async #finishSinks(): Promise<void> {
    await this.#sinks.drain();
    if (!this.#options.checkpoints) await this.#sinks.finish();
  }

  /** @param handOver its part of an epoch whose barrier did not come before its end */
  #stageEnded(handOver: (snapshot: EpochSnapshot) => void, stage: string): void {
    for (const snapshot of this.#epochs.lacking(stage)) handOver(snapshot);
    this.#stagesLeft--;
    if (this.#stagesLeft > 0) return;
    this.#queue.wake();
    this.#finishSinks()
      .then(() => this.#options.ended(), (error) => this.#options.failures.fatal(error));
  }
}
