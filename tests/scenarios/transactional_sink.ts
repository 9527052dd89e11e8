/**
 * A transactional sink in memory: rows are seen when their epoch is committed, and those of epochs that nobody commits
 * are not.
 *
 * @module
 */

import type { Sink } from "../../connectors/sink.ts";

/** What `prepare` gives: all that is not committed yet. */
type Prepared<T> = readonly { readonly epoch: number; readonly rows: readonly T[] }[];

/** What readers see, and the sink that writes it. */
export class TransactionalSink<T> implements Sink<T> {
  readonly kind = "transactional";
  readonly name = "rows";
  readonly guarantee = "exactly once";
  /** Rows that are visible. */
  readonly visible: T[] = [];
  /** All rows that were written, visible or not. */
  written = 0;
  readonly open: Sink<T>["open"] = ({ restored }) => {
    // Plain data that `prepare` gave.
    for (const prepared of restored as Prepared<T>[]) this.#show(prepared);
    let open: T[] = [];
    let prepared: Prepared<T> = [];
    return Promise.resolve({
      write: ({ values, length }) => {
        open.push(...values.slice(0, length));
        this.written += length;
        return undefined;
      },
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      pending: () => open.length,
      prepare: (epoch) => {
        prepared = [...prepared, { epoch, rows: open }];
        open = [];
        return Promise.resolve(prepared);
      },
      commit: (epoch) => {
        this.#show(prepared.filter((of) => of.epoch <= epoch));
        prepared = prepared.filter((of) => of.epoch > epoch);
        return Promise.resolve();
      },
      finish: () => Promise.reject(new Error("There are checkpoints: the last one commits")),
    });
  };
  readonly #shown = new Set<string>();

  /** Each transaction once, however often it is committed. */
  #show(prepared: Prepared<T>): void {
    for (const { epoch, rows } of prepared) {
      const id = `${epoch} ${JSON.stringify(rows)}`;
      if (this.#shown.has(id)) continue;
      this.#shown.add(id);
      this.visible.push(...rows);
    }
  }
}
