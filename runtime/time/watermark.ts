/**
 * Watermarks of several origins made one: a shard's, or an upstream worker's. The rules are Flink's
 * (`StatusWatermarkValve` for the origins of an input, `IndexedCombinedWatermarkStatus` for the inputs of an operator).
 * Pure: no clock, no messages.
 *
 * @module
 */

/** What an origin says of its event time. */
export type WatermarkEvent =
  /** No record with a timestamp at or below `at` is expected from it. Also ends its idleness. */
  | { readonly kind: "advance"; readonly at: number }
  /** It has nothing to say until it says more: leave it out. */
  | { readonly kind: "idle" }
  /** It is there again, with the watermark that it had before it was idle. */
  | { readonly kind: "active" }
  /** It has ended; `successors` take its place, with its watermark. */
  | { readonly kind: "ended"; readonly successors: readonly string[] };

interface Origin {
  at: number;
  idle: boolean;
  /** Whether it counts: one that comes back from idleness behind the output waits until it has caught up. */
  aligned: boolean;
  /** Whether it has spoken itself, and not only taken the place of another. */
  spoken: boolean;
}

/** One input's watermark: the least of its active origins', never going back. */
export class InputWatermark {
  readonly #origins = new Map<string, Origin>();
  #at = -Infinity;
  #idle = false;

  /** @param origins those known from the start: all are waited for */
  constructor(origins: Iterable<string>) {
    for (const origin of origins) {
      this.#origins.set(origin, { at: -Infinity, idle: false, aligned: true, spoken: false });
    }
  }

  get at(): number {
    return this.#at;
  }

  /** Whether no origin has anything to say. */
  get idle(): boolean {
    return this.#idle;
  }

  /** Takes what an origin says. One that was not known joins, from the present on. */
  apply(name: string, event: WatermarkEvent): void {
    // Over a merge it may end twice; the second time nobody waits for it, nor for those who took its place.
    if (event.kind === "ended" && !this.#origins.has(name)) return;
    const origin = this.#origins.get(name) ?? this.#join(name);
    switch (event.kind) {
      case "advance":
        if (event.at <= origin.at) return;
        origin.at = event.at;
        this.#activate(origin);
        this.#advance();
        return;
      case "idle":
        if (origin.idle) return;
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
  readonly #inputs: readonly InputWatermark[];
  #at = -Infinity;

  constructor(inputs: readonly InputWatermark[]) {
    this.#inputs = inputs;
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
