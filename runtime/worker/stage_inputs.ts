/**
 * What comes in to a keyed stage on one worker: rows, watermarks, barriers and ends of all its channels, brought into
 * the order in which the stage's actors are to see them.
 *
 * @module
 */

import { type GateOrigins, type GateTime, GateWatermark } from "../time/gate_watermark.ts";
import { OperatorWatermark, type WatermarkEvent } from "../time/watermark.ts";
import type { Rows } from "../transport/rows.ts";
import { Alignment } from "./alignment.ts";
import type { InboundChannel } from "./channel.ts";

/** What a channel brings. */
export type StageMessage =
  | { readonly kind: "rows"; readonly input: number; readonly rows: Rows }
  | {
    readonly kind: "watermark";
    readonly input: number;
    readonly origin: string;
    readonly event: WatermarkEvent;
  }
  | { readonly kind: "barrier"; readonly epoch: number }
  /** Nothing more comes. `final`: because the input is over, not because the job stops. */
  | { readonly kind: "end"; readonly input: number; readonly final: boolean }
  /** Nothing more comes, as the worker at its other end takes part no more. */
  | { readonly kind: "left"; readonly input: number; readonly leaving: Leaving };

/** What a worker that takes part no more has sent over one input. */
interface Leaving {
  /** Channels over which there may still be something that waits behind a barrier. */
  readonly channels: Set<InboundChannel>;
  /** Nobody waits for them once all channels are done. */
  readonly origins: readonly string[];
}

/** What an input of the stage is made of. */
export interface StageInput {
  /** One for each of its edges and workers. */
  readonly channels: readonly InboundChannel[];
  /** Origins of watermarks that are waited for from the start. */
  readonly origins: GateOrigins;
  /** Its watermark at the checkpoint that the job starts from. */
  readonly restored: GateTime | undefined;
}

/** What a worker sends over one input of the stage. */
export interface InputOfWorker {
  readonly channels: readonly InboundChannel[];
  /** Under which names its parts of upstream stages speak, each with those of the parts that were there before. */
  readonly origins: readonly { readonly name: string; readonly siblings: readonly string[] }[];
}

/** What the stage does with it. */
export interface StageListener {
  rows(rows: Rows, input: number, channel: InboundChannel): void;
  /** The stage's event time has something to say, behind all rows so far. */
  time(event: Extract<WatermarkEvent, { kind: "advance" | "idle" | "active" }>): void;
  /** The barrier has come over all channels. Nothing more comes before `release`. */
  barrier(epoch: number, alignMs: number): void;
  /** All channels have ended. */
  ended(final: boolean): void;
}

/** Where a message waits behind a barrier. */
interface Held {
  readonly channel: InboundChannel;
  readonly message: StageMessage;
}

/** The inputs of a keyed stage. */
export class StageInputs {
  readonly #listener: StageListener;
  readonly #now: () => number;
  readonly #inputs: readonly GateWatermark[];
  readonly #clock: OperatorWatermark;
  readonly #alignment: Alignment<InboundChannel, Held>;
  /** Of each input, those that have not ended. */
  readonly #channels: readonly Set<InboundChannel>[];
  readonly #inputFinal: boolean[];
  #idle: boolean;
  #isOver = false;

  /**
   * @param watermark the stage's clock at the checkpoint that the job starts from
   * @param now for the time that alignment takes, ms
   */
  constructor(options: {
    readonly inputs: readonly StageInput[];
    readonly watermark: number;
    readonly now: () => number;
    readonly listener: StageListener;
  }) {
    const { inputs, watermark, now, listener } = options;
    this.#listener = listener;
    this.#now = now;
    this.#inputs = inputs.map(({ origins, restored }) => new GateWatermark(origins, restored));
    this.#clock = new OperatorWatermark(this.#inputs, watermark);
    // What stages behind were told.
    this.#idle = inputs.length > 0 && inputs.every(({ restored }) => restored?.channels.idle);
    this.#alignment = new Alignment(inputs.flatMap(({ channels }) => channels));
    this.#channels = inputs.map(({ channels }) => new Set(channels));
    this.#inputFinal = inputs.map(() => true);
  }

  /** How many inputs there are. */
  get count(): number {
    return this.#inputs.length;
  }

  /** The stage's event-time clock. */
  get watermark(): number {
    return this.#clock.at;
  }

  /** What the stage's event time has said, for those who may not have heard it. */
  get told(): readonly WatermarkEvent[] {
    const { at } = this.#clock;
    const words: WatermarkEvent[] = [{ kind: "active" }];
    if (at > -Infinity) words.push({ kind: "advance", at });
    if (this.#idle) words.push({ kind: "idle" });
    return words;
  }

  /** The inputs' watermarks, for a checkpoint. */
  get times(): readonly GateTime[] {
    return this.#inputs.map((input) => input.snapshot());
  }

  /** Says what differs from the checkpoint that the job starts from. */
  announce(): void {
    this.#clockMayMove();
  }

  /** A channel brings something: it goes on, or waits behind the channel's barrier. */
  take(channel: InboundChannel, message: StageMessage): void {
    if (this.#alignment.take(channel, { channel, message }) === "held") return;
    switch (message.kind) {
      case "rows":
        return this.#listener.rows(message.rows, message.input, channel);
      case "watermark":
        this.#inputs[message.input]?.apply(message.origin, message.event);
        return this.#clockMayMove();
      case "barrier":
        if (this.#alignment.barrier(channel, message.epoch, this.#now())) this.#reached();
        return;
      case "end":
        if (!message.final) this.#inputFinal[message.input] = false;
        return this.#end(channel, message.input);
      case "left":
        return this.#leave(channel, message);
    }
  }

  /** The supervisor has said that an epoch begins. */
  announced(epoch: number): void {
    if (this.#alignment.announced(epoch)) this.#reached();
  }

  /** Another worker takes part from this barrier on: it is waited for from the next one on. */
  join(inputs: readonly InputOfWorker[]): void {
    for (const [input, { channels, origins }] of inputs.entries()) {
      for (const channel of channels) {
        this.#channels[input]?.add(channel);
        this.#alignment.join(channel);
      }
      for (const { name, siblings } of origins) this.#inputs[input]?.joinPart(name, siblings);
    }
  }

  /** A worker takes part no more, and all that it has sent is here: nobody waits for it. */
  left(inputs: readonly InputOfWorker[]): void {
    for (const [input, { channels, origins }] of inputs.entries()) {
      const names = origins.map(({ name }) => name);
      const leaving = { channels: new Set(channels), origins: names };
      // Behind what a barrier holds: an epoch that was given up may still be under way.
      for (const channel of channels) this.take(channel, { kind: "left", input, leaving });
    }
  }

  /** The stage has taken its snapshot: what waited goes on. */
  release(): void {
    for (const { channel, message } of this.#alignment.release()) this.take(channel, message);
  }

  #reached(): void {
    const { state } = this.#alignment;
    if (state.kind === "reached") {
      this.#listener.barrier(state.epoch, this.#now() - state.since);
    }
  }

  #leave(
    channel: InboundChannel,
    { input, leaving: { channels, origins } }: Extract<StageMessage, { kind: "left" }>,
  ): void {
    channels.delete(channel);
    if (channels.size === 0) {
      for (const name of origins) {
        this.#inputs[input]?.apply(name, { kind: "ended", successors: [] });
      }
      this.#clockMayMove();
    }
    this.#end(channel, input);
  }

  #end(channel: InboundChannel, input: number): void {
    const left = this.#channels[input];
    if (left === undefined || !left.delete(channel)) return;
    if (left.size === 0 && this.#inputFinal[input]) {
      this.#inputs[input]?.finish();
      this.#clockMayMove();
    }
    if (this.#alignment.ended(channel)) this.#reached();
    if (this.#isOver || this.#channels.some((channels) => channels.size > 0)) return;
    this.#isOver = true;
    this.#listener.ended(this.#inputFinal.every((isFinal) => isFinal));
  }

  #clockMayMove(): void {
    const moved = this.#clock.update();
    const { at, idle } = this.#clock;
    // Stages behind must wait for this one again, though it may have nothing new to promise yet.
    if (this.#idle && !idle) this.#listener.time({ kind: "active" });
    if (moved) this.#listener.time({ kind: "advance", at });
    if (idle && !this.#idle) this.#listener.time({ kind: "idle" });
    this.#idle = idle;
  }
}

/** The name under which a worker's part of a stage sends watermarks. */
export function originOf(stage: string, worker: number): string {
  return `${stage}@${worker}`;
}
