/**
 * A worker's ways into all sinks of the job, that of dead letters among them.
 *
 * @module
 */

import type { SinkWriter } from "../../connectors/sink.ts";
import { DEAD_LETTERS, type DeadLetter } from "../dead_letter.ts";
import { deadLetterOrigin } from "./output_id.ts";
import { RecordCursor } from "./record_cursor.ts";
import { SinkPort } from "./sink_port.ts";

/** The sinks of one worker. */
export class JobSinks {
  /** By name, without that of dead letters. */
  readonly ports: ReadonlyMap<string, SinkPort>;
  readonly deadLetters: SinkPort | undefined;
  readonly #all: readonly SinkPort[];
  readonly #letterCursor = new RecordCursor();

  constructor(options: {
    readonly writers: ReadonlyMap<string, SinkWriter<never>>;
    readonly deadLetters: SinkWriter<DeadLetter> | undefined;
    /** A writer can't go on. */
    readonly failed: (error: unknown) => void;
    /** Everything before the barrier of an epoch is written; with what the writer needs to commit it. */
    readonly written: (epoch: number, sink: string, prepared: unknown) => void;
  }) {
    const { writers, deadLetters, failed, written } = options;
    const port = (name: string, writer: SinkWriter<never>) =>
      new SinkPort({ name, writer: writer as SinkWriter<unknown>, failed, written });
    this.ports = new Map([...writers].map(([name, writer]) => [name, port(name, writer)]));
    this.deadLetters = deadLetters === undefined ? undefined : port(DEAD_LETTERS, deadLetters);
    this.#all = [
      ...this.ports.values(),
      ...this.deadLetters === undefined ? [] : [this.deadLetters],
    ];
  }

  /** Whether what one has taken waits for a checkpoint to be shown. */
  get awaitCheckpoint(): boolean {
    return this.#all.some(({ awaitsCheckpoint }) => awaitsCheckpoint);
  }

  writeDeadLetter(letter: DeadLetter, id: string): void {
    this.#letterCursor.leave(-Infinity, deadLetterOrigin(id));
    this.deadLetters?.next(letter, this.#letterCursor);
  }

  flush(): void {
    for (const sink of this.#all) sink.flush();
  }

  /** Resolves when everything so far is written. Sinks may still reject rows while they drain: letters are written last. */
  async drain(): Promise<void> {
    await Promise.all([...this.ports.values()].map((sink) => sink.drain()));
    await this.deadLetters?.drain();
  }

  /** Makes visible what is left, where there are no checkpoints to wait for. After {@linkcode drain}. */
  async finish(): Promise<void> {
    await Promise.all(this.#all.map((sink) => sink.finish()));
  }

  async close(): Promise<void> {
    for (const sink of this.#all) await sink.close();
  }
}
