/**
 * Scripts: what records of the process and coprocess families carry, and timers run.
 *
 * @module
 */

import { store } from "../../../runtime/state/state.ts";
import type { KeyedContext } from "../../../runtime/stream.ts";
import {
  finiteTimeOf,
  type GoldenObject,
  goldenTime,
  goldenTimestamp,
  numberOf,
  textOf,
} from "../golden_file.ts";

/** A row of a job: an output of a key, main or side. */
export type ScriptRow = GoldenObject & { readonly key: string };

/** An output as it is written. A record without a time has the smallest one in a side output of Flink's. */
export function writtenRow(row: ScriptRow, timestamp: number): GoldenObject {
  return { ...row, ts: "side" in row ? goldenTime(timestamp) : goldenTimestamp(timestamp) };
}

/** State of a key. */
export const SCRIPT_STATE = {
  value: store.value<number>(),
  list: store.list<number>(),
  map: store.map<string, number>(),
  /** How often an operation has been done that is to be done so many times at most, by its place in the script. */
  done: store.map<number, number>(),
};

/** What a script runs on. */
export type ScriptContext = KeyedContext<string, typeof SCRIPT_STATE> & {
  readonly side: { side(row: ScriptRow): void };
};

/** Who runs a script: a record, or a timer. */
export type ScriptCaller = { readonly on: string } & GoldenObject;

/** The operations of a script. */
export function opsOf(object: GoldenObject, field: string): readonly GoldenObject[] {
  const ops = object[field];
  return Array.isArray(ops) ? ops : [];
}

/** The caller that a firing timer is. */
export function timerCaller({ timeDomain, timestamp }: ScriptContext): ScriptCaller {
  return { on: "timer", domain: timeDomain, at: goldenTime(timestamp) };
}

/** Does what a script says; main outputs are yielded, in order with side outputs. */
export function* runScript(
  ops: readonly GoldenObject[],
  caller: ScriptCaller,
  context: ScriptContext,
): Generator<ScriptRow> {
  const { key, state } = context;
  for (const [position, op] of ops.entries()) {
    if ("max" in op) {
      const done = state.done.get(position) ?? 0;
      if (done >= numberOf(op, "max")) continue;
      state.done.set(position, done + 1);
    }
    const called = { ...caller, ts: goldenTimestamp(context.timestamp) };
    switch (op["op"]) {
      case "emit":
        yield { key, out: { ...called, ...seen(context) } };
        break;
      case "side":
        context.side.side({ key, side: { ...called, n: numberOf(op, "n") } });
        break;
      default:
        change(op, context);
    }
  }
}

/** State and clocks as a call sees them. */
function seen({ state, watermark, processingTime }: ScriptContext): GoldenObject {
  return {
    value: state.value.value ?? null,
    list: [...state.list],
    map: Object.fromEntries(state.map.entries()),
    wm: goldenTime(watermark),
    pt: processingTime,
  };
}

function change(op: GoldenObject, context: ScriptContext): void {
  const { state } = context;
  switch (op["op"]) {
    case "setEvent":
      return context.setTimer(eventTimeOf(op, context));
    case "delEvent":
      return context.clearTimer(eventTimeOf(op, context));
    case "setProc":
      return context.setProcessingTimer(processingTimeOf(op, context));
    case "delProc":
      return context.clearProcessingTimer(processingTimeOf(op, context));
    case "add":
      state.value.value = (state.value.value ?? 0) + numberOf(op, "n");
      return;
    case "clear":
      return state.value.clear();
    case "push":
      return state.list.add(numberOf(op, "n"));
    case "setList":
      state.list.clear();
      for (const n of Array.isArray(op["l"]) ? op["l"] : []) state.list.add(n);
      return;
    case "clearList":
      return state.list.clear();
    case "put":
      return state.map.set(textOf(op, "k"), numberOf(op, "n"));
    case "remove":
      return state.map.delete(textOf(op, "k"));
    case "clearMap":
      return state.map.clear();
    default:
      throw new TypeError(`Cannot do ${JSON.stringify(op)}: there is no such operation`);
  }
}

/** Relative to the record's or timer's time, or 0 if it has none. */
function eventTimeOf(op: GoldenObject, { timestamp }: ScriptContext): number {
  if ("at" in op) return finiteTimeOf(op["at"]);
  return (timestamp === -Infinity ? 0 : timestamp) + numberOf(op, "in");
}

function processingTimeOf(op: GoldenObject, { processingTime }: ScriptContext): number {
  return "at" in op ? finiteTimeOf(op["at"]) : processingTime + numberOf(op, "in");
}
