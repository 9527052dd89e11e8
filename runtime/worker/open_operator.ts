/**
 * From a keyed node of the topology to the operator that runs on a worker.
 *
 * @module
 */

import type { RestoredStage } from "../checkpoint/worker_snapshot.ts";
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { BroadcastState } from "../state/broadcast_state.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import { restoreBroadcast } from "../state/restore_state.ts";
import type { NodeOf } from "../topology.ts";
import { BroadcastOperator } from "./broadcast_operator.ts";
import type { Failures } from "./failures.ts";
import { HandlerOperator, type KeyedOperator } from "./keyed_operator.ts";
import { MailboxOperator, PipeOperator } from "./mailbox_operator.ts";
import type { RecordCursor } from "./record_cursor.ts";

/** What operators work with. */
export interface OperatorSurroundings {
  readonly state: KeyedState;
  readonly clock: Clock;
  readonly cursor: RecordCursor;
  readonly failures: Failures;
  readonly random: Random;
  readonly worker: number;
  /** The stage at the checkpoint that the job starts from. */
  readonly restored: RestoredStage | undefined;
}

/** Opens one. */
export function openOperator(
  { name, operator }: NodeOf<"keyed">,
  { state, clock, cursor, failures, random, worker, restored }: OperatorSurroundings,
): KeyedOperator {
  switch (operator.kind) {
    case "handlers":
      return new HandlerOperator(name, operator, state, clock, cursor, failures);
    case "broadcast": {
      const broadcast = new BroadcastState(operator.broadcast, random);
      if (restored !== undefined) restoreBroadcast(broadcast, restored, operator.broadcast, name);
      const around = { clock, cursor, failures, worker };
      return new BroadcastOperator(name, operator, state, broadcast, around);
    }
    case "actor":
      return new MailboxOperator(name, operator, state, clock, cursor, failures);
    case "pipe":
      return new PipeOperator(name, operator, state, cursor, failures);
  }
}
