/**
 * A stage's keyed state with turns that a test makes up, beside a plain model of what it should hold.
 *
 * @module
 */

import { seededRandom } from "../../../runtime/random.ts";
import type { KeyTimer } from "../../../runtime/state/group_timers.ts";
import type { KeyChanges } from "../../../runtime/state/key_changes.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { handlesOf, StateCursor } from "../../../runtime/state/memory_state.ts";
import { store } from "../../../runtime/state/state.ts";
import type { Key } from "../../../runtime/key.ts";
import type { TimeDomain } from "../../../runtime/time/timers.ts";
import { PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { timerCalls } from "../../../runtime/worker/timer_calls.ts";

/** Key groups of the state. */
export const GROUPS = 3;

/** State of every kind, kept as a number, and kept as whatever it is. */
export const specs = {
  count: store.value(0),
  last: store.value<unknown>(),
  seen: store.list<number>(),
  totals: store.map<string, number>(),
};

/** What a key has: nothing where it is empty. */
export interface Content {
  count?: number;
  last?: unknown;
  seen: readonly number[];
  totals: Readonly<Record<string, number>>;
  /** By domain and id: when they are due. */
  timers: Readonly<Record<string, number>>;
}

/** A thing that a turn does to its key. */
export interface Change {
  readonly kind:
    | "count"
    | "last"
    | "add"
    | "put"
    | "remove"
    | "clear"
    | "timer"
    | "timer at"
    | "clear timer"
    | "clear timer at";
  readonly name: "count" | "last" | "seen" | "totals";
  readonly entry: string;
  readonly domain: TimeDomain;
  readonly number: number;
}

/** The group of a key. */
export function groupOf(key: Key): number {
  return (typeof key === "number" ? key : key.charCodeAt(0)) % GROUPS;
}

/** State and its model. */
export class ChangingState {
  readonly keyed = new KeyedState(specs, seededRandom(1));
  model = new Map<Key, Content>();
  readonly #cursor = new StateCursor(this.keyed);
  readonly #handles = handlesOf(specs, this.#cursor);
  readonly #actors = Array.from(
    { length: GROUPS },
    (_, group) => new PartitionActor(group, undefined, this.keyed.timersOf(group)),
  );
  readonly #waiting: number[] = [];
  #actor = this.#actors[0];
  readonly #calls = {
    event: timerCalls("event", "test", true, this.#cursor, () => this.#actor),
    processing: timerCalls("processing", "test", true, this.#cursor, () => this.#actor),
  };

  /** A turn of a key. `waits`: another row of the key is waiting after it. */
  turn(key: Key, changes: readonly Change[], fails = false, waits = false): void {
    const slot = this.keyed.enterKey(key, groupOf(key));
    if (waits) this.#waiting.push(this.keyed.enterKey(key, groupOf(key)));
    this.#run(key, slot, changes, fails);
    this.keyed.leave(slot);
  }

  /** Timers of a group that are due, each with a turn that does this. */
  fire(
    group: number,
    domain: TimeDomain,
    time: number,
    changes: readonly Change[],
    fails: boolean,
  ): void {
    const queue = this.keyed.timersOf(group)[domain];
    const timer = queue.takeDue(time);
    if (timer === undefined) return;
    const { slot, name, at } = timer;
    this.keyed.enterSlot(slot);
    const key = this.keyed.keyAt(slot);
    const content = this.content(key);
    const timers = { ...content.timers };
    delete timers[idOf(domain, name === "" ? at : name)];
    this.#keep(key, { ...content, timers });
    this.#run(key, slot, changes, fails);
    this.keyed.leave(slot);
  }

  /** A row that waited has been handled, and did nothing. */
  leaveOne(): void {
    const slot = this.#waiting.shift();
    if (slot !== undefined) this.keyed.leave(slot);
  }

  content(key: Key): Content {
    return this.model.get(key) ?? { seen: [], totals: {}, timers: {} };
  }

  #run(key: Key, slot: number, changes: readonly Change[], fails: boolean): void {
    this.#actor = this.#actors[groupOf(key)];
    this.#cursor.begin(slot);
    let content = this.content(key);
    for (const change of changes) content = this.#change(content, change);
    if (fails) return this.#cursor.rollback();
    this.#cursor.commit();
    this.#keep(key, content);
  }

  #keep(key: Key, content: Content): void {
    if (isEmpty(content)) this.model.delete(key);
    else this.model.set(key, content);
  }

  #change(content: Content, { kind, name, entry, domain, number }: Change): Content {
    const { count, last, seen, totals } = this.#handles;
    const calls = this.#calls[domain];
    const { [idOf(domain, entry)]: _named, ...unnamed } = content.timers;
    const { [idOf(domain, number)]: _at, ...unset } = content.timers;
    const { [entry]: _removed, ...kept } = content.totals;
    switch (kind) {
      case "count":
        // A number that is none is kept elsewhere.
        count.value = number === 0 ? NaN : number;
        return { ...content, count: count.value };
      case "last":
        last.value = { entry, number };
        return { ...content, last: { entry, number } };
      case "add":
        seen.add(number);
        return { ...content, seen: [...content.seen, number] };
      case "put":
        totals.set(entry, number);
        return { ...content, totals: { ...content.totals, [entry]: number } };
      case "remove":
        totals.delete(entry);
        return { ...content, totals: kept };
      case "timer":
        calls.setTimer(entry, number);
        return { ...content, timers: { ...content.timers, [idOf(domain, entry)]: number } };
      case "timer at":
        calls.setTimer(number);
        return { ...content, timers: { ...content.timers, [idOf(domain, number)]: number } };
      case "clear timer":
        calls.clearTimer(entry);
        return { ...content, timers: unnamed };
      case "clear timer at":
        calls.clearTimer(number);
        return { ...content, timers: unset };
      case "clear": {
        this.#handles[name].clear();
        const { [name]: _cleared, ...others } = content;
        return { seen: [], totals: {}, ...others };
      }
    }
  }
}

/** What is in changes, as a model of state has it. */
export function contentsOf({ states, keys, cells, timers }: KeyChanges): Map<Key, Content> {
  const contents = new Map<Key, Content>();
  for (const [row, key] of keys.entries()) {
    const cell = (name: string) => cells[states.indexOf(name)]?.[row];
    const [count, last, seen, totals] = ["count", "last", "seen", "totals"].map(cell);
    contents.set(key, {
      ...(count === undefined ? {} : { count: Number(count) }),
      ...(last === undefined ? {} : { last }),
      seen: Array.isArray(seen) ? seen : [],
      totals: totals instanceof Map ? Object.fromEntries(totals) : {},
      timers: timersOf(timers[row] ?? []),
    });
  }
  return contents;
}

function timersOf(timers: readonly KeyTimer[]): Record<string, number> {
  return Object.fromEntries(
    timers.map(({ domain, name, at }) => [idOf(domain, name === "" ? at : name), at]),
  );
}

function idOf(domain: TimeDomain, id: string | number): string {
  return `${domain} ${typeof id} ${id}`;
}

function isEmpty({ count, last, seen, totals, timers }: Content): boolean {
  return count === undefined && last === undefined && seen.length === 0 &&
    Object.keys(totals).length === 0 && Object.keys(timers).length === 0;
}
