/**
 * Watermarks of the splits of one source made one: its shards'. The rules are those of Flink's sources
 * (`WatermarkOutputMultiplexer`), and differ from those for channels (`InputWatermark`): a split that comes back from
 * idleness counts at once, and holds all until it has caught up; one that is let go moves nothing by itself. Pure.
 *
 * @module
 */

import type { WatermarkEvent } from "./watermark.ts";

interface Split {
  at: number;
  idle: boolean;
  /** How it came here: named by the source, in the place of a parent, or by what it said itself. */
  known: "named" | "inherited" | "spoken";
}

/** A source's watermark as a checkpoint keeps it. */
export interface SplitTime {
  readonly at: number;
  readonly saidIdle: boolean;
  readonly splits: readonly (Readonly<Split> & { readonly name: string })[];
}

const NOTHING: readonly WatermarkEvent[] = [];

/**
 * The watermark of a source: the least of its active splits', never going back.
 *
 * @example The slower of two splits decides, until it is idle
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SplitWatermarks } from "./split_watermarks.ts";
 * const splits = new SplitWatermarks(["a", "b"]);
 * assertEquals(splits.apply("a", { kind: "advance", at: 7 }), []);
 * assertEquals(splits.apply("b", { kind: "advance", at: 3 }), [{ kind: "advance", at: 3 }]);
 * assertEquals(splits.apply("b", { kind: "idle" }), [{ kind: "advance", at: 7 }]);
 * ```
 */
export class SplitWatermarks {
  readonly #splits = new Map<string, Split>();
  #at = -Infinity;
  /** Whether it was said last that all are idle: a rising watermark takes it back, and nothing else does. */
  #saidIdle = false;

  /**
   * @param splits those known from the start: all are waited for
   * @param restored what it was at a checkpoint: splits that it knows are as it says
   */
  constructor(splits: Iterable<string>, restored?: SplitTime) {
    for (const { name, ...split } of restored?.splits ?? []) this.#splits.set(name, split);
    this.#at = restored?.at ?? -Infinity;
    this.#saidIdle = restored?.saidIdle ?? false;
    for (const split of splits) {
      if (!this.#splits.has(split)) this.#splits.set(split, unheard());
    }
  }

  /** How many splits are waited for. */
  get size(): number {
    return this.#splits.size;
  }

  /** A split is here from now on, as it was at a checkpoint; one that is known stays as it is. */
  adopt({ name, ...split }: SplitTime["splits"][number]): void {
    if (!this.#splits.has(name)) this.#splits.set(name, split);
  }

  /** What it is now, for a checkpoint. */
  snapshot(): SplitTime {
    const splits = [...this.#splits].map(([name, split]) => ({ name, ...split }));
    return { at: this.#at, saidIdle: this.#saidIdle, splits };
  }

  /** Takes what a split says; gives what the source says then. That all are idle may be said again. */
  apply(name: string, event: WatermarkEvent): readonly WatermarkEvent[] {
    if (event.kind === "settle") return this.#outcome();
    if (event.kind === "ended") return this.#end(name, event.successors);
    const known = this.#splits.get(name);
    const split = known ?? unheard();
    if (known === undefined) this.#splits.set(name, split);
    const first: readonly WatermarkEvent[] = known === undefined && this.#splits.size === 1
      ? [{ kind: "joined" }]
      : NOTHING;
    if (event.kind === "joined") return first;
    split.known = "spoken";
    const outcome = event.kind === "advance"
      ? this.#raise(split, event.at, event.deferred)
      : this.#mark(split, event.kind === "idle", event.deferred);
    return first.length === 0 ? outcome : [...first, ...outcome];
  }

  #raise(split: Split, at: number, deferred = false): readonly WatermarkEvent[] {
    split.idle = false;
    if (at <= split.at) return NOTHING;
    split.at = at;
    return deferred || at <= this.#at ? NOTHING : this.#outcome();
  }

  #mark(split: Split, idle: boolean, deferred = false): readonly WatermarkEvent[] {
    split.idle = idle;
    return deferred ? NOTHING : this.#outcome();
  }

  /** The others decide when they next speak; where none is left the source has ended, for all that is known. */
  #end(name: string, successors: readonly string[]): readonly WatermarkEvent[] {
    const parent = this.#splits.get(name);
    // Over a merge it may end twice; the second time nobody waits for it, nor for those who took its place.
    if (parent === undefined) return NOTHING;
    this.#splits.delete(name);
    for (const successor of successors) this.#succeed(successor, parent);
    return this.#splits.size === 0 ? [{ kind: "ended", successors: [] }] : NOTHING;
  }

  /** A split after a merge takes the older watermark of its parents; one that is idle does not count. */
  #succeed(name: string, parent: Split): void {
    const child = this.#splits.get(name);
    if (child === undefined || child.known === "named") {
      this.#splits.set(name, { at: parent.at, idle: parent.idle, known: "inherited" });
    } else if (child.known === "inherited") {
      if (child.idle && !parent.idle) Object.assign(child, { at: parent.at, idle: false });
      else if (child.idle === parent.idle) child.at = Math.min(child.at, parent.at);
    }
  }

  /** The least of the active; where nobody is left to wait for, what the furthest has promised. */
  #outcome(): readonly WatermarkEvent[] {
    let least = Infinity;
    let furthest = -Infinity;
    let active = false;
    for (const { at, idle } of this.#splits.values()) {
      furthest = Math.max(furthest, at);
      if (idle) continue;
      active = true;
      least = Math.min(least, at);
    }
    const events: WatermarkEvent[] = [];
    const next = active ? least : furthest;
    if (next > this.#at) {
      this.#at = next;
      if (this.#saidIdle) events.push({ kind: "active" });
      this.#saidIdle = false;
      events.push({ kind: "advance", at: next });
    }
    if (!active && (this.#splits.size > 0 || this.#saidIdle)) {
      this.#saidIdle = true;
      events.push({ kind: "idle" });
    }
    return events;
  }
}

function unheard(): Split {
  return { at: -Infinity, idle: false, known: "named" };
}
