/**
 * Changes to the state of many keys within one call, which stay or are undone together.
 *
 * @module
 */

import type { KeyedState } from "../state/keyed_state.ts";
import { SlotMark } from "../state/state_segment.ts";
import { handlesOf, StateCursor, type WrittenKey } from "../state/memory_state.ts";
import type { Handles, StateSpecs } from "../state/state.ts";

/** Visits to the keys with state on one worker, in the running call of an operator. */
export class KeyVisits {
  /** Point at the key that is visited. */
  readonly handles: Handles<StateSpecs>;
  readonly #state: KeyedState;
  readonly #cursor: StateCursor;
  /** Slots that stay their keys' until the call is over: once for each visit. */
  readonly #held: Uint32Array[] = [];
  readonly #written: WrittenKey[] = [];

  constructor(specs: StateSpecs, state: KeyedState) {
    this.#state = state;
    this.#cursor = new StateCursor(state);
    this.handles = handlesOf(specs, this.#cursor);
  }

  /** Calls `visit` for the slot of each key that has state. A visit that throws is undone, and ends it. */
  each(visit: (slot: number) => void): void {
    const state = this.#state;
    const slots = Uint32Array.from(keptSlots(state));
    state.enter(slots);
    this.#held.push(slots);
    const cursor = this.#cursor;
    for (const slot of slots) {
      cursor.begin(slot);
      try {
        visit(slot);
      } catch (error) {
        cursor.rollback();
        throw error;
      }
      const written = cursor.commitUndoable();
      if (written !== undefined) this.#written.push(written);
    }
  }

  /** The call failed: all keys are as they were before. */
  undo(): void {
    for (const written of this.#written.toReversed()) this.#cursor.undo(written);
  }

  /** The call is over, and with it the need for the slots. */
  end(): void {
    this.#written.length = 0;
    for (const slots of this.#held) for (const slot of slots) this.#state.leave(slot);
    this.#held.length = 0;
  }
}

function* keptSlots(state: KeyedState): Generator<number, void> {
  const { elsewhere, keys } = state;
  for (const slot of keys.slots()) {
    if ((state.marksOf(slot) & SlotMark.KEPT) === 0) continue;
    if (elsewhere.size === 0 || !elsewhere.has(keys.groupAt(slot))) yield slot;
  }
}
