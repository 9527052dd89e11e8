/**
 * What the origins of a source stage have said last of event time themselves, kept where that may be held up behind calls:
 * a checkpoint keeps the calls and not what waits behind them, so that it is said again after a restart.
 *
 * @module
 */

import type { OriginWords } from "../checkpoint/worker_snapshot.ts";
import type { WatermarkEvent } from "../time/watermark.ts";

/** The last words of origins. */
export class LastWords {
  readonly #words = new Map<string, OriginWords>();

  /** @param restored what they had said at the checkpoint that the job starts from */
  constructor(restored: readonly OriginWords[] = []) {
    for (const words of restored) this.#words.set(words.origin, words);
  }

  /** An origin says something. */
  note(origin: string, event: WatermarkEvent): void {
    if (event.kind === "ended") this.#words.delete(origin);
    else if (event.kind === "advance" || event.kind === "idle" || event.kind === "active") {
      const { advance, status } = this.#words.get(origin) ?? {};
      this.#words.set(
        origin,
        event.kind === "advance"
          ? { origin, advance: event, status }
          : { origin, advance, status: event },
      );
    }
  }

  /** What an origin has said, for those who may not have heard it: the time first, which one that is idle does not say. */
  again(origin: string): readonly WatermarkEvent[] {
    const { advance, status } = this.#words.get(origin) ?? {};
    if (advance === undefined && status === undefined) return [];
    const words: WatermarkEvent[] = [{ kind: "active" }];
    if (advance !== undefined) words.push(advance);
    if (status?.kind === "idle") words.push(status);
    return words;
  }

  /** An origin that another worker had comes here, with what it had said there. */
  adopt(origin: string, words: readonly OriginWords[]): void {
    this.forget(origin);
    for (const of of words) this.#words.set(origin, of);
  }

  /** An origin is another worker's from now on. */
  forget(origin: string): void {
    this.#words.delete(origin);
  }

  /** For a checkpoint. */
  snapshot(): readonly OriginWords[] {
    return [...this.#words.values()];
  }
}
