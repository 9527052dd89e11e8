/**
 * A keyed stage's part on one worker: takes batches and watermarks from its channels, deals them out to its partition
 * actors' mailboxes, and sends watermarks on when every actor has come to them.
 *
 * Watermark order (Flink's): the clock moves, timers that are due fire, and only then the watermark goes on. An actor
 * with nothing to do before a watermark takes it without a turn.
 *
 * @module
 */

import type { RestoredStage, StageSnapshot } from "../checkpoint/worker_snapshot.ts";
import type { Clock } from "../clock.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import type { Rows } from "../transport/rows.ts";
import { BROADCAST_OWNER, BroadcastActor } from "./broadcast_actor.ts";
import type { InboundChannel } from "./channel.ts";
import type { EpochSnapshot } from "./epoch_snapshot.ts";
import { HandOver } from "./hand_over.ts";
import { Joining } from "./joining.ts";
import type { KeyedOperator } from "./keyed_operator.ts";
import { endOrigin, saltOf } from "./output_id.ts";
import { PartitionActor, type ReceivedBatch } from "./partition_actor.ts";
import { ProcessingTime } from "./processing_time.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { orderByGroup } from "./row_order.ts";
import {
  type InputOfWorker,
  originOf,
  type StageInput,
  StageInputs,
  type StageMessage,
} from "./stage_inputs.ts";
import { type StageLoad, stageLoad } from "./stage_load.ts";
import { StageActors } from "./stage_actors.ts";
import type { StageOutputs } from "./stage_outputs.ts";
import { StageTurns } from "./stage_turns.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** A keyed stage on one worker. */
export class KeyedStage {
  readonly name: string;
  readonly #domain: string;
  /** Makes the numbers of what ends put out. */
  readonly #salt: number;
  readonly #clock: Clock;
  readonly #cursor: RecordCursor;
  readonly state: KeyedState;
  readonly #operator: KeyedOperator;
  readonly #outputs: StageOutputs;
  readonly #epochOf: (epoch: number) => EpochSnapshot | HandOver | Joining;
  readonly #inputsOf: (worker: number) => readonly InputOfWorker[];
  readonly #ended: () => void;
  readonly #inputs: StageInputs;
  readonly #actors: StageActors;
  /** Takes the rows of the last input, if that is a broadcast. */
  readonly #broadcast: BroadcastActor | undefined;
  readonly #counts: Int32Array;
  readonly #stopProbing: () => void;
  readonly #turns: StageTurns;
  readonly #processing: ProcessingTime;
  #over = false;
  /** Key groups whose keys are still on their way. */
  #awaited = 0;
  /** Key groups whose operators have completed: they don't again after a restart. */
  #completed: ReadonlySet<number>;

  constructor(options: {
    name: string;
    worker: number;
    /** The worker of each key group. */
    routing: readonly number[];
    inputs: readonly StageInput[];
    /** The stage at the checkpoint that the job starts from. */
    restored: RestoredStage | undefined;
    queue: TurnQueue;
    clock: Clock;
    cursor: RecordCursor;
    state: KeyedState;
    operator: KeyedOperator;
    outputs: StageOutputs;
    /** What a barrier is for: a snapshot, to hand key groups over, or for a worker that joins. */
    epochOf: (epoch: number) => EpochSnapshot | HandOver | Joining;
    /** What another worker sends to the stage, once it has joined. */
    inputsOf: (worker: number) => readonly InputOfWorker[];
    /** Called once, when everything has been handled and handed on. */
    ended: () => void;
  }) {
    this.name = options.name;
    this.#domain = originOf(options.name, options.worker);
    this.#salt = saltOf(options.name);
    this.#clock = options.clock;
    this.#cursor = options.cursor;
    this.state = options.state;
    this.#operator = options.operator;
    this.#outputs = options.outputs;
    this.#epochOf = options.epochOf;
    this.#inputsOf = options.inputsOf;
    this.#ended = options.ended;
    this.#completed = new Set(options.restored?.completed);
    const watermark = options.restored?.watermark ?? -Infinity;
    this.#inputs = new StageInputs({
      inputs: options.inputs,
      watermark,
      now: () => this.#clock.monotonic(),
      listener: {
        rows: (rows, input, channel) => this.#deal(rows, input, channel),
        time: (event) => {
          const at = event.kind === "advance" ? event.at : undefined;
          this.#actors.mark(at, () => {
            const { generators } = this.#outputs;
            if (at === Infinity) generators.finish(this.#domain);
            else if (at !== undefined) generators.advance(this.#domain);
            this.#outputs.watermark(this.#domain, event);
          });
        },
        barrier: (epoch, alignMs) => this.#actors.mark(undefined, () => this.#pass(epoch, alignMs)),
        ended: (final) => this.#actors.mark(undefined, () => this.#end(final)),
      },
    });
    this.#counts = new Int32Array(options.routing.length + 1);
    this.#turns = new StageTurns({
      ...options,
      domain: this.#domain,
      processing: () => this.#processing,
      reached: (mark) => this.#actors.reached(mark),
      passed: () => this.resume(),
    });
    this.#actors = new StageActors(options.routing.length, (actor) => this.#turns.line(actor));
    for (const [group, worker] of options.routing.entries()) {
      if (worker === options.worker) this.#openActor(group);
    }
    this.#broadcast = this.#operator.broadcast === undefined ? undefined : this.#openBroadcast();
    this.#stopProbing = this.#outputs.generators.watch(this.#domain, () => this.#turns.waiting > 0);
    this.#processing = new ProcessingTime(
      options.clock,
      this.#actors,
      (actor) => this.#turns.line(actor),
    );
  }

  /** Rows handled so far. */
  get rows(): number {
    return this.#turns.rows;
  }

  /** Rows in mailboxes. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /** Event-time clock. */
  get watermark(): number {
    return this.#inputs.watermark;
  }

  /** Whether everything has been handled and handed on: no barrier comes any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Keys with state or timers. */
  get keys(): number {
    return this.state.kept;
  }

  /** Actors go on after back-pressure. */
  resume(): void {
    for (const actor of this.#actors) this.#turns.line(actor);
  }

  /** A channel brings something. */
  take(channel: InboundChannel, message: StageMessage): void {
    this.#inputs.take(channel, message);
  }

  /** The supervisor has said that an epoch begins: its barrier comes over the channels, or has come already. */
  announced(epoch: number): void {
    this.#inputs.announced(epoch);
  }

  /** What its actors have done so far, and what they have before them. Of keys, what came before counts half from now on. */
  takeLoad(): StageLoad {
    const hotKeys = this.#turns.times.takeHotKeys();
    return stageLoad(this.#actors, hotKeys, this.state, this.#clock.monotonic());
  }

  /** Whether an actor waits for room behind. */
  get isBlocked(): boolean {
    return this.#turns.waiting > 0 && this.#outputs.valve.blocked;
  }

  /** Says what differs from the checkpoint, as with an input that is new, and what was held up when it was taken. */
  announce(): void {
    this.#inputs.announce();
    if (this.#outputs.holdsMarks) {
      for (const event of this.#inputs.told) this.#outputs.watermark(this.#domain, event);
      this.#outputs.sayAgain(this.#domain);
    }
  }

  /** What the stage is now: its part of a checkpoint, but for its keys. */
  snapshot(): StageSnapshot {
    return {
      name: this.name,
      keys: this.keys,
      inputs: this.#inputs.times,
      watermark: this.watermark,
      completed: [...this.#completed],
      ...this.#outputs.snapshot(),
      broadcast: this.#operator.broadcastState?.snapshot(),
    };
  }

  /** Hands over its part of an epoch, after its end: no barrier comes for that. */
  handOver(epoch: EpochSnapshot): void {
    epoch.stage(this.snapshot(), this.state, 0);
  }

  /** A worker joins, and the stage has ended: no barrier comes, and the worker is told. */
  joinEnded(of: Joining): void {
    of.stage(this.snapshot());
    for (const channels of this.#outputs.channels) channels.join(of.worker);
  }

  /** A worker takes part no more; all that it has sent is here. */
  left(worker: number): void {
    for (const channels of this.#outputs.channels) channels.left(worker);
    this.#inputs.left(this.#inputsOf(worker));
  }

  /** Key groups leave at a barrier; which of them have completed. */
  leave(groups: readonly number[]): number[] {
    for (const group of groups) {
      this.state.elsewhere.add(group);
      const actor = this.#actors.at(group);
      if (actor === undefined) continue;
      this.#operator.leave?.(actor);
      this.#actors.remove(actor);
    }
    return groups.filter((group) => this.#completed.has(group));
  }

  /** Key groups come at a barrier: what is behind it waits for them. */
  await(groups: readonly number[]): void {
    for (const group of groups) this.#openActor(group).awaited = true;
    this.#awaited += groups.length;
    if (this.#broadcast !== undefined) this.#broadcast.awaited = true;
  }

  /** They have come, with all their keys. */
  arrive(groups: readonly number[], completed: readonly number[]): void {
    this.#completed = new Set([...this.#completed, ...completed]);
    this.#awaited -= groups.length;
    for (const group of groups) {
      this.state.elsewhere.delete(group);
      this.state.changed.takeBaseNext(group);
      this.#resume(this.#actors.at(group));
    }
    if (this.#awaited === 0) this.#resume(this.#broadcast);
  }

  /** Whether what it puts out may wait behind calls. */
  get holdsCalls(): boolean {
    return this.#outputs.holdsMarks;
  }

  /** Calls `then` when all that has been put out so far is written, or with the next stages. */
  settle(then: () => void): void {
    this.#outputs.settle(then);
  }

  #resume(actor: PartitionActor | undefined): void {
    if (actor === undefined) return;
    actor.awaited = false;
    this.#processing.watch(actor);
    this.#turns.line(actor);
  }

  /**
   * Rows came over a channel: one look-up of their keys, and one counting sort of row numbers by key group; no row is
   * copied.
   */
  #deal(rows: Rows, input: number, channel: InboundChannel): void {
    const { length } = rows;
    const broadcast = this.#broadcast;
    if (broadcast !== undefined && input === this.#inputs.count - 1) {
      this.#turns.waiting += length;
      broadcast.accept(rows, input, channel);
      return this.#turns.line(broadcast);
    }
    const slots = new Uint32Array(length);
    rows.slotsIn(this.state.keys, slots);
    this.state.enter(slots);
    const order = orderByGroup(rows, this.#counts);
    const counts = this.#counts;
    const at = this.#clock.monotonic();
    const batch: ReceivedBatch = { rows, slots, order, input, channel, at, left: length };
    this.#turns.waiting += length;
    let from = 0;
    for (let group = 0; from < length; group++) {
      const end = counts[group] ?? length;
      if (end > from) {
        const actor = this.#actors.at(group);
        if (actor === undefined) {
          throw new Error(`Cannot take rows of key group ${group}: it is not on this worker`);
        }
        actor.push({ kind: "rows", batch, next: from, end });
        actor.waiting += end - from;
        this.#turns.line(actor);
      }
      from = end;
    }
  }

  #openActor(group: number): PartitionActor {
    const chain = this.#outputs.chain(this.#domain, group, endOrigin(this.name, "group", group));
    const timers = this.state.timersOf(group);
    const actor: PartitionActor = new PartitionActor(
      group,
      () => this.#turns.turn(actor, chain),
      timers,
    );
    actor.watermark = this.watermark;
    this.#actors.add(actor, chain, group);
    return actor;
  }

  #openBroadcast(): BroadcastActor {
    const chain = this.#outputs.chain(this.#domain, BROADCAST_OWNER);
    const actor = new BroadcastActor((actor) => this.#turns.turn(actor, chain));
    this.#actors.add(actor, chain, undefined);
    return actor;
  }

  close(): void {
    this.#stopProbing();
    this.#processing.close();
    this.#operator.close();
    for (const [, chain] of this.#actors.chains) chain.close();
    this.#outputs.close();
    this.state.close();
  }

  /** Every actor has handled what came before the barrier, and nothing behind it. */
  #pass(epoch: number, alignMs: number): void {
    const of = this.#epochOf(epoch);
    if (of instanceof HandOver) {
      this.#outputs.barrier(epoch, { kind: "hand over", moves: of.moves });
      of.stage(this);
    } else if (of instanceof Joining) {
      of.stage(this.snapshot());
      this.#outputs.barrier(epoch, { kind: "join", worker: of.worker });
      this.#inputs.join(this.#inputsOf(of.worker));
    } else {
      of.stage(this.snapshot(), this.state, alignMs);
      this.#outputs.barrier(epoch, { kind: "snapshot" });
    }
    this.#inputs.release();
  }

  #end(final: boolean): void {
    this.#stopProbing();
    this.#processing.close();
    if (final) {
      for (const [actor, chain] of this.#actors.chains) {
        if (this.#completed.has(actor.group)) continue;
        this.#cursor.leave(-Infinity, endOrigin(this.name, "group", actor.group));
        this.#cursor.salt = this.#salt;
        this.#operator.complete(actor, chain);
      }
      this.#completed = new Set([...this.#actors].map(({ group }) => group));
    }
    this.#outputs.end(final, () => {
      this.#over = true;
      this.#ended();
    });
  }
}
