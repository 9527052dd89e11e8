/**
 * The watermark of one input of a stage, in two steps as in Flink: the splits of a source are combined first, as the
 * source itself would, then sources and upstream workers, as channels of a gate. Pure.
 *
 * @module
 */

import { joinedOrigin } from "./joined_origin.ts";
import { type SplitTime, SplitWatermarks } from "./split_watermarks.ts";
import { type Clocked, type InputTime, InputWatermark, type WatermarkEvent } from "./watermark.ts";

/** Who is waited for from the start. */
export interface GateOrigins {
  /** Of each source whose shards are splits, by its name, the origins. */
  readonly splits: ReadonlyMap<string, readonly string[]>;
  /** Origins that count for themselves. */
  readonly channels: readonly string[];
}

/** An input's watermark as a checkpoint keeps it. */
export interface GateTime {
  /** By source. */
  readonly splits: Readonly<Record<string, SplitTime>>;
  readonly channels: InputTime;
}

/**
 * One input's watermark.
 *
 * @example A source of two shards, and a worker of an upstream stage
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { GateWatermark } from "./gate_watermark.ts";
 * const splits = new Map([["orders", ["orders/0", "orders/1"]]]);
 * const gate = new GateWatermark({ splits, channels: ["sum@0"] });
 * gate.apply("sum@0", { kind: "advance", at: 9 });
 * gate.apply("orders/0", { kind: "advance", at: 5 });
 * gate.apply("orders/1", { kind: "idle" });
 * assertEquals(gate.at, 5);
 * ```
 */
export class GateWatermark implements Clocked {
  readonly #splits: ReadonlyMap<string, SplitWatermarks>;
  readonly #channels: InputWatermark;

  /**
   * @param restored what it was at a checkpoint. Origins that it knows are as it says. Others that are listed are new and
   * are waited for, as at a first start; if a source that it knows had no split left, its new ones join, as they would
   * have without a restart. Where all input was over it stays over.
   */
  constructor({ splits, channels }: GateOrigins, restored?: GateTime) {
    this.#splits = new Map(
      [...splits].map(([source, origins]) => {
        return [source, new SplitWatermarks(origins, restored?.splits[source])];
      }),
    );
    if (restored !== undefined && isOver(restored.channels)) {
      this.#channels = new InputWatermark([], restored.channels);
      return;
    }
    // A source without shards is not waited for: its first one joins.
    const sources = [...splits].flatMap(([source, origins]) => origins.length > 0 ? [source] : []);
    const isKnown = (source: string) => restored?.splits[source] !== undefined;
    const fresh = sources.filter((source) => !isKnown(source));
    this.#channels = new InputWatermark([...fresh, ...channels], restored?.channels);
    for (const source of sources.filter(isKnown)) this.#channels.apply(source, { kind: "joined" });
  }

  get at(): number {
    return this.#channels.at;
  }

  get idle(): boolean {
    return this.#channels.idle;
  }

  /** What it is now, for a checkpoint. */
  snapshot(): GateTime {
    const splits = [...this.#splits].map(([source, of]) => [source, of.snapshot()] as const);
    return { splits: Object.fromEntries(splits), channels: this.#channels.snapshot() };
  }

  /** Takes what an origin says. */
  apply(origin: string, event: WatermarkEvent): void {
    const source = this.#sourceOf(origin);
    const splits = source === undefined ? undefined : this.#splits.get(source);
    if (source === undefined || splits === undefined) return this.#channels.apply(origin, event);
    for (const said of splits.apply(origin, event)) this.#channels.apply(source, said);
  }

  /** Another part of an upstream stage is there: it has said what its siblings have. Where they have ended, so has it. */
  joinPart(name: string, siblings: readonly string[]): void {
    const parts = this.#channels.snapshot().origins.filter((of) => siblings.includes(of.name));
    if (parts.length > 0) this.#channels.adopt({ name, ...joinedOrigin(parts) });
  }

  /** All origins have ended for good: nothing more is expected at all. */
  finish(): void {
    this.#channels.finish();
  }

  /** The source whose split an origin is: names may have slashes, so the longest that fits. */
  #sourceOf(origin: string): string | undefined {
    let found: string | undefined;
    for (const source of this.#splits.keys()) {
      if (!origin.startsWith(`${source}/`)) continue;
      if (found === undefined || source.length > found.length) found = source;
    }
    return found;
  }
}

/** Whether all origins had ended for good. */
function isOver({ at, origins }: InputTime): boolean {
  return at === Infinity && origins.length === 0;
}
