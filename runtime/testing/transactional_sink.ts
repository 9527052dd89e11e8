/**
 * A transactional sink in memory, which keeps what is committed: the output of a simulated job is what its readers would
 * see, whatever became of its workers meanwhile.
 *
 * @module
 */

import type { Sink, SinkBatch, SinkContext, SinkWriter } from "../../connectors/sink.ts";

/** A row that readers see. */
export interface CommittedRow<T> {
  readonly value: T;
  readonly id: string;
  /** That of the barrier before which it was written; 0 in a job without checkpoints. */
  readonly epoch: number;
  /** Rises with each row that is written, whoever writes it. */
  readonly number: number;
}

/** What a writer's prepared rows are known by. */
interface Prepared {
  readonly writer: number;
  readonly epoch: number;
}

/** A sink by two-phase commit. */
export interface TransactionalSink<T> extends Sink<T> {
  /** What has been committed, in the order of writing: a key that has moved has two writers. */
  readonly rows: readonly CommittedRow<T>[];
}

/** What a transactional sink is made with. */
export interface TransactionalSinkOptions {
  readonly name?: string | undefined;
  /** Called with the watermark that a writer is told, if it wants to be told: its number, and the time. */
  readonly onMark?: ((writer: number, at: number) => void) | undefined;
}

/**
 * Makes one.
 *
 * @example Nothing is seen before it is committed
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { transactionalSink } from "./transactional_sink.ts";
 * const sink = transactionalSink<number>();
 * assertEquals([sink.guarantee, sink.rows], ["exactly once", []]);
 * ```
 */
export function transactionalSink<T>(
  { name = "simulated", onMark }: TransactionalSinkOptions = {},
): TransactionalSink<T> {
  const shelf = new Shelf<T>();
  return {
    kind: "simulated",
    name,
    guarantee: "exactly once",
    get rows() {
      return shelf.rows;
    },
    open: (context) => Promise.resolve(shelf.open(context, onMark)),
  };
}

/** What all writers have prepared and committed. */
class Shelf<T> {
  readonly #rows: CommittedRow<T>[] = [];
  /** By writer and epoch: what is prepared. */
  readonly #prepared = new Map<string, CommittedRow<T>[]>();
  #writers = 0;
  #written = 0;

  get rows(): readonly CommittedRow<T>[] {
    return this.#rows.toSorted((a, b) => a.number - b.number);
  }

  open(
    { worker, restored }: SinkContext,
    onMark: TransactionalSinkOptions["onMark"],
  ): SinkWriter<T> {
    if (worker === 0) {
      const of = restored.flatMap((prepared) => prepared as readonly Prepared[]);
      for (const prepared of of.toSorted((a, b) => a.epoch - b.epoch)) this.commit(prepared);
      // What else is prepared belongs to no checkpoint that anybody will go on from.
      this.#prepared.clear();
    }
    const number = this.#writers++;
    let rows: Omit<CommittedRow<T>, "epoch">[] = [];
    let open: Prepared[] = [];
    const prepare = (epoch: number) => {
      this.#prepared.set(keyOf({ writer: number, epoch }), rows.map((row) => ({ ...row, epoch })));
      rows = [];
      open.push({ writer: number, epoch });
    };
    const commit = (epoch: number) => {
      for (const prepared of open) if (prepared.epoch <= epoch) this.commit(prepared);
      open = open.filter((prepared) => prepared.epoch > epoch);
    };
    return {
      write: (batch) => {
        for (const row of rowsOf(batch)) rows.push({ ...row, number: this.#written++ });
        return undefined;
      },
      ...(onMark === undefined ? {} : {
        mark: (mark) => {
          if (mark.kind === "advance") onMark(number, mark.at);
        },
      }),
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      pending: () => 0,
      prepare(epoch) {
        prepare(epoch);
        return Promise.resolve([...open]);
      },
      commit(epoch) {
        commit(epoch);
        return Promise.resolve();
      },
      finish() {
        prepare(0);
        commit(0);
        return Promise.resolve();
      },
    };
  }

  /** Committing what is committed already changes nothing. */
  commit(prepared: Prepared): void {
    const key = keyOf(prepared);
    this.#rows.push(...this.#prepared.get(key) ?? []);
    this.#prepared.delete(key);
  }
}

function rowsOf<T>(
  { length, values, idAt }: SinkBatch<T>,
): Omit<CommittedRow<T>, "epoch" | "number">[] {
  return values.slice(0, length).map((value, row) => ({ value, id: idAt(row) }));
}

function keyOf({ writer, epoch }: Prepared): string {
  return `${writer}/${epoch}`;
}
