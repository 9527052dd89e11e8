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
import { TURN_ROWS_MAX } from "../limits.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import type { Rows } from "../transport/rows.ts";
import { BROADCAST_OWNER, BroadcastActor } from "./broadcast_actor.ts";
import type { InboundChannel } from "./channel.ts";
import type { EpochSnapshot } from "./epoch_snapshot.ts";
import type { KeyedOperator } from "./keyed_operator.ts";
import { endOrigin, saltOf } from "./output_id.ts";
import {
  type MailboxEntry,
  PartitionActor,
  type ReceivedBatch,
  type StageMark,
} from "./partition_actor.ts";
import { ProcessingTime } from "./processing_time.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { orderByGroup } from "./row_order.ts";
import { originOf, type StageInput, StageInputs, type StageMessage } from "./stage_inputs.ts";
import type { Chain } from "./stage_chain.ts";
import type { StageOutputs } from "./stage_outputs.ts";
import { TimerFiring } from "./timer_firing.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** A keyed stage on one worker. */
export class KeyedStage {
  readonly name: string;
  /** Rows handled so far. */
  rows = 0;
  /** Rows in mailboxes. */
  waiting = 0;
  readonly #domain: string;
  /** Makes the numbers of outputs: of timers and ends, and by input. */
  readonly #salt: number;
  readonly #salts: readonly number[];
  readonly #queue: TurnQueue;
  readonly #clock: Clock;
  readonly #cursor: RecordCursor;
  readonly #state: KeyedState;
  readonly #operator: KeyedOperator;
  readonly #outputs: StageOutputs;
  readonly #snapshotOf: (epoch: number) => EpochSnapshot;
  readonly #ended: () => void;
  readonly #inputs: StageInputs;
  /** By key group; those of other workers are not there. */
  readonly #actors: (PartitionActor | undefined)[];
  readonly #chains = new Map<PartitionActor, Chain>();
  /** Takes the rows of the last input, if that is a broadcast. */
  readonly #broadcast: BroadcastActor | undefined;
  readonly #marks: StageMark[] = [];
  readonly #counts: Int32Array;
  readonly #stopProbing: () => void;
  readonly #firing: TimerFiring;
  readonly #processing: ProcessingTime;
  #over = false;
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
    /** Where its part of an epoch's snapshot goes. */
    snapshotOf: (epoch: number) => EpochSnapshot;
    /** Called once, when everything has been handled and handed on. */
    ended: () => void;
  }) {
    this.name = options.name;
    this.#domain = originOf(options.name, options.worker);
    this.#salt = saltOf(options.name);
    this.#salts = options.inputs.map((_, input) => saltOf(`${options.name}/${input}`));
    this.#queue = options.queue;
    this.#clock = options.clock;
    this.#cursor = options.cursor;
    this.#state = options.state;
    this.#operator = options.operator;
    this.#outputs = options.outputs;
    this.#snapshotOf = options.snapshotOf;
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
          this.#mark(at, () => {
            const { generators } = this.#outputs;
            if (at === Infinity) generators.finish(this.#domain);
            else if (at !== undefined) generators.advance(this.#domain);
            this.#outputs.watermark(this.#domain, event);
          });
        },
        barrier: (epoch, alignMs) => this.#mark(undefined, () => this.#pass(epoch, alignMs)),
        ended: (final) => this.#mark(undefined, () => this.#end(final)),
      },
    });
    this.#counts = new Int32Array(options.routing.length + 1);
    this.#actors = options.routing.map((worker, group) => {
      if (worker !== options.worker) return undefined;
      const chain = this.#outputs.chain(
        this.#domain,
        group,
        endOrigin(options.name, "group", group),
      );
      const actor: PartitionActor = new PartitionActor(
        group,
        () => this.#turn(actor, chain),
        this.#state.timersOf(group),
      );
      actor.watermark = watermark;
      this.#chains.set(actor, chain);
      return actor;
    });
    this.#broadcast = this.#operator.broadcast === undefined ? undefined : this.#openBroadcast();
    this.#stopProbing = this.#outputs.generators.watch(this.#domain, () => this.waiting > 0);
    this.#firing = new TimerFiring(options);
    const actors = [...this.#chains.keys()];
    this.#processing = new ProcessingTime(options.clock, actors, (actor) => this.#line(actor));
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
    return this.#state.kept;
  }

  /** Actors go on after back-pressure. */
  resume(): void {
    for (const actor of this.#chains.keys()) this.#line(actor);
  }

  /** A channel brings something. */
  take(channel: InboundChannel, message: StageMessage): void {
    this.#inputs.take(channel, message);
  }

  /** The supervisor has said that an epoch begins: its barrier comes over the channels, or has come already. */
  announced(epoch: number): void {
    this.#inputs.announced(epoch);
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
    epoch.stage(this.snapshot(), this.#state, 0);
  }

  /**
   * Rows came over a channel: one look-up of their keys, and one counting sort of row numbers by key group; no row is
   * copied.
   */
  #deal(rows: Rows, input: number, channel: InboundChannel): void {
    const { length } = rows;
    const broadcast = this.#broadcast;
    if (broadcast !== undefined && input === this.#inputs.count - 1) {
      this.waiting += length;
      broadcast.accept(rows, input, channel);
      return this.#line(broadcast);
    }
    const slots = new Uint32Array(length);
    rows.slotsIn(this.#state.keys, slots);
    this.#state.enter(slots);
    const order = orderByGroup(rows, this.#counts);
    const counts = this.#counts;
    const batch: ReceivedBatch = { rows, slots, order, input, channel, left: length };
    this.waiting += length;
    let from = 0;
    for (let group = 0; from < length; group++) {
      const end = counts[group] ?? length;
      if (end > from) {
        const actor = this.#actors[group];
        if (actor === undefined) {
          throw new Error(`Cannot take rows of key group ${group}: it is not on this worker`);
        }
        actor.push({ kind: "rows", batch, next: from, end });
        this.#line(actor);
      }
      from = end;
    }
  }

  #openBroadcast(): BroadcastActor {
    const chain = this.#outputs.chain(this.#domain, BROADCAST_OWNER);
    const actor = new BroadcastActor((actor) => this.#turn(actor, chain));
    this.#chains.set(actor, chain);
    return actor;
  }

  #handleBroadcast(
    actor: BroadcastActor,
    entry: Extract<MailboxEntry, { kind: "rows" }>,
    most: number,
    chain: Chain,
  ): number {
    const [operator, cursor, outputs] = [this.#operator, this.#cursor, this.#outputs];
    const salt = this.#salts[entry.batch.input] ?? 0;
    const handled = actor.handleRows(entry, most, { operator, cursor, outputs, chain, salt });
    this.rows += handled;
    this.waiting -= handled;
    return handled;
  }

  close(): void {
    this.#stopProbing();
    this.#processing.close();
    this.#operator.close();
    for (const chain of this.#chains.values()) chain.close();
    this.#outputs.close();
    this.#state.close();
  }

  /** Every actor has handled what came before the barrier, and nothing behind it. */
  #pass(epoch: number, alignMs: number): void {
    this.#snapshotOf(epoch).stage(this.snapshot(), this.#state, alignMs);
    this.#outputs.barrier(epoch);
    this.#inputs.release();
  }

  #end(final: boolean): void {
    this.#stopProbing();
    this.#processing.close();
    if (final) {
      for (const [actor, chain] of this.#chains) {
        if (this.#completed.has(actor.group)) continue;
        this.#cursor.leave(-Infinity, endOrigin(this.name, "group", actor.group));
        this.#cursor.salt = this.#salt;
        this.#operator.complete(actor, chain);
      }
      this.#completed = new Set([...this.#chains.keys()].map(({ group }) => group));
    }
    this.#outputs.end(final, () => {
      this.#over = true;
      this.#ended();
    });
  }

  /** Calls `pass` when every actor has handled what came before, and its timers up to `watermark` if that moves. */
  #mark(watermark: number | undefined, pass: () => void): void {
    const mark: StageMark = { watermark, waiting: 0, pass };
    for (const actor of this.#chains.keys()) {
      const hasTimers = watermark !== undefined && actor.timers.nextAt <= watermark;
      if (actor.first === undefined && !hasTimers) {
        actor.watermark = watermark ?? actor.watermark;
      } else {
        mark.waiting++;
        actor.push({ kind: "mark", mark });
        this.#line(actor);
      }
    }
    this.#marks.push(mark);
    this.#passMarks();
  }

  #passMarks(): void {
    while (this.#marks[0]?.waiting === 0) this.#marks.shift()?.pass();
  }

  #line(actor: PartitionActor): void {
    if (actor.inLine || !actor.isBusy || this.#outputs.valve.blocked) return;
    actor.inLine = true;
    this.#queue.add(actor.taker);
  }

  #turn(actor: PartitionActor, chain: Chain): number {
    actor.inLine = false;
    const { valve } = this.#outputs;
    let left = TURN_ROWS_MAX;
    left -= this.#firing.fire(actor, "processing", actor.processingTime, left, chain);
    for (
      let entry = actor.first;
      entry !== undefined && left > 0 && !valve.blocked;
      entry = actor.first
    ) {
      if (entry.kind === "rows") {
        left -= actor instanceof BroadcastActor
          ? this.#handleBroadcast(actor, entry, left, chain)
          : this.#handleRows(actor, entry, left, chain);
      } else left -= this.#handleMark(actor, entry.mark, left, chain);
    }
    this.#outputs.generators.advance(this.#domain);
    this.#processing.watch(actor);
    this.#line(actor);
    return TURN_ROWS_MAX - left;
  }

  #handleRows(
    actor: PartitionActor,
    entry: Extract<MailboxEntry, { kind: "rows" }>,
    most: number,
    chain: Chain,
  ): number {
    const { batch } = entry;
    const { rows, slots, order, input } = batch;
    const { valve } = this.#outputs;
    const state = this.#state;
    const cursor = this.#cursor;
    const end = Math.min(entry.end, entry.next + most);
    const from = entry.next;
    cursor.bytes = rows.bytes / rows.length;
    cursor.keys = state;
    cursor.salt = this.#salts[input] ?? 0;
    state.touch(slots, order, from, end);
    let at = from;
    while (at < end && !valve.blocked) {
      const row = order[at++] ?? 0;
      const slot = slots[row] ?? 0;
      cursor.slot = slot;
      cursor.timestamp = rows.timestampAt(row);
      cursor.origin = rows.originAt(row);
      cursor.row = rows.originRowAt(row);
      cursor.sub = rows.subAt(row);
      cursor.left = 0;
      this.#operator.row(actor, input, slot, rows.valueAt(row, state, slot), chain);
      state.leave(slot);
    }
    entry.next = at;
    const handled = at - from;
    this.rows += handled;
    this.waiting -= handled;
    if (at === entry.end) actor.shift();
    batch.left -= handled;
    // Credit goes back for whole batches: their rows are kept alive together anyway.
    if (batch.left === 0) {
      batch.channel.handled(rows.length, rows.bytes);
      rows.free();
    }
    return handled;
  }

  /** Fires timers up to the mark; if they are too many for a turn, the mark stays first. */
  #handleMark(actor: PartitionActor, mark: StageMark, most: number, chain: Chain): number {
    const { watermark } = mark;
    let fired = 0;
    if (watermark !== undefined) {
      actor.watermark = watermark;
      fired = this.#firing.fire(actor, "event", watermark, most, chain);
      if (fired === most || this.#outputs.valve.blocked) return fired + 1;
    }
    actor.shift();
    mark.waiting--;
    if (mark.waiting === 0) this.#passMarks();
    return fired + 1;
  }
}
