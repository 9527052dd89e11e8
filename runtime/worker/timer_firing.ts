/**
 * Firing the timers of an actor within its turn: one after the other, as long as the stage may go on.
 *
 * @module
 */

import type { KeyedState } from "../state/keyed_state.ts";
import type { KeyedOperator } from "./keyed_operator.ts";
import { saltOf, timerOrigin } from "./output_id.ts";
import type { PartitionActor } from "./partition_actor.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_chain.ts";
import type { StageOutputs } from "./stage_outputs.ts";

/** Fires timers of a stage, of either kind. */
export class TimerFiring {
  readonly #name: string;
  readonly #salt: number;
  readonly #state: KeyedState;
  readonly #cursor: RecordCursor;
  readonly #operator: KeyedOperator;
  readonly #outputs: StageOutputs;

  constructor(stage: {
    readonly name: string;
    readonly state: KeyedState;
    readonly cursor: RecordCursor;
    readonly operator: KeyedOperator;
    readonly outputs: StageOutputs;
  }) {
    this.#name = stage.name;
    this.#salt = saltOf(stage.name);
    this.#state = stage.state;
    this.#cursor = stage.cursor;
    this.#operator = stage.operator;
    this.#outputs = stage.outputs;
  }

  /** Fires up to `most` timers that are due at `time`, those set meanwhile included; how many. */
  fire(
    actor: PartitionActor,
    domain: "event" | "processing",
    time: number,
    most: number,
    chain: Chain,
  ): number {
    const { valve } = this.#outputs;
    const timers = domain === "event" ? actor.timers : actor.processing;
    const cursor = this.#cursor;
    let fired = 0;
    while (fired < most && !valve.blocked) {
      const timer = timers.takeDue(time);
      if (timer === undefined) break;
      fired++;
      const { slot } = timer;
      this.#state.enterSlot(slot);
      const key = this.#state.keyAt(slot);
      cursor.leave(
        timer.at,
        timerOrigin(this.#name, domain, { key, name: timer.name, at: timer.at }),
      );
      cursor.salt = this.#salt;
      cursor.keys = this.#state;
      cursor.slot = slot;
      this.#operator.timer(actor, timer, chain);
      this.#state.leave(slot);
    }
    return fired;
  }
}
