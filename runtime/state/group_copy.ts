/**
 * The keys of key groups on their way to another worker: copied ahead a piece at a time, while turns go on, and then only
 * what has changed since. So the groups stand still for their latest changes, however much they have (pre-copy, as virtual
 * machines are moved: Clark et al., NSDI 2005; for streams Rhino, SIGMOD 2020).
 *
 * @module
 */

import type { KeyTimer } from "./group_timers.ts";
import type { Key } from "../key.ts";
import { plantedBugs } from "../testing/planted_bugs.ts";
import { decodeChanges, encodeChanges } from "./key_changes.ts";
import type { KeyedState } from "./keyed_state.ts";
import { HELD, SlotMark } from "./state_segment.ts";

/** Slots that are looked at in the time in which one key is read and encoded, or four are let go of. */
const LOOKS_PER_KEY = 64;

/** Keys of one stage with all they have, and keys that have gone, as they are sent. */
export interface SentKeys {
  /** The key group of each key. */
  readonly groups: Uint16Array<ArrayBuffer>;
  /** As `encodeChanges` makes them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Keys as they are read. */
class ReadKeys {
  readonly groups: number[] = [];
  readonly keys: Key[] = [];
  readonly cells: unknown[][];
  readonly timers: (readonly KeyTimer[] | undefined)[] = [];

  constructor(states: number) {
    this.cells = Array.from({ length: states }, () => []);
  }
}

/**
 * The sender's side.
 *
 * @example One key, which changes behind its copy
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seededRandom } from "../random.ts";
 * import { GroupCopy, putSent } from "./group_copy.ts";
 * import { KeyedState } from "./keyed_state.ts";
 * import { handlesOf, StateCursor } from "./memory_state.ts";
 * import { store } from "./state.ts";
 * const specs = { sum: store.value(0) };
 * const from = new KeyedState(specs, seededRandom(1));
 * const cursor = new StateCursor(from);
 * const { sum } = handlesOf(specs, cursor);
 * const turn = (value: number) => {
 *   const slot = from.enterKey("a", 7);
 *   cursor.begin(slot);
 *   sum.value = value;
 *   cursor.commit();
 *   from.leave(slot);
 * };
 * turn(5);
 * from.changed.beginCopy();
 * const copy = new GroupCopy(from, new Set([7]));
 * const to = new KeyedState(specs, seededRandom(2));
 * for (let sent = copy.next(1000); sent !== undefined; sent = copy.next(1000)) putSent(to, sent);
 * turn(6);
 * putSent(to, copy.rest());
 * assertEquals([to.kept, to.contentOf(to.keys.find("a"), 0)], [1, 6]);
 * ```
 */
export class GroupCopy {
  readonly #state: KeyedState;
  readonly #groups: ReadonlySet<number>;
  #next = 0;

  /**
   * @param state `changed.beginCopy()` has been called, for all copies of it together; no changes may be taken before `rest`
   * @param groups those that are to move
   */
  constructor(state: KeyedState, groups: ReadonlySet<number>) {
    this.#state = state;
    this.#groups = groups;
  }

  /**
   * Copies more: about so many keys. Undefined when all have been.
   *
   * @param keys at least 1
   * @throws {TypeError} if a content can't be cloned, naming state and key
   */
  next(keys: number): SentKeys | undefined {
    const state = this.#state;
    const found = new ReadKeys(state.states.length);
    let left = keys * LOOKS_PER_KEY;
    for (; left > 0 && this.#next < state.slotsEnd; this.#next++, left--) {
      if (!this.#isCopied(this.#next)) continue;
      this.#read(this.#next, found);
      left -= LOOKS_PER_KEY;
    }
    const isOver = this.#next >= state.slotsEnd && found.keys.length === 0;
    return isOver ? undefined : this.#sent(found, []);
  }

  /** What has changed, and what has gone, since it was copied. No rows of the groups may be waiting. */
  rest(): SentKeys {
    const { changed } = this.#state;
    const found = new ReadKeys(this.#state.states.length);
    if (plantedBugs.has("delta lost")) return this.#sent(found, []);
    const deleted = changed.deletedSinceCopy(this.#groups);
    for (const slot of changed.sinceCopy) {
      if (this.#isCopied(slot)) this.#read(slot, found);
    }
    return this.#sent(found, deleted);
  }

  #isCopied(slot: number): boolean {
    return (this.#state.marksOf(slot) & HELD) !== 0 &&
      this.#groups.has(this.#state.keys.groupAt(slot));
  }

  #read(slot: number, found: ReadKeys): void {
    const state = this.#state;
    const group = state.keys.groupAt(slot);
    found.groups.push(group);
    found.keys.push(state.readKey(slot));
    for (let column = 0; column < found.cells.length; column++) {
      found.cells[column]?.push(state.contentOf(slot, column));
    }
    const isTimed = (state.marksOf(slot) & SlotMark.TIMED) !== 0;
    found.timers.push(isTimed ? state.timersOf(group).of(slot) : undefined);
    state.changed.copied(slot);
  }

  #sent({ groups, keys, cells, timers }: ReadKeys, deleted: readonly Key[]): SentKeys {
    const { states } = this.#state;
    const bytes = encodeChanges(
      { states, deleted, keys, cells, timers },
      this.#state.changed.codecs,
    );
    return { groups: Uint16Array.from(groups), bytes };
  }
}

/** The receiver's side: keys are put, in place of what was copied of them before. */
export function putSent(state: KeyedState, { groups, bytes }: SentKeys): void {
  state.put(decodeChanges(bytes), groups);
}

/**
 * Lets go of key groups that are another worker's now, a piece at a time: their slots are free for other keys.
 *
 * @param from the first slot to look at
 * @returns where to go on; undefined when all is done
 */
export function forgetGroups(
  state: KeyedState,
  groups: ReadonlySet<number>,
  from: number,
  keys: number,
): number | undefined {
  if (from === 0) state.changed.forget(groups);
  let left = keys * LOOKS_PER_KEY;
  let slot = from;
  for (; left > 0 && slot < state.slotsEnd; slot++, left--) {
    if ((state.marksOf(slot) & HELD) === 0 || !groups.has(state.keys.groupAt(slot))) continue;
    state.forget(slot);
    left -= LOOKS_PER_KEY / 4;
  }
  return slot < state.slotsEnd ? slot : undefined;
}
