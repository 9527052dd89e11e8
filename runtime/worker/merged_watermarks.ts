/**
 * Watermarks where two branches of one stage come together: each origin is heard over both, and what
 * goes on is what both have said. A branch may hold them back (a call under way) or make its own (an
 * event time of its own), so one branch's word is not the other's.
 *
 * @module
 */

import {
  type InputTime,
  InputWatermark,
  outcomeOf,
  type WatermarkEvent,
} from "../time/watermark.ts";

/** What the branches have said of one origin. */
interface Heard {
  /** Of the branches, each an origin by its number. */
  readonly branches: InputWatermark;
  ended: number;
}

/** The watermarks of a merge of two branches, for all origins. */
export class MergedWatermarks {
  readonly #inputs = new Set<number>();
  readonly #heard = new Map<string, Heard>();

  /** A branch of this stage comes in here. A merge with another stage's stream has only one. */
  join(input: number): void {
    this.#inputs.add(input);
  }

  /** What the branches have said, for a checkpoint. */
  snapshot(): { origin: string; branches: InputTime; ended: number }[] {
    return [...this.#heard].map(([origin, { branches, ended }]) => ({
      origin,
      branches: branches.snapshot(),
      ended,
    }));
  }

  /** Goes on from a checkpoint. */
  restore(origin: string, branches: InputTime, ended: number): void {
    this.#heard.set(origin, { branches: new InputWatermark([], branches), ended });
  }

  /** An origin is another worker's from now on. */
  forget(origin: string): void {
    this.#heard.delete(origin);
  }

  /** Takes what a branch says of an origin; gives what is now true of the merged stream. */
  apply(input: number, origin: string, event: WatermarkEvent): readonly WatermarkEvent[] {
    if (this.#inputs.size < 2 || event.kind === "settle") return [event];
    let heard = this.#heard.get(origin);
    if (heard === undefined) {
      heard = { branches: new InputWatermark([...this.#inputs].map(String)), ended: 0 };
      this.#heard.set(origin, heard);
    }
    const { branches } = heard;
    if (event.kind === "ended" && ++heard.ended === this.#inputs.size) {
      this.#heard.delete(origin);
      return [event];
    }
    const branch = String(input);
    if (event.kind === "ended") {
      return outcomeOf(branches, branch, { kind: "ended", successors: [] });
    }
    // A split that says a watermark is not idle any more; here, where each branch counts for itself, that is said.
    const first = event.kind === "advance" ? outcomeOf(branches, branch, { kind: "active" }) : [];
    return [...first, ...outcomeOf(branches, branch, event)];
  }
}
