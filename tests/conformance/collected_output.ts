/**
 * The sink of a case's job: keeps what comes out, records and what is said of event time in one list, each with the step
 * during which it came.
 *
 * @module
 */

import type { Sink, SinkWriter } from "../../connectors/sink.ts";
import { InputWatermark, outcomeOf, type WatermarkEvent } from "../../runtime/time/watermark.ts";
import { type GoldenObject, type GoldenOutput, goldenTime } from "./golden_file.ts";

/** How a row is written, but for its step; the timestamp is the engine's. */
export type RowWriter<T> = (row: T, timestamp: number) => GoldenObject;

/** What has come out of a case. */
export class CollectedOutput<T> {
  /** In order of coming. */
  readonly entries: GoldenOutput[] = [];
  /** Of the step that is being run. */
  step = 0;
  readonly sink: Sink<T>;

  /** Of the workers' writers, where there are several: what is told is what all have been told. */
  #watermark = new InputWatermark([]);
  /** Those that are open: a job that is started again opens others. */
  readonly #open = new Set<string>();
  #opened = 0;
  /** What has been told last. */
  #at = -Infinity;
  #idle = false;

  constructor(written: RowWriter<T>) {
    this.sink = {
      guarantee: "at least once",
      kind: "collecting",
      name: "collecting",
      open: () => Promise.resolve(this.#writer(written)),
    };
  }

  /** The run that wrote here is left; the writers of the next one go on from what has been told. */
  leave(): void {
    this.#open.clear();
    this.#watermark = new InputWatermark([], { at: this.#at, idle: this.#idle, origins: [] });
  }

  #tell(mark: WatermarkEvent): void {
    if (mark.kind === "advance") this.#at = mark.at;
    else this.#idle = mark.kind === "idle";
    this.entries.push({ step: this.step, ...markEntry(mark) });
  }

  #writer(written: RowWriter<T>): SinkWriter<T> {
    const name = `writer-${this.#opened++}`;
    this.#open.add(name);
    this.#watermark.apply(name, { kind: "joined" });
    this.#watermark.apply(name, { kind: "advance", at: this.#at });
    if (this.#idle) this.#watermark.apply(name, { kind: "idle" });
    return {
      write: ({ length, values, timestampAt }) => {
        for (const [row, value] of values.entries()) {
          if (row >= length) break;
          this.entries.push({ step: this.step, ...written(value, timestampAt(row)) });
        }
        return undefined;
      },
      mark: (mark) => {
        const marks: readonly WatermarkEvent[] = this.#open.size === 1
          ? [mark]
          : outcomeOf(this.#watermark, name, mark);
        for (const of of marks) this.#tell(of);
      },
      flush: () => Promise.resolve(),
      close: () => {
        this.#open.delete(name);
        this.#watermark.apply(name, { kind: "ended", successors: [] });
        return Promise.resolve();
      },
      pending: () => 0,
    };
  }
}

function markEntry(mark: WatermarkEvent): GoldenObject {
  return mark.kind === "advance" ? { watermark: goldenTime(mark.at) } : { status: mark.kind };
}
