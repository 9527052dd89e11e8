/**
 * Where a stage ends in a broadcast: each record is put into the channels of all workers that have keys of the stages
 * behind it.
 *
 * @module
 */

import { plainRecord } from "../../connectors/raw_record.ts";
import { refusal } from "../transport/uncloneable_row.ts";
import type { WatermarkEvent } from "../time/watermark.ts";
import type { OutboundChannel } from "./channel.ts";
import type { Failures } from "./failures.ts";
import type { RecordCursor } from "./record_cursor.ts";

/** Rows of a broadcast have no key: what stands in its place. */
const NO_KEY = "";
const NO_GROUP = 0;

/** One broadcast's way out of this worker: an edge to each stage that reads it. */
export class BroadcastOutput {
  /** Of all edges, to all workers: those without key groups may be given some. */
  readonly channels: readonly OutboundChannel[];
  /** Whether rows leave this worker. */
  readonly #isSent: boolean;
  readonly #operator: string;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;

  constructor(options: {
    /** For dead letters: whose broadcast this is. */
    operator: string;
    /** By edge, then worker. */
    edges: readonly (readonly OutboundChannel[])[];
    cursor: RecordCursor;
    failures: Failures;
  }) {
    this.channels = options.edges.flat();
    this.#isSent = options.edges.some((channels) => channels.length > 1);
    this.#operator = options.operator;
    this.#cursor = options.cursor;
    this.#failures = options.failures;
  }

  next(value: unknown): void {
    // Asked before it goes anywhere: a record that only some workers get would leave their states unlike.
    const refused = this.#isSent ? refusal(0, plainRecord(value)) : undefined;
    if (refused !== undefined) {
      const { message } = refused;
      return this.#failures.refused(this.#operator, undefined, message, this.#cursor, refused);
    }
    const sub = this.#cursor.leaving();
    for (const channel of this.channels) channel.add(value, NO_KEY, NO_GROUP, this.#cursor, sub);
  }

  watermark(origin: string, event: WatermarkEvent): void {
    for (const channel of this.channels) channel.watermark(origin, event);
  }

  barrier(epoch: number): void {
    for (const channel of this.channels) channel.barrier(epoch);
  }

  /** The same where key groups move: every worker gets all there is anyway. */
  reroute(epoch: number): void {
    this.barrier(epoch);
  }

  end(final: boolean): void {
    for (const channel of this.channels) channel.end(final);
  }
}
