/**
 * Where a stage ends in a broadcast: each record is put into the channels of all workers that have keys of the stages
 * behind it.
 *
 * @module
 */

import { plainRecord } from "../../connectors/raw_record.ts";
import { refusal } from "../transport/uncloneable_row.ts";
import type { BarrierPurpose } from "./barrier_purpose.ts";
import type { EdgeChannels } from "./edge_channels.ts";
import type { Failures } from "./failures.ts";
import type { RecordCursor } from "./record_cursor.ts";

/** Rows of a broadcast have no key: what stands in its place. */
const NO_KEY = "";
const NO_GROUP = 0;

/** One broadcast's way out of this worker: an edge to each stage that reads it. */
export class BroadcastOutput {
  /** To all workers: those without key groups may be given some. */
  readonly channels: EdgeChannels;
  /** Whether rows leave this worker, or may when there are more. */
  readonly #isSent: boolean;
  readonly #operator: string;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;

  constructor(options: {
    /** For dead letters: whose broadcast this is. */
    operator: string;
    channels: EdgeChannels;
    cursor: RecordCursor;
    failures: Failures;
  }) {
    this.channels = options.channels;
    this.#isSent = options.channels.edges.some((channels) => channels.length > 1);
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
    for (const channel of this.channels.open) {
      channel.add(value, NO_KEY, NO_GROUP, this.#cursor, sub);
    }
  }

  /** Every worker gets all there is, whatever the barrier is for. */
  barrier(epoch: number, purpose: BarrierPurpose): void {
    this.channels.barrier(epoch, purpose);
  }
}
