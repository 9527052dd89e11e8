/**
 * Alignment of barriers at a keyed stage: everything before the barrier is handled, on every channel, before anything
 * behind it is. What a channel brings behind its barrier waits; what others bring goes on. Pure: the stage carries out
 * what is decided here.
 *
 * The supervisor's own word of the epoch is waited for as well: it comes behind its word of what became of the epoch
 * before, which barriers from other workers may overtake.
 *
 * ```
 *             a barrier, others to come              the last one, or an end or the word in its place
 *  flowing ────────────────────────────> aligning ──────────────────────────────────────┐
 *     ^ │                                                                               v
 *     │ └───────────────────── the only channel that is open ────────────────────> reached
 *     │                                                                                 │
 *     └──── release: what was held is taken, in its order <── all actors have handled ──┘
 *                                                             what came before; snapshot
 * ```
 *
 * Chandy and Lamport's snapshots as Flink does them (asynchronous barrier snapshotting, Carbone et al. 2015), aligned.
 *
 * @module
 */

import { plantedBugs } from "../testing/planted_bugs.ts";

/** Where a stage stands between two barriers. */
export type AlignmentState =
  /** Everything goes on. */
  | { readonly kind: "flowing" }
  /** The barrier has come over some channels: those wait. */
  | { readonly kind: "aligning"; readonly epoch: number; readonly since: number }
  /** It has come over all: every channel waits until what came before has been handled. */
  | { readonly kind: "reached"; readonly epoch: number; readonly since: number };

/** What is to be done with what a channel has brought. */
export type Taking = "go on" | "held";

/**
 * The channels of a stage and what they hold back.
 *
 * @param Channel identifies a channel
 * @param Message what waits behind a barrier
 *
 * @example Two channels
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Alignment } from "./alignment.ts";
 * const alignment = new Alignment<string, number>(["a", "b"]);
 * assertEquals(alignment.announced(1), false);
 * assertEquals(alignment.barrier("a", 1, 0), false);
 * assertEquals([alignment.take("a", 10), alignment.take("b", 20)], ["held", "go on"]);
 * assertEquals(alignment.barrier("b", 1, 5), true); // It has come over both.
 * assertEquals(alignment.release(), [10]);
 * ```
 */
export class Alignment<Channel, Message> {
  readonly #open: Set<Channel>;
  readonly #passed = new Set<Channel>();
  #held: Message[] = [];
  /** The newest epoch that the supervisor has spoken of. */
  #announced = -Infinity;
  #state: AlignmentState = { kind: "flowing" };

  /** @param channels all that will say that they have ended */
  constructor(channels: Iterable<Channel>) {
    this.#open = new Set(channels);
  }

  get state(): AlignmentState {
    return this.#state;
  }

  /** Messages that wait. */
  get held(): number {
    return this.#held.length;
  }

  /** Whether what a channel has brought may go on; if not it is kept. */
  take(channel: Channel, message: Message): Taking {
    const { kind } = this.#state;
    if (kind === "flowing" || (kind === "aligning" && !this.#passed.has(channel))) return "go on";
    if (
      plantedBugs.has("alignment skipped on one channel") && kind === "aligning" &&
      channel === this.#open.values().next().value
    ) return "go on";
    this.#held.push(message);
    return "held";
  }

  /** The supervisor has said that an epoch begins. Returns whether its barrier has already come over all that are open. */
  announced(epoch: number): boolean {
    this.#announced = epoch;
    return this.#isReached();
  }

  /**
   * The barrier has come over a channel. Returns whether it has now come over all that are open, and was announced.
   *
   * @param now when, for the time that alignment takes
   * @throws {Error} if another epoch is under way: a mistake in the engine
   */
  barrier(channel: Channel, epoch: number, now: number): boolean {
    const state = this.#state;
    if (state.kind !== "flowing" && state.epoch !== epoch) {
      throw new Error(`Cannot align epoch ${epoch}: epoch ${state.epoch} is under way`);
    }
    if (state.kind === "flowing") this.#state = { kind: "aligning", epoch, since: now };
    this.#passed.add(channel);
    return this.#isReached();
  }

  /** Another channel is there: the next barrier comes over it too. Only where no epoch is under way, or at its barrier. */
  join(channel: Channel): void {
    this.#open.add(channel);
  }

  /** A channel brings nothing more: it is not waited for. Returns whether the barrier has now come over all others. */
  ended(channel: Channel): boolean {
    this.#open.delete(channel);
    this.#passed.delete(channel);
    return this.#state.kind === "aligning" && this.#isReached();
  }

  /** The snapshot is taken: gives what was held, which is to be taken again, in order. */
  release(): readonly Message[] {
    const held = this.#held;
    this.#held = [];
    this.#passed.clear();
    this.#state = { kind: "flowing" };
    return held;
  }

  #isReached(): boolean {
    const state = this.#state;
    // An epoch that was given up is still passed, though the next one has been announced meanwhile.
    if (state.kind !== "aligning" || this.#announced < state.epoch) return false;
    if (this.#passed.size < this.#open.size) return false;
    this.#state = { ...state, kind: "reached" };
    return true;
  }
}
