/**
 * What holds for every turn of a keyed operator, whatever happens around it: a key has one owner, and its clock never goes
 * back.
 *
 * @module
 */

import type { SimulatedSurroundings } from "../../../runtime/testing/simulation.ts";

/** The last turn of a key. */
interface Turn {
  readonly attempt: number;
  readonly worker: number;
  readonly watermark: number;
  /** Moves that had ended. */
  readonly moves: number;
}

/** The turns of all keys of one operator, over all attempts of a run. */
export class Turns {
  readonly #name: string;
  readonly #around: SimulatedSurroundings;
  readonly #last = new Map<string, Turn>();
  /** The newest attempt that has had a turn. */
  #attempt = 0;

  constructor(name: string, around: SimulatedSurroundings) {
    this.#name = name;
    this.#around = around;
  }

  /** A turn of a key begins. */
  begin(key: string, watermark: number): void {
    const { running } = this.#around;
    const around = this.#around;
    if (running === undefined || !running.alive) {
      return around.violation(`a turn of "${this.#name}", key ${key}, on no worker that is alive`);
    }
    const { attempt, worker } = running;
    if (attempt < this.#attempt) {
      around.violation(
        `a turn of "${this.#name}", key ${key}, in attempt ${attempt} after one in ${this.#attempt}`,
      );
    }
    this.#attempt = attempt;
    const last = this.#last.get(key);
    if (last?.attempt === attempt) {
      const mayHaveMoved = around.isMoving || around.moves > last.moves;
      if (last.worker !== worker && !mayHaveMoved) {
        around.violation(
          `key ${key} of "${this.#name}" has two owners: workers ${last.worker} and ${worker}`,
        );
      }
      if (watermark < last.watermark) {
        around.violation(
          `the clock of key ${key} of "${this.#name}" goes back from ${last.watermark} to ${watermark}`,
        );
      }
    }
    this.#last.set(key, { attempt, worker, watermark, moves: around.moves });
  }
}
