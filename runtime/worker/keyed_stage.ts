/**
 * A keyed stage's part on one worker: takes batches and watermarks from its channels, deals them out to its partition
 * actors' mailboxes, and sends watermarks on when every actor has come to them.
 *
 * Watermark order (Flink's): the clock moves, timers that are due fire, and only then the watermark goes on. An actor
 * with nothing to do before a watermark takes it without a turn.
 *
 * @module
 */

import { TURN_ROWS_MAX } from "../limits.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import { InputWatermark, OperatorWatermark, type WatermarkEvent } from "../time/watermark.ts";
import type { Rows } from "../transport/rows.ts";
import { InboundChannel } from "./channel.ts";
import type { KeyedOperator } from "./keyed_operator.ts";
import {
  type MailboxEntry,
  PartitionActor,
  type ReceivedBatch,
  type StageMark,
} from "./partition_actor.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain, StageOutputs } from "./stage_outputs.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** What an input of the stage is made of. */
export interface StageInput {
  /** Channels that will say that they have ended: one for each of its edges and workers. */
  readonly channels: number;
  /** Origins of watermarks that are waited for from the start. */
  readonly origins: readonly string[];
}

/** A keyed stage on one worker. */
export class KeyedStage {
  readonly name: string;
  /** Rows handled so far. */
  rows = 0;
  /** Rows in mailboxes. */
  waiting = 0;
  readonly #domain: string;
  readonly #queue: TurnQueue;
  readonly #cursor: RecordCursor;
  readonly #state: KeyedState;
  readonly #operator: KeyedOperator;
  readonly #outputs: StageOutputs;
  readonly #ended: () => void;
  /** By key group; those of other workers are not there. */
  readonly #actors: (PartitionActor | undefined)[];
  readonly #chains = new Map<PartitionActor, Chain>();
  readonly #inputs: InputWatermark[];
  readonly #clock: OperatorWatermark;
  readonly #channelsLeft: number[];
  readonly #inputFinal: boolean[];
  readonly #marks: StageMark[] = [];
  readonly #counts: Int32Array;
  readonly #stopProbing: () => void;
  #idle = false;

  constructor(options: {
    name: string;
    worker: number;
    /** The worker of each key group. */
    routing: readonly number[];
    inputs: readonly StageInput[];
    queue: TurnQueue;
    cursor: RecordCursor;
    state: KeyedState;
    operator: KeyedOperator;
    outputs: StageOutputs;
    /** Called once, when everything has been handled and handed on. */
    ended: () => void;
  }) {
    this.name = options.name;
    this.#domain = originOf(options.name, options.worker);
    this.#queue = options.queue;
    this.#cursor = options.cursor;
    this.#state = options.state;
    this.#operator = options.operator;
    this.#outputs = options.outputs;
    this.#ended = options.ended;
    this.#inputs = options.inputs.map((input) => new InputWatermark(input.origins));
    this.#clock = new OperatorWatermark(this.#inputs);
    this.#channelsLeft = options.inputs.map((input) => input.channels);
    this.#inputFinal = options.inputs.map(() => true);
    this.#counts = new Int32Array(options.routing.length + 1);
    this.#actors = options.routing.map((worker, group) => {
      if (worker !== options.worker) return undefined;
      const chain = this.#outputs.chain(this.#domain);
      const actor: PartitionActor = new PartitionActor(group, () => this.#turn(actor, chain));
      this.#chains.set(actor, chain);
      return actor;
    });
    this.#stopProbing = this.#outputs.probeIdleness(this.#domain, () => this.waiting > 0);
  }

  /** Event-time clock. */
  get watermark(): number {
    return this.#clock.at;
  }

  /** Keys with state. */
  get keys(): number {
    return this.#state.kept;
  }

  /** Actors go on after back-pressure. */
  resume(): void {
    for (const actor of this.#chains.keys()) this.#line(actor);
  }

  /**
   * Rows came over a channel: one look-up of their keys, and one counting sort of row numbers by key group; no row is
   * copied.
   */
  accept(rows: Rows, input: number, channel: InboundChannel): void {
    const { length } = rows;
    const slots = new Uint32Array(length);
    rows.slotsIn(this.#state.keys, slots);
    this.#state.enter(slots);
    const order = this.#orderByGroup(rows);
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

  /** Row numbers by key group; leaves in `#counts` where each group's end. */
  #orderByGroup({ groups, length }: Rows): Uint32Array {
    const ends = this.#counts.fill(0);
    for (let row = 0; row < length; row++) add(ends, (groups[row] ?? 0) + 1, 1);
    for (let group = 1; group < ends.length; group++) add(ends, group, ends[group - 1] ?? 0);
    const order = new Uint32Array(length);
    for (let row = 0; row < length; row++) {
      const group = groups[row] ?? 0;
      order[ends[group] ?? 0] = row;
      add(ends, group, 1);
    }
    return order;
  }

  /** A watermark, or idleness, came over a channel. */
  acceptWatermark(input: number, origin: string, event: WatermarkEvent): void {
    this.#inputs[input]?.apply(origin, event);
    this.#clockMayMove();
  }

  /** A channel has ended. */
  acceptEnd(input: number, final: boolean): void {
    if (!final) this.#inputFinal[input] = false;
    const left = this.#channelsLeft[input] = (this.#channelsLeft[input] ?? 0) - 1;
    if (left === 0 && this.#inputFinal[input]) {
      this.#inputs[input]?.finish();
      this.#clockMayMove();
    }
    if (this.#channelsLeft.every((channels) => channels === 0)) {
      const everythingFinal = this.#inputFinal.every((isFinal) => isFinal);
      this.#mark(this.#clock.at, () => this.#end(everythingFinal));
    }
  }

  close(): void {
    this.#stopProbing();
    this.#operator.close();
    for (const chain of this.#chains.values()) chain.close();
    this.#outputs.close();
    this.#state.close();
  }

  #end(final: boolean): void {
    this.#stopProbing();
    if (final) {
      for (const [actor, chain] of this.#chains) {
        this.#cursor.leave();
        this.#operator.complete(actor, chain);
      }
    }
    this.#outputs.end(final, this.#ended);
  }

  #clockMayMove(): void {
    const moved = this.#clock.update();
    const { at, idle } = this.#clock;
    if (moved) {
      this.#mark(at, () => {
        this.#outputs.advance(this.#domain);
        this.#outputs.watermark(this.#domain, { kind: "advance", at });
      });
    } else if (this.#idle && !idle) {
      // Stages behind must wait for this one again, though it has nothing new to promise yet.
      this.#mark(at, () => this.#outputs.watermark(this.#domain, { kind: "active" }));
    }
    if (idle && !this.#idle) {
      this.#mark(at, () => this.#outputs.watermark(this.#domain, { kind: "idle" }));
    }
    this.#idle = idle;
  }

  /** Calls `pass` when every actor has handled what came before, and its timers up to `watermark`. */
  #mark(watermark: number, pass: () => void): void {
    const mark: StageMark = { watermark, waiting: 0, pass };
    for (const actor of this.#chains.keys()) {
      if (actor.first === undefined && actor.timers.nextAt > watermark) actor.watermark = watermark;
      else {
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
    if (actor.inLine || actor.first === undefined || this.#outputs.valve.blocked) return;
    actor.inLine = true;
    this.#queue.add(actor.taker);
  }

  #turn(actor: PartitionActor, chain: Chain): number {
    actor.inLine = false;
    const { valve } = this.#outputs;
    let left = TURN_ROWS_MAX;
    for (
      let entry = actor.first;
      entry !== undefined && left > 0 && !valve.blocked;
      entry = actor.first
    ) {
      if (entry.kind === "rows") left -= this.#handleRows(actor, entry, left, chain);
      else left -= this.#handleMark(actor, entry.mark, left, chain);
    }
    this.#outputs.advance(this.#domain);
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
    state.touch(slots, order, from, end);
    let at = from;
    while (at < end && !valve.blocked) {
      const row = order[at++] ?? 0;
      const slot = slots[row] ?? 0;
      cursor.slot = slot;
      cursor.timestamp = rows.timestampAt(row);
      cursor.origin = rows.originAt(row);
      cursor.row = rows.originRowAt(row);
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
    const { valve } = this.#outputs;
    actor.watermark = mark.watermark;
    let fired = 0;
    while (fired < most && !valve.blocked) {
      const timer = actor.timers.takeDue(mark.watermark);
      if (timer === undefined) {
        actor.shift();
        mark.waiting--;
        if (mark.waiting === 0) this.#passMarks();
        break;
      }
      fired++;
      const slot = this.#state.enterKey(timer.key, actor.group);
      this.#cursor.leave(timer.at);
      this.#cursor.keys = this.#state;
      this.#cursor.slot = slot;
      this.#operator.timer(actor, timer, slot, chain);
      this.#state.leave(slot);
    }
    return fired + 1;
  }
}

function add(counts: Int32Array, at: number, amount: number): void {
  counts[at] = (counts[at] ?? 0) + amount;
}

/** The name under which a worker's part of a stage sends watermarks. */
export function originOf(stage: string, worker: number): string {
  return `${stage}@${worker}`;
}
