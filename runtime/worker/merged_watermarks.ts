/**
 * Watermarks where two branches of one stage come together: each origin is heard over both, and what
 * goes on is what both have said. A branch may hold them back (a call under way) or make its own (an
 * event time of its own), so one branch's word is not the other's.
 *
 * @module
 */

import { InputWatermark, type WatermarkEvent } from "../time/watermark.ts";

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

  /** Takes what a branch says of an origin; gives what is now true of the merged stream. */
  apply(input: number, origin: string, event: WatermarkEvent): readonly WatermarkEvent[] {
    if (this.#inputs.size < 2) return [event];
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
    const before = { at: branches.at, idle: branches.idle };
    branches.apply(String(input), event.kind === "ended" ? { ...event, successors: [] } : event);
    const events: WatermarkEvent[] = [];
    if (branches.at > before.at) events.push({ kind: "advance", at: branches.at });
    else if (before.idle && !branches.idle) events.push({ kind: "active" });
    if (!before.idle && branches.idle) events.push({ kind: "idle" });
    return events;
  }
}
