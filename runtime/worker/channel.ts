/**
 * Channels: one edge between two workers, first in, first out, with credits in rows and bytes. The sender counts what
 * is on its way and closes its gate when that is too much; the receiver gives credit back as rows are handled.
 *
 * @module
 */

import type { Key } from "../key.ts";
import { BATCH_BYTES_MAX, BATCH_ROWS_MAX, CHANNEL_BYTES_MAX, CHANNEL_ROWS_MAX } from "../limits.ts";
import type { WatermarkEvent } from "../time/watermark.ts";
import { RowBatch } from "../transport/row_batch.ts";
import type { Rows } from "../transport/rows.ts";
import { Gate } from "./gate.ts";
import type { RecordCursor } from "./record_cursor.ts";

/** The far end of a channel: the stage itself, or the link to the worker where it is. */
export interface Delivery {
  /** Returns how many rows were really sent; the others have become dead letters. */
  rows(rows: Rows): number;
  watermark(origin: string, event: WatermarkEvent): void;
  barrier(epoch: number): void;
  end(final: boolean): void;
}

/** The sender's side. */
export class OutboundChannel {
  readonly gate = new Gate();
  readonly #delivery: Delivery;
  #batch = new RowBatch();
  #rowsUnderway = 0;
  #bytesUnderway = 0;
  #delayed: number | undefined;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  /** @param sub which output of the cursor's record the row is */
  add(value: unknown, key: Key, group: number, cursor: RecordCursor, sub: number): void {
    const batch = this.#batch;
    batch.values.push(value);
    batch.keys.push(key);
    batch.groups.push(group);
    batch.timestamps.push(cursor.timestamp);
    batch.origins.push(cursor.origin);
    batch.originRows.push(cursor.row);
    batch.subs.push(sub);
    batch.bytes += cursor.bytes;
    if (batch.values.length >= BATCH_ROWS_MAX || batch.bytes >= BATCH_BYTES_MAX) this.flush();
  }

  /** Rows that are a batch already go at once, behind those that came before. */
  addRows(rows: Rows): void {
    this.flush();
    this.#send(rows);
  }

  flush(): void {
    const batch = this.#batch;
    if (batch.length > 0) {
      this.#batch = new RowBatch();
      this.#send(batch);
    }
    if (this.#delayed === undefined) return;
    this.#delivery.barrier(this.#delayed);
    this.#delayed = undefined;
  }

  watermark(origin: string, event: WatermarkEvent): void {
    this.flush();
    this.#delivery.watermark(origin, event);
  }

  barrier(epoch: number): void {
    this.flush();
    this.#delivery.barrier(epoch);
  }

  /** Lets one batch overtake a barrier: a bug to be planted. */
  delayBarrier(epoch: number): void {
    this.flush();
    this.#delayed = epoch;
  }

  end(final: boolean): void {
    this.flush();
    this.#delivery.end(final);
  }

  /** Nobody is there any more: nothing is on its way. */
  reset(): void {
    this.#batch = new RowBatch();
    this.#underway(-this.#rowsUnderway, -this.#bytesUnderway);
  }

  /** The receiver has handled so much. */
  credit(rows: number, bytes: number): void {
    this.#underway(-rows, -bytes);
  }

  #send(rows: Rows): void {
    // Counted before it is sent: a stage on the same worker may give credit back at once.
    const { length, bytes } = rows;
    this.#underway(length, bytes);
    const sent = this.#delivery.rows(rows);
    if (sent < length) this.#underway(sent - length, sent === 0 ? -bytes : 0);
  }

  #underway(rows: number, bytes: number): void {
    this.#rowsUnderway += rows;
    this.#bytesUnderway += bytes;
    this.gate.set(
      this.#rowsUnderway >= CHANNEL_ROWS_MAX || this.#bytesUnderway >= CHANNEL_BYTES_MAX,
    );
  }
}

/** The receiver's side: counts what has been handled until it is worth a message. */
export class InboundChannel {
  readonly #credit: (rows: number, bytes: number) => void;
  #rows = 0;
  #bytes = 0;

  constructor(credit: (rows: number, bytes: number) => void) {
    this.#credit = credit;
  }

  /** A batch of so many rows has been handled. */
  handled(rows: number, bytes: number): void {
    this.#rows += rows;
    this.#bytes += bytes;
    // A sender must not run dry while credit lies here: half the window is the latest.
    if (this.#rows * 4 >= CHANNEL_ROWS_MAX || this.#bytes * 4 >= CHANNEL_BYTES_MAX) this.flush();
  }

  flush(): void {
    if (this.#rows === 0) return;
    const [rows, bytes] = [this.#rows, this.#bytes];
    this.#rows = 0;
    this.#bytes = 0;
    this.#credit(rows, bytes);
  }
}
