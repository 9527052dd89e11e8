/**
 * Where a stage ends in a keyBy: the key of each record is taken, its key group computed, and the record put into the
 * channel of the worker that has the group.
 *
 * @module
 */

import type { Key } from "../key.ts";
import { keyGroupOf, type KeyHash } from "../state/key_group.ts";
import type { Rows } from "../transport/rows.ts";
import type { BarrierPurpose } from "./barrier_purpose.ts";
import type { OutboundChannel } from "./channel.ts";
import type { EdgeChannels } from "./edge_channels.ts";
import type { Failures } from "./failures.ts";
import type { RecordCursor } from "./record_cursor.ts";

/** One keyBy's way out of this worker: an edge to each stage that reads it. */
export class EdgeOutput {
  readonly channels: EdgeChannels;
  /** The worker of each key group. */
  readonly routing: Uint16Array;
  /** By edge, then worker. */
  readonly #edges: readonly (readonly OutboundChannel[])[];
  readonly #operator: string;
  readonly #key: (value: unknown) => Key;
  readonly #hash: KeyHash;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;

  constructor(options: {
    /** For dead letters: whose keyBy this is. */
    operator: string;
    key: (value: unknown) => Key;
    /** How key groups are computed; of the key's string form unless said. */
    hash?: KeyHash;
    /** The worker of each key group. */
    routing: readonly number[];
    channels: EdgeChannels;
    cursor: RecordCursor;
    failures: Failures;
  }) {
    this.channels = options.channels;
    this.#edges = options.channels.edges;
    this.#operator = options.operator;
    this.#key = options.key;
    this.#hash = options.hash ?? "string";
    this.routing = Uint16Array.from(options.routing);
    this.#cursor = options.cursor;
    this.#failures = options.failures;
  }

  /** Whether the same rows go to several stages. */
  get isShared(): boolean {
    return this.#edges.length > 1;
  }

  next(value: unknown): void {
    let key: Key;
    try {
      key = this.#key(value);
    } catch (error) {
      return this.#failures.thrown(this.#operator, value, error, this.#cursor);
    }
    if (typeof key !== "string" && !(typeof key === "number" && Number.isFinite(key))) {
      const found = typeof key === "number" ? String(key) : typeof key;
      const reason =
        `Cannot key the record: its key is ${found}, expected a string or a finite number`;
      return this.#failures.refused(this.#operator, value, reason, this.#cursor);
    }
    let group: number;
    try {
      group = keyGroupOf(key, this.routing.length, this.#hash);
    } catch (error) {
      return this.#failures.thrown(this.#operator, value, error, this.#cursor);
    }
    const worker = this.routing[group] ?? 0;
    // One thing leaves, whichever stages read it: their names make what they put out different.
    const sub = this.#cursor.leaving();
    for (const channels of this.#edges) {
      channels[worker]?.add(value, key, group, this.#cursor, sub);
    }
  }

  /** Rows that are all of one worker's key groups. */
  nextRows(worker: number, rows: Rows): void {
    for (const channels of this.#edges) channels[worker]?.addRows(rows);
  }

  /** A barrier behind which key groups may be other workers'. */
  barrier(epoch: number, purpose: BarrierPurpose): void {
    this.channels.barrier(epoch, purpose);
    if (purpose.kind !== "hand over") return;
    for (const { group, to } of purpose.moves) this.routing[group] = to;
  }
}
