/**
 * The actor of a keyed stage's broadcast input on one worker: it handles the records that go to all workers, one after
 * the other beside the partition actors, and reaches marks as they do, so that no watermark and no end overtakes a
 * record.
 *
 * @module
 */

import type { Rows } from "../transport/rows.ts";
import type { InboundChannel } from "./channel.ts";
import type { KeyedOperator } from "./keyed_operator.ts";
import { type MailboxEntry, PartitionActor } from "./partition_actor.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_chain.ts";
import type { StageOutputs } from "./stage_outputs.ts";

/** Whose chain its chain is, in place of a key group: it has none. */
export const BROADCAST_OWNER = -1;
const NOTHING = new Uint32Array(0);

/** Takes turns for broadcast rows. Its timers are never set. */
export class BroadcastActor extends PartitionActor {
  constructor(takeTurn: (actor: PartitionActor) => number) {
    super(BROADCAST_OWNER, takeTurn);
  }

  /**
   * A mark whose timers fire in other actors is waited at until they have. Where keys are on their way, what comes behind
   * the barrier waits for them, also within the turn that has reached it.
   */
  override get next(): MailboxEntry | undefined {
    if (this.awaited) return undefined;
    const { first } = this;
    const isWaiting = first?.kind === "mark" && first.mark.broadcast === "handled" &&
      first.mark.waiting > 1;
    return isWaiting ? undefined : first;
  }

  /** Rows came over a channel. */
  accept(rows: Rows, input: number, channel: InboundChannel): void {
    const { length } = rows;
    const batch = { rows, slots: NOTHING, order: NOTHING, input, channel, at: 0, left: length };
    this.push({ kind: "rows", batch, next: 0, end: length });
  }

  /** Handles the first entry's rows, so many at most, until the valve closes; how many it were. */
  handleRows(
    entry: Extract<MailboxEntry, { kind: "rows" }>,
    most: number,
    around: {
      readonly operator: KeyedOperator;
      readonly cursor: RecordCursor;
      readonly outputs: StageOutputs;
      readonly chain: Chain;
      /** Makes the numbers of outputs. */
      readonly salt: number;
    },
  ): number {
    const { batch, next: from } = entry;
    const { rows } = batch;
    const { operator, cursor, outputs, chain, salt } = around;
    const end = Math.min(entry.end, from + most);
    cursor.bytes = rows.bytes / rows.length;
    let row = from;
    for (; row < end && !outputs.valve.blocked; row++) {
      cursor.keys = undefined;
      cursor.timestamp = rows.timestampAt(row);
      cursor.origin = rows.originAt(row);
      cursor.row = rows.originRowAt(row);
      cursor.sub = rows.subAt(row);
      cursor.salt = salt;
      cursor.left = 0;
      const value = rows.kind === "values" ? rows.valueAt(row) : undefined;
      operator.broadcast?.(this, value, chain);
    }
    entry.next = row;
    batch.left = entry.end - row;
    if (batch.left === 0) {
      this.shift();
      batch.channel.handled(rows.length, rows.bytes);
      rows.free();
    }
    return row - from;
  }
}
