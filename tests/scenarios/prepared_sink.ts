/**
 * A transactional sink in memory: rows are seen once they are committed, each once.
 *
 * @module
 */

import type { Sink, SinkBatch, SinkContext, SinkWriter } from "../../connectors/sink.ts";

/** What a writer prepares: the rows of an epoch, under a name of their own. */
interface Prepared {
  readonly id: string;
  readonly rows: readonly string[];
}

/** The sink. What nobody commits is lost, as it would be with the files of a machine that is gone. */
export class PreparedSink implements Sink<unknown> {
  readonly kind = "prepared";
  readonly name: string;
  readonly guarantee = "exactly once";
  /** Rows that are committed. */
  readonly rows: string[] = [];
  readonly #committed = new Set<string>();
  #writers = 0;

  constructor(name = "prepared") {
    this.name = name;
  }

  readonly open = (context: SinkContext): Promise<SinkWriter<unknown>> => {
    for (const prepared of context.restored) {
      for (const of of prepared as Prepared[]) this.#show(of);
    }
    const writer = this.#writers++;
    let rows: string[] = [];
    let prepared: (Prepared & { readonly epoch: number })[] = [];
    const prepare = (epoch: number) => {
      if (rows.length > 0) prepared.push({ epoch, id: `${writer}-${epoch}`, rows });
      rows = [];
      return Promise.resolve(prepared.map(({ id, rows }) => ({ id, rows })));
    };
    const commit = (epoch: number) => {
      for (const of of prepared) if (of.epoch <= epoch) this.#show(of);
      prepared = prepared.filter((of) => of.epoch > epoch);
      return Promise.resolve();
    };
    return Promise.resolve({
      write({ length, values }: SinkBatch<unknown>) {
        for (let row = 0; row < length; row++) rows.push(JSON.stringify(values[row]));
        return undefined;
      },
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      pending: () => rows.length,
      prepare,
      commit,
      finish: () => prepare(Infinity).then(() => commit(Infinity)),
    });
  };

  #show({ id, rows }: Prepared): void {
    if (this.#committed.has(id)) return;
    this.#committed.add(id);
    this.rows.push(...rows);
  }
}
