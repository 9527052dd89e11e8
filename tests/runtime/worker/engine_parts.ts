/**
 * What parts of the engine are given when they are tested by themselves: failures that are written down, and a cursor
 * that stands at a record.
 *
 * @module
 */

import type { DeadLetter, ErrorPolicy } from "../../../runtime/dead_letter.ts";
import { Failures } from "../../../runtime/worker/failures.ts";
import type { Key } from "../../../runtime/key.ts";
import { RecordCursor } from "../../../runtime/worker/record_cursor.ts";
import type { Chain } from "../../../runtime/worker/stage_chain.ts";

/** Failures with what became of them: dead letters, and `policy: message` for the job. */
export class RecordedFailures extends Failures {
  readonly letters: DeadLetter[];
  readonly failed: string[];

  constructor(policy: ErrorPolicy = "resume") {
    const letters: DeadLetter[] = [];
    const failed: string[] = [];
    super(policy, {
      deadLetter: (letter) => letters.push(letter),
      failed: (error, policy) => failed.push(`${policy}: ${error.message}`),
    });
    this.letters = letters;
    this.failed = failed;
  }

  /** Operator, origin and reason of each dead letter. */
  get reasons(): readonly string[] {
    return this.letters.map(({ operator, origin, reason }) => `${operator} ${origin}: ${reason}`);
  }
}

/** A cursor at row `row` of shard `in/s0`, where positions are row numbers. */
export function cursorAt(
  row: number,
  more: { readonly key?: Key; readonly timestamp?: number; readonly bytes?: number } = {},
): RecordCursor {
  const { key, timestamp = -Infinity, bytes = 10 } = more;
  const origin = { shard: "in/s0", positionAt: String };
  const keys = key === undefined ? undefined : { keyAt: () => key };
  return Object.assign(new RecordCursor(), { origin, row, bytes, keys, timestamp });
}

/** What comes after an operator: its outputs are written down. */
export class RecordedChain implements Chain {
  readonly outputs: unknown[] = [];
  ended = false;
  readonly next = (value: unknown): void => void this.outputs.push(value);
  readonly sides = ["first side", "second side"].map((side) => (value: unknown) =>
    void this.outputs.push({ [side]: value })
  );

  batch(): number {
    throw new Error("No batches come out of an operator");
  }

  end(): void {
    this.ended = true;
  }

  close(): void {}
}
