/**
 * What a stage's operators do with a record, as plain functions: each takes a value and hands what
 * it makes of it to the next. None throws: what fails is told to `failures` and costs the record in
 * this branch.
 *
 * @module
 */

import { plainRecord } from "../../connectors/raw_record.ts";
import type { OperatorFunction } from "../../deps.ts";
import { type Emit, stepOf } from "../../operators/fused.ts";
import type { EventTimeGenerator } from "../time/event_time.ts";
import type { NodeId, NodeOf } from "../topology.ts";
import type { Failures } from "./failures.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { RxChain } from "./rx_chain.ts";

/** A subscription of RxJS operators that an actor has, with the node that it belongs to. */
export interface OwnedChain {
  readonly node: NodeId;
  readonly rx: RxChain;
}

/** What all of a stage's functions work with. */
export interface FunctionSurroundings {
  readonly failures: Failures;
  /** Stands at the record in hand. */
  readonly cursor: RecordCursor;
}

/** `pipe()`: our own operators run as functions, runs of others as one subscription each. */
export function pipeFunction(
  node: NodeOf<"pipe">,
  after: Emit<unknown>,
  stage: string,
  { failures, cursor }: FunctionSurroundings,
  owned: OwnedChain[],
): Emit<unknown> {
  const name = `${stage}/pipe`;
  const refusals = {
    refuse: (value: unknown, reason: string) => failures.refused(name, value, reason, cursor),
  };
  const rxRun: OperatorFunction<unknown, unknown>[] = [];
  const closeRun = (emit: Emit<unknown>): Emit<unknown> => {
    if (rxRun.length === 0) return emit;
    const rx = new RxChain(rxRun.splice(0).reverse(), {
      emit,
      thrown: (value, error) => failures.thrown(name, value, error, cursor),
      outside: (what, cause) =>
        failures.fatal(
          new Error(
            `Cannot go on with pipe() behind "${stage}": an operator ${what} after the call; ` +
              "use mapAsync for what takes time",
            { cause },
          ),
        ),
    });
    owned.push({ node: node.id, rx });
    return (value) => rx.next(value);
  };
  let emit = after;
  for (const operator of node.operators.toReversed()) {
    const step = stepOf(operator);
    if (step === undefined) {
      rxRun.push(operator);
      continue;
    }
    const next = closeRun(emit);
    emit = (value) => {
      try {
        step(value, next, refusals);
      } catch (error) {
        failures.thrown(name, value, error, cursor);
      }
    };
  }
  return closeRun(emit);
}

/** `flatMapJson()`: what is invalid goes to `toInvalid` if there is one, else it fails. */
export function flatMapJsonFunction(
  node: NodeOf<"flatMapJson">,
  after: Emit<unknown>,
  toInvalid: Emit<unknown> | undefined,
  stage: string,
  { failures, cursor }: FunctionSurroundings,
): Emit<unknown> {
  const name = `${stage}/flatMapJson`;
  const refusals = {
    refuse: (value: unknown, reason: string) =>
      toInvalid === undefined
        ? failures.refused(name, value, reason, cursor)
        : toInvalid({ value: plainRecord(value), reason }),
  };
  return (value) => {
    try {
      node.step(value, after, refusals);
    } catch (error) {
      failures.thrown(name, value, error, cursor);
    }
  };
}

/**
 * `eventTime()`: behind it the record has its new time.
 *
 * @param raise called with what a record says itself of the watermark, once it has gone on
 */
export function eventTimeFunction(
  node: NodeOf<"eventTime">,
  after: Emit<unknown>,
  { generator, raise }: { generator: EventTimeGenerator; raise: (at: number) => void },
  stage: string,
  { failures, cursor }: FunctionSurroundings,
): Emit<unknown> {
  const name = `${stage}/eventTime`;
  const { watermark, timestamp: timestampOf } = node;
  const marked = typeof watermark === "function";
  return (value) => {
    const before = cursor.timestamp;
    let timestamp = before;
    let at: number | undefined;
    try {
      if (timestampOf !== undefined) timestamp = timestampOf(value);
      if (marked) at = watermark(value, timestamp);
    } catch (error) {
      return failures.thrown(name, value, error, cursor);
    }
    if (timestampOf !== undefined && !Number.isFinite(timestamp)) {
      return failures.refused(name, value, notTime("time", "timestamp", timestamp), cursor);
    }
    if (at !== undefined && !Number.isFinite(at)) {
      return failures.refused(name, value, notTime("watermark", "watermark", at), cursor);
    }
    cursor.timestamp = timestamp;
    generator.see(timestamp);
    after(value);
    cursor.timestamp = before;
    if (at !== undefined) raise(at);
  };
}

function notTime(what: string, by: string, found: number): string {
  return `Cannot take the record's ${what}: ${by}() gave ${found}, expected milliseconds since the epoch`;
}
