/**
 * What one call of a handler puts out, to its main output and to sides, in order: it leaves when the call has succeeded.
 *
 * @module
 */

import { onlyNamed, type Sides, type SideSpecs } from "../side.ts";
import type { KeyReader } from "../state/key_reader.ts";
import type { Emits } from "../stream.ts";
import { saltOf } from "./output_id.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_chain.ts";

/** The main output; sides count from 0. */
const MAIN = -1;
/** An output for no other key than the cursor's. */
const NO_KEY = -1;

/**
 * What a handler returned, as something to go through.
 *
 * @throws {TypeError} if it is neither an array nor a sequence
 */
export function emitted(emits: Exclude<Emits<unknown>, void>): Iterable<unknown> {
  if (
    typeof emits === "string" || typeof emits !== "object" || emits === null ||
    !(Symbol.iterator in emits)
  ) {
    throw new TypeError(
      `Cannot emit what the handler returned: found ${typeof emits}, expected nothing, an array or a sequence`,
    );
  }
  return emits;
}

/** Outputs of the running call of one operator. */
export class CallOutputs {
  /** One function a side. */
  readonly side: Sides<SideSpecs>;
  /** In order of coming. */
  readonly #values: unknown[] = [];
  /** Of each, where it goes, and the slot of the key it is for. */
  readonly #ports: number[] = [];
  readonly #slots: number[] = [];
  #slot = NO_KEY;
  #isOpen = false;

  constructor(operator: string, sides: readonly string[]) {
    const emitters = sides.map((name, port) => {
      const emit = (value: unknown) => {
        if (!this.#isOpen) {
          throw new TypeError(
            `Cannot put out to side "${name}" of "${operator}" after the call: do it in the handler, or use mapAsync for what takes time`,
          );
        }
        this.#push(value, port);
      };
      return [name, emit] as const;
    });
    this.side = onlyNamed(emitters, (name) => {
      const found = sides.map((side) => `"${side}"`).join(", ") || "none";
      throw new TypeError(
        `Cannot put out to side "${name}" of "${operator}": found ${found}; declare it in sides`,
      );
    });
  }

  /** How many there are. */
  get length(): number {
    return this.#values.length;
  }

  /** A call begins. */
  begin(): void {
    this.truncate(0);
    this.#slot = NO_KEY;
    this.#isOpen = true;
  }

  /** The call is over: nothing more may be put out. */
  end(): void {
    this.#isOpen = false;
  }

  /** Takes back all but the first ones. */
  truncate(length: number): void {
    this.#values.length = length;
    this.#ports.length = length;
    this.#slots.length = length;
  }

  /** What comes from now on is for the key in a slot; for the cursor's key after a call without one. */
  point(slot: number = NO_KEY): void {
    this.#slot = slot;
  }

  /** Goes through what a handler returned; all outputs so far. */
  collect(emits: Emits<unknown>): readonly unknown[] {
    if (emits !== undefined) {
      for (const value of emitted(emits)) this.#push(value, MAIN);
    }
    return this.#values;
  }

  /**
   * Puts all out.
   *
   * @param keys knows the keys of slots that were pointed at
   * @param sideTime the timestamp of what goes to sides; the cursor's is that of main outputs
   */
  emit(
    chain: Chain,
    cursor: RecordCursor,
    keys: KeyReader,
    sideTime: number = cursor.timestamp,
  ): void {
    const { keys: keysBefore, slot: slotBefore, salt, timestamp } = cursor;
    let last = NO_KEY;
    for (let i = 0; i < this.#values.length; i++) {
      const slot = this.#slots[i] ?? NO_KEY;
      cursor.keys = slot === NO_KEY ? keysBefore : keys;
      cursor.slot = slot === NO_KEY ? slotBefore : slot;
      if (slot !== last) {
        // Outputs of a key are numbered by themselves: which keys a worker has, and in which order, says nothing.
        cursor.salt = slot === NO_KEY ? salt : salt ^ saltOf(String(keys.keyAt(slot)));
        cursor.left = 0;
        last = slot;
      }
      const port = this.#ports[i] ?? MAIN;
      cursor.timestamp = port === MAIN ? timestamp : sideTime;
      if (port === MAIN) chain.next(this.#values[i]);
      else chain.sides[port]?.(this.#values[i]);
    }
    cursor.keys = keysBefore;
    cursor.slot = slotBefore;
    cursor.salt = salt;
    cursor.timestamp = timestamp;
    this.truncate(0);
  }

  #push(value: unknown, port: number): void {
    this.#values.push(value);
    this.#ports.push(port);
    this.#slots.push(this.#slot);
  }
}
