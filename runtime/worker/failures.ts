/**
 * What happens when a record fails: a dead letter, and by the job's policy the end of it or of the whole attempt.
 *
 * @module
 */

import { DataLossError } from "../../connectors/source.ts";
import { type DeadLetter, type ErrorPolicy, letterValue, reasonOf } from "../dead_letter.ts";
import { originText } from "../transport/origin.ts";
import { outputId } from "./output_id.ts";
import type { RecordCursor } from "./record_cursor.ts";

/** Where a worker's failures end up. */
export interface FailureListener {
  /** @param id what a sink of dead letters knows it by: as of an output of the record */
  deadLetter(letter: DeadLetter, id: string): void;
  /** The job can't go on in this attempt. */
  failed(error: Error, policy: Exclude<ErrorPolicy, "resume">): void;
}

/** Makes dead letters and applies the policy. */
export class Failures {
  readonly #policy: ErrorPolicy;
  readonly #listener: FailureListener;

  constructor(policy: ErrorPolicy, listener: FailureListener) {
    this.#policy = policy;
    this.#listener = listener;
  }

  /** A record could not be processed because of a throw. */
  thrown(operator: string, value: unknown, error: unknown, cursor: RecordCursor): void {
    this.refused(operator, value, reasonOf(error), cursor, error);
  }

  /** A record could not be processed. */
  refused(
    operator: string,
    value: unknown,
    reason: string,
    cursor: RecordCursor,
    cause?: unknown,
  ): void {
    const { key, timestamp } = cursor;
    this.letter(
      {
        operator,
        ...(key === undefined ? {} : { key }),
        origin: originText(cursor.origin, cursor.row),
        reason,
        ...(timestamp === -Infinity ? {} : { timestamp }),
        value: letterValue(value),
      },
      outputId(cursor.origin, cursor.row, cursor.leaving()),
      cause,
    );
  }

  /** A dead letter that is already made. */
  letter(letter: DeadLetter, id: string, cause?: unknown): void {
    this.#listener.deadLetter(letter, id);
    if (this.#policy === "resume") return;
    const of = letter.origin === "" ? "a timer" : `the record at ${letter.origin}`;
    const error = new Error(`Operator "${letter.operator}" failed on ${of}: ${letter.reason}`, {
      cause,
    });
    this.#listener.failed(error, this.#policy);
  }

  /** Something else than a record failed: the job can't go on whatever the policy for records says. */
  fatal(error: unknown): void {
    const known = error instanceof Error ? error : new Error(String(error));
    // What is lost stays lost, however often the job starts again.
    const restarts = this.#policy === "restart" && !(known instanceof DataLossError);
    this.#listener.failed(known, restarts ? "restart" : "stop");
  }
}
