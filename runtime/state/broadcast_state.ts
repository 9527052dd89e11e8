/**
 * Broadcast state: declared state without keys, of which every worker's part of a stage keeps its own copy. Writes of a
 * call are undone when it fails, as with keyed state.
 *
 * @module
 */

import type { Random } from "../random.ts";
import { holdsNumber, KeyedState } from "./keyed_state.ts";
import { handlesOf, StateCursor } from "./memory_state.ts";
import type { Handles, StateSpec, StateSpecs } from "./state.ts";

/** The key under which it is kept: the only one. */
const ONLY_KEY = "";

/** Where a piece of state is. */
interface Cell {
  readonly name: string;
  readonly spec: StateSpec<unknown>;
  /** Among all cells. */
  readonly at: number;
  /** Among the cells for numbers, if it mostly holds one. */
  readonly number: number | undefined;
}

/**
 * One worker's copy of an operator's broadcast state.
 *
 * @example A copy that is taken and put back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seededRandom } from "../random.ts";
 * import { BroadcastState } from "./broadcast_state.ts";
 * import { store } from "./state.ts";
 *
 * const specs = { rules: store.map<string, number>() };
 * const state = new BroadcastState(specs, seededRandom(1));
 * state.restore({ rules: new Map([["most", 3]]) });
 * assertEquals(state.snapshot(), { rules: new Map([["most", 3]]) });
 * state.close();
 * ```
 */
export class BroadcastState {
  /** For the calls that may write. */
  readonly handles: Handles<StateSpecs>;
  readonly #state: KeyedState;
  readonly #cursor: StateCursor;
  readonly #slot: number;
  readonly #cells: readonly Cell[];

  constructor(specs: StateSpecs, random: Random) {
    this.#state = new KeyedState(specs, random);
    this.#cursor = new StateCursor(this.#state);
    this.#slot = this.#state.enterKey(ONLY_KEY, 0);
    this.#cursor.begin(this.#slot);
    this.handles = handlesOf(specs, this.#cursor);
    let numbers = 0;
    this.#cells = Object.entries(specs).map(([name, spec], at) => ({
      name,
      spec,
      at,
      number: holdsNumber(spec) ? numbers++ : undefined,
    }));
  }

  /** The call succeeded: its writes stay. */
  commit(): void {
    this.#cursor.commit();
    this.#cursor.begin(this.#slot);
  }

  /** The call failed: everything is as it was before. */
  rollback(): void {
    this.#cursor.rollback();
    this.#cursor.begin(this.#slot);
  }

  /**
   * What is set, by name: a value, an array for a list, a Map for a map. Lists and maps are copies; what they hold is
   * not copied, as values are never changed but replaced. Taken between two calls.
   */
  snapshot(): Record<string, unknown> {
    const cursor = this.#cursor;
    const content: Record<string, unknown> = {};
    for (const { name, at, number } of this.#cells) {
      const kept = number === undefined ? NaN : cursor.readNumber(number);
      const value = Number.isNaN(kept) ? cursor.read(at) : kept;
      if (value !== undefined) content[name] = copied(value);
    }
    return content;
  }

  /**
   * Puts back what a snapshot has; everything else is unset.
   *
   * @throws {TypeError} if a list is no array or a map no Map
   * @throws {RangeError} if there is no state of such a name; nothing has been changed then
   */
  restore(content: Readonly<Record<string, unknown>>): void {
    const known = new Map(this.#cells.map(({ name, spec }) => [name, spec]));
    for (const [name, value] of Object.entries(content)) {
      const spec = known.get(name);
      if (spec === undefined) {
        throw new RangeError(
          `Cannot restore broadcast state "${name}": it is not declared; found ${
            [...known.keys()].map((other) => `"${other}"`).join(", ") || "none"
          }. Declare it again, or take it out of what is restored`,
        );
      }
      expectKind(name, spec, value);
    }
    for (const { name, at, number } of this.#cells) {
      const value = Object.hasOwn(content, name) ? copied(content[name]) : undefined;
      const isNumber = number !== undefined && typeof value === "number" && !Number.isNaN(value);
      if (number !== undefined) this.#cursor.writeNumber(number, isNumber ? value : NaN);
      this.#cursor.write(at, isNumber ? undefined : value);
    }
    this.commit();
  }

  close(): void {
    this.#state.close();
  }
}

/** Lists and maps are changed in place, so that a copy must be one of its own. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return [...value];
  return value instanceof Map ? new Map(value) : value;
}

function expectKind(name: string, { kind }: StateSpec<unknown>, value: unknown): void {
  const isRight = kind === "value" || value === undefined ||
    (kind === "list" ? Array.isArray(value) : value instanceof Map);
  if (isRight) return;
  throw new TypeError(
    `Cannot restore broadcast state "${name}": found ${typeof value}, expected ${
      kind === "list" ? "an array for a list" : "a Map for a map"
    }; restore what was kept of a ${kind}`,
  );
}
