/**
 * The watermark of one input of a stage, in two steps as in Flink: the splits of a source are combined first, as the
 * source itself would, then sources and upstream workers, as channels of a gate. Pure.
 *
 * @module
 */

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

  /** @param restored what it was at a checkpoint: origins that it knows are as it says, others as they are listed */
  constructor({ splits, channels }: GateOrigins, restored?: GateTime) {
    this.#splits = new Map(
      [...splits].map(([source, origins]) => {
        const time = restored?.splits[source];
        return [source, new SplitWatermarks(time === undefined ? origins : [], time)];
      }),
    );
    // A source without shards is not waited for: its first one joins.
    const sources = [...splits].filter(([, origins]) => origins.length > 0);
    const known = [...sources.map(([source]) => source), ...channels];
    const before = new Set(Object.keys(restored?.splits ?? {}));
    const family = (name: string) =>
      name.slice(0, Math.max(name.lastIndexOf("/"), name.lastIndexOf("@")));
    const families = new Set(restored?.channels.origins.map(({ name }) => family(name)) ?? []);
    const fresh = known.filter((name) => !before.has(name) && !families.has(family(name)));
    this.#channels = new InputWatermark(fresh, restored?.channels);
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
