/**
 * A worker's way into a sink: collects what turns put out, hands it over in batches, and keeps a gate closed while the
 * sink's writer wants no more.
 *
 * @module
 */

import type { SinkWriter } from "../../connectors/sink.ts";
import { BATCH_ROWS_MAX } from "../limits.ts";
import { Gate } from "./gate.ts";
import { NO_ORIGIN, type Origin, originText, type RecordCursor } from "./record_cursor.ts";

/** One sink of the job, on one worker. */
export class SinkPort {
  readonly gate = new Gate();
  /** Rows handed over so far. */
  rows = 0;
  readonly #writer: SinkWriter<unknown>;
  readonly #failed: (error: unknown) => void;
  #values: unknown[] = [];
  #origins: Origin[] = [];
  #originRows: number[] = [];

  constructor(writer: SinkWriter<unknown>, failed: (error: unknown) => void) {
    this.#writer = writer;
    this.#failed = failed;
  }

  /** Rows taken and not yet written for good. */
  get pending(): number {
    return this.#values.length + this.#writer.pending();
  }

  next(value: unknown, cursor: RecordCursor): void {
    this.#values.push(value);
    this.#origins.push(cursor.origin);
    this.#originRows.push(cursor.row);
    if (this.#values.length >= BATCH_ROWS_MAX) this.flush();
  }

  /** Hands over what has come together, unless the writer wants no more: then that waits until it does. */
  flush(): void {
    const [values, origins, rows] = [this.#values, this.#origins, this.#originRows];
    if (values.length === 0 || this.gate.closed) return;
    this.rows += values.length;
    const originAt = (row: number) => originText(origins[row] ?? NO_ORIGIN, rows[row] ?? 0);
    try {
      const room = this.#writer.write({ length: values.length, values, originAt });
      if (room !== undefined) this.#waitFor(room);
    } catch (error) {
      this.#failed(error);
    }
    this.#values = [];
    this.#origins = [];
    this.#originRows = [];
  }

  /** Resolves when everything so far has been written for good. */
  async drain(): Promise<void> {
    while (this.#values.length > 0) {
      this.flush();
      if (this.gate.closed) await new Promise<void>((resolve) => this.#reopened.push(resolve));
    }
    await this.#writer.flush();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  readonly #reopened: (() => void)[] = [];

  #waitFor(room: Promise<void>): void {
    this.gate.set(true);
    room.then(() => {
      this.gate.set(false);
      this.flush();
      for (const resolve of this.#reopened.splice(0)) resolve();
    }, this.#failed);
  }
}
