/**
 * What a keyed stage's actors do in their turns on one worker: rows from their mailboxes, timers that are due, and marks.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import { BroadcastActor } from "./broadcast_actor.ts";
import type { KeyedOperator } from "./keyed_operator.ts";
import { saltOf } from "./output_id.ts";
import type { MailboxEntry, PartitionActor, StageMark } from "./partition_actor.ts";
import type { ProcessingTime } from "./processing_time.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_chain.ts";
import type { StageOutputs } from "./stage_outputs.ts";
import { TimerFiring } from "./timer_firing.ts";
import type { TurnQueue } from "./turn_queue.ts";
import { TurnTimes } from "./turn_times.ts";

/** What turns work with. */
export interface StageTurnsOptions {
  readonly name: string;
  /** Whose watermark the stage's generators make. */
  readonly domain: string;
  readonly inputs: readonly unknown[];
  readonly queue: TurnQueue;
  readonly clock: Clock;
  readonly cursor: RecordCursor;
  readonly state: KeyedState;
  readonly operator: KeyedOperator;
  readonly outputs: StageOutputs;
  /** Knows when timers of processing time are due. */
  readonly processing: () => ProcessingTime;
  /** An actor has come to a mark. */
  readonly reached: (mark: StageMark) => void;
  /** All broadcast records before a mark have been handled: other actors go on. */
  readonly passed: () => void;
}

/** The turns of a stage. */
export class StageTurns {
  /** Rows handled so far. */
  rows = 0;
  /** Rows in mailboxes. */
  waiting = 0;
  /** How long turns take, and for which keys. */
  readonly times: TurnTimes;
  readonly #domain: string;
  /** Make the numbers of outputs, by input. */
  readonly #salts: readonly number[];
  readonly #queue: TurnQueue;
  readonly #cursor: RecordCursor;
  readonly #state: KeyedState;
  readonly #operator: KeyedOperator;
  readonly #outputs: StageOutputs;
  readonly #firing: TimerFiring;
  readonly #processing: () => ProcessingTime;
  readonly #reached: (mark: StageMark) => void;
  readonly #passed: () => void;

  constructor(options: StageTurnsOptions) {
    this.times = new TurnTimes(options.clock, (slot) => options.state.readKey(slot));
    this.#domain = options.domain;
    this.#salts = options.inputs.map((_, input) => saltOf(`${options.name}/${input}`));
    this.#queue = options.queue;
    this.#cursor = options.cursor;
    this.#state = options.state;
    this.#operator = options.operator;
    this.#outputs = options.outputs;
    this.#firing = new TimerFiring(options);
    this.#processing = options.processing;
    this.#reached = options.reached;
    this.#passed = options.passed;
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

  /** The actor has something to do: it gets in line. */
  line(actor: PartitionActor): void {
    if (actor.inLine || !actor.isBusy || this.#outputs.valve.blocked) return;
    actor.inLine = true;
    this.#queue.add(actor.taker);
  }

  /** Its turn; how many rows and timers were handled. */
  turn(actor: PartitionActor, chain: Chain): number {
    const begun = this.times.begin(actor);
    const handled = this.#take(actor, chain);
    this.times.end(actor, handled, begun);
    return handled;
  }

  #take(actor: PartitionActor, chain: Chain): number {
    actor.inLine = false;
    const { valve } = this.#outputs;
    const most = this.#queue.turnRows;
    let left = most;
    left -= this.#firing.fire(actor, "processing", actor.processingTime, left, chain);
    for (
      let entry = actor.next;
      entry !== undefined && left > 0 && !valve.blocked;
      entry = actor.next
    ) {
      if (entry.kind === "rows") {
        left -= actor instanceof BroadcastActor
          ? this.#handleBroadcast(actor, entry, left, chain)
          : this.#handleRows(actor, entry, left, chain);
      } else left -= this.#handleMark(actor, entry.mark, left, chain);
    }
    this.#outputs.generators.advance(this.#domain);
    this.#processing().watch(actor);
    this.line(actor);
    actor.handled += most - left;
    return most - left;
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
    actor.waiting -= handled;
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
    if (mark.broadcast === "unhandled") {
      mark.broadcast = "handled";
      this.#passed();
      if (mark.waiting > 1) return 1;
    }
    if (watermark !== undefined) {
      actor.watermark = watermark;
      fired = this.#firing.fire(actor, "event", watermark, most, chain);
      if (fired === most || this.#outputs.valve.blocked) return fired + 1;
    }
    actor.shift();
    this.#reached(mark);
    return fired + 1;
  }
}
