/**
 * Watermarks of several origins made one: a shard's, or an upstream worker's. The rules are Flink's
 * (`StatusWatermarkValve` for the origins of an input, `IndexedCombinedWatermarkStatus` for the inputs of an operator).
 * Pure: no clock, no messages.
 *
 * @module
 */

/** What an origin says of its event time. What is `deferred` is known at once and counts from the next that is not. */
export type WatermarkEvent =
  /** No record with a timestamp at or below `at` is expected from it. One that is idle says first that it is active. */
  | { readonly kind: "advance"; readonly at: number; readonly deferred?: boolean | undefined }
  /** It has nothing to say until it says more: leave it out. */
  | { readonly kind: "idle"; readonly deferred?: boolean | undefined }
  /** It is there again, with the watermark that it had before it was idle. */
  | { readonly kind: "active"; readonly deferred?: boolean | undefined }
  /** What the origin and its siblings said deferred counts now. */
  | { readonly kind: "settle" }
  /** It is there from now on, and has said nothing yet. */
  | { readonly kind: "joined" }
  /** It has ended; `successors` take its place, with its watermark. */
  | { readonly kind: "ended"; readonly successors: readonly string[] };

/** An origin as a checkpoint keeps it. */
export interface OriginTime {
  readonly name: string;
  readonly at: number;
  readonly idle: boolean;
  readonly aligned: boolean;
  readonly spoken: boolean;
}

/** An input's watermark as a checkpoint keeps it. */
export interface InputTime {
  readonly at: number;
  readonly idle: boolean;
  readonly origins: readonly OriginTime[];
}

/** What makes watermarks of timestamps, as a checkpoint keeps it. */
export interface GeneratorTime {
  /** The newest timestamp that has been seen. */
  readonly newest: number;
  /** The watermark that was told last. */
  readonly told: number;
  /** Whether it was told last that it is idle. */
  readonly idle: boolean;
  /** For how long it had been quiet, from tick to tick, ms; undefined where no tick had found it quiet. */
  readonly quietMs: number | undefined;
  /** Whether a record had passed since the last tick, and since it was last probed (or it never was). */
  readonly seenSinceTick: boolean;
  readonly seenSinceProbe: boolean;
}

interface Origin {
  at: number;
  idle: boolean;
  /** Whether it counts: one that comes back from idleness behind the output waits until it has caught up. */
  aligned: boolean;
  /** Whether it has spoken itself, and not only taken the place of another. */
  spoken: boolean;
}

/** What has a watermark of its own. */
export interface Clocked {
  readonly at: number;
  /** Whether it has nothing to say. */
  readonly idle: boolean;
}

/** Lets an input take what an origin says; gives what is true of the input since then, in the order in which to say it. */
export function outcomeOf(
  input: InputWatermark,
  origin: string,
  event: WatermarkEvent,
): readonly WatermarkEvent[] {
  const { at, idle } = input;
  input.apply(origin, event);
  const events: WatermarkEvent[] = [];
  if (idle && !input.idle) events.push({ kind: "active" });
  if (input.at > at) events.push({ kind: "advance", at: input.at });
  if (!idle && input.idle) events.push({ kind: "idle" });
  return events;
}

/** One input's watermark: the least of its active origins', never going back. */
export class InputWatermark implements Clocked {
  readonly #origins = new Map<string, Origin>();
  #at = -Infinity;
  #idle = false;

  /**
   * @param origins those known from the start: all are waited for
   * @param restored what it was at a checkpoint, to begin with
   */
  constructor(origins: Iterable<string>, restored?: InputTime) {
    for (const { name, ...origin } of restored?.origins ?? []) this.#origins.set(name, origin);
    this.#at = restored?.at ?? -Infinity;
    this.#idle = restored?.idle ?? false;
    for (const name of origins) {
      if (this.#origins.has(name)) continue;
      this.#origins.set(name, { at: -Infinity, idle: false, aligned: true, spoken: false });
      this.#idle = false;
    }
  }

  get at(): number {
    return this.#at;
  }

  /** Whether no origin has anything to say. */
  get idle(): boolean {
    return this.#idle;
  }

  /** An origin is here from now on, as it was at a checkpoint; one that is known stays as it is. */
  adopt({ name, ...origin }: OriginTime): void {
    if (!this.#origins.has(name)) this.#origins.set(name, origin);
  }

  /** What it is now, for a checkpoint. */
  snapshot(): InputTime {
    const origins = [...this.#origins].map(([name, origin]) => ({ name, ...origin }));
    return { at: this.#at, idle: this.#idle, origins };
  }

  /** Takes what an origin says. One that was not known joins, from the present on. */
  apply(name: string, event: WatermarkEvent): void {
    // Over a merge it may end twice; the second time nobody waits for it, nor for those who took its place.
    if (event.kind === "ended" && !this.#origins.has(name)) return;
    if (event.kind === "settle") return;
    const origin = this.#origins.get(name) ?? this.#join(name);
    switch (event.kind) {
      case "joined":
        return;
      case "advance":
        // What an idle origin says of time is not remembered; one that took another's place has not said that it is idle.
        if ((origin.idle && origin.spoken) || event.at <= origin.at) return;
        origin.at = event.at;
        this.#activate(origin);
        this.#advance();
        return;
      case "idle":
        if (origin.idle) return;
        origin.spoken = true;
        origin.idle = true;
        origin.aligned = false;
        this.#leave(origin);
        return;
      case "active":
        if (origin.idle) this.#activate(origin);
        return;
      case "ended":
        this.#origins.delete(name);
        for (const successor of event.successors) this.#succeed(successor, origin);
        if (!origin.idle && this.#origins.size > 0) this.#leave(origin);
        return;
    }
  }

  /** All origins have ended for good: nothing more is expected at all. */
  finish(): void {
    this.#origins.clear();
    this.#at = Infinity;
  }

  #join(name: string): Origin {
    const origin: Origin = {
      at: -Infinity,
      idle: false,
      aligned: this.#at === -Infinity,
      spoken: false,
    };
    this.#origins.set(name, origin);
    return origin;
  }

  #activate(origin: Origin): void {
    origin.spoken = true;
    origin.idle = false;
    this.#idle = false;
    if (origin.at >= this.#at) origin.aligned = true;
  }

  /** A shard after a merge takes the older watermark of its parents; one that is idle does not count. */
  #succeed(name: string, parent: Origin): void {
    const known = this.#origins.get(name);
    if (known === undefined || (!known.spoken && known.idle && !parent.idle)) {
      this.#origins.set(name, { ...parent, spoken: false });
    } else if (!known.spoken && known.idle === parent.idle) {
      known.at = Math.min(known.at, parent.at);
      known.aligned ||= parent.aligned;
    }
  }

  /** An origin no longer counts: if it was the one that held back, the others decide. */
  #leave(origin: Origin): void {
    const active = [...this.#origins.values()].some((other) => !other.idle);
    if (origin.at === this.#at) {
      if (active) this.#advance();
      // Nobody is left to wait for: what the furthest has promised holds.
      else for (const other of this.#origins.values()) this.#at = Math.max(this.#at, other.at);
    }
    if (!active) this.#idle = true;
  }

  /** Takes the least watermark of those that count, if there are any. */
  #advance(): void {
    let least = Infinity;
    let anyCounts = false;
    for (const { at, aligned } of this.#origins.values()) {
      if (!aligned) continue;
      anyCounts = true;
      if (at < least) least = at;
    }
    if (anyCounts && least > this.#at) this.#at = least;
  }
}

/** An operator's event-time clock: the least of its active inputs', never going back. */
export class OperatorWatermark {
  readonly #inputs: readonly Clocked[];
  #at = -Infinity;

  /** @param at what it was at a checkpoint, to begin with */
  constructor(inputs: readonly Clocked[], at = -Infinity) {
    this.#inputs = inputs;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get idle(): boolean {
    return this.#inputs.every((input) => input.idle);
  }

  /** Looks at the inputs again; true if the clock moved on. */
  update(): boolean {
    const active = this.#inputs.filter((input) => !input.idle);
    const next = active.length > 0
      ? Math.min(...active.map((input) => input.at))
      : Math.max(...this.#inputs.map((input) => input.at));
    if (next <= this.#at) return false;
    this.#at = next;
    return true;
  }
}
