/**
 * Functions of two inputs: scripts and bookings over shared state, and rules that are broadcast.
 *
 * @module
 */

import { defineJob } from "../../../runtime/job.ts";
import { store } from "../../../runtime/state/state.ts";
import { side } from "../../../runtime/side.ts";
import type { KeyedContext, KeyedStream, Stream } from "../../../runtime/stream.ts";
import type { Sink } from "../../../connectors/sink.ts";
import { ScriptedSource } from "../../../runtime/testing/scripted_source.ts";
import { CollectedOutput } from "../collected_output.ts";
import { type Family, leadCase } from "../family.ts";
import { type GoldenObject, goldenTime, numberOf, objectOf, textOf } from "../golden_file.ts";
import {
  opsOf,
  runScript,
  SCRIPT_STATE,
  type ScriptRow,
  timerCaller,
  writtenRow,
} from "./script.ts";
import { eventOf, recordOf } from "./steps.ts";

/** A record of one side: a step of the input. */
type Keyed = KeyedStream<string, GoldenObject>;
/** What a function is built of. */
interface Building {
  readonly spec: GoldenObject;
  readonly left: Keyed;
  readonly right: Stream<GoldenObject>;
  readonly out: Sink<ScriptRow>;
}

const keyOf = (step: GoldenObject) => textOf(step, "key");
const idOf = (step: GoldenObject, of: "left" | "right") => numberOf(objectOf(step, of), "id");

/** Functions of two inputs. */
export const coprocess: Family = {
  name: "coprocess",
  grouping: ({ key }) => String(key),
  run({ spec, input }, options) {
    const one = () => new ScriptedSource<GoldenObject>({ shards: ["in"], watermarks: "channels" });
    const sources = { left: one(), right: one() };
    const output = new CollectedOutput(writtenRow);
    const job = defineJob({
      name: "coprocess",
      sources,
      sinks: { out: output.sink },
      build({ left, right }, { out }) {
        build({ spec, left: left.keyBy(keyOf), right, out });
      },
    });
    return leadCase(
      {
        job,
        output,
        async take(step, driver) {
          if ("processingTime" in step) {
            return await driver.advanceTo(
              numberOf(step, "processingTime"),
            );
          }
          for (const from of ["left", "right"] as const) {
            const [watermark, status] = [step[`${from}Watermark`], step[`${from}Status`]];
            if (from in step) sources[from].push("in", recordOf(step, step));
            if (watermark !== undefined) {
              sources[from].push("in", { event: eventOf({ watermark }) });
            }
            if (status !== undefined) sources[from].push("in", { event: eventOf({ status }) });
          }
        },
      },
      input,
      options,
    );
  },
};

function build(building: Building): void {
  const name = textOf(building.spec, "function");
  switch (name) {
    case "script":
      return buildScript(building);
    case "booking":
    case "bookingFlatMap":
      return buildBooking(building);
    case "broadcast":
      return buildBroadcast(building);
    default:
      throw new TypeError(`Cannot build the function ${name}`);
  }
}

function buildScript({ spec, left, right, out }: Building): void {
  const onTimer = opsOf(spec, "onTimer");
  const scripted = left.connect(right.keyBy(keyOf)).coFlatMap("script", {
    state: SCRIPT_STATE,
    sides: { side: side<ScriptRow>() },
    *left(step, context) {
      const ops = opsOf(objectOf(step, "left"), "ops");
      yield* runScript(ops, { on: "left", id: idOf(step, "left") }, context);
    },
    *right(step, context) {
      const ops = opsOf(objectOf(step, "right"), "ops");
      yield* runScript(ops, { on: "right", id: idOf(step, "right") }, context);
    },
    *onTimer(_, context) {
      yield* runScript(onTimer, timerCaller(context), context);
    },
  });
  scripted.to(out);
  scripted.sides.side.to(out);
}

const BOOKING_STATE = {
  booking: store.value<number>(),
  count: store.value(0),
  timer: store.value<number>(),
};
type BookingContext = KeyedContext<string, typeof BOOKING_STATE>;

function buildBooking({ spec, left, right, out }: Building): void {
  const need = numberOf(spec, "need");
  const timeout = "timeout" in spec ? numberOf(spec, "timeout") : undefined;
  // The flat map of the family says no watermark.
  const clock = ({ watermark }: BookingContext) =>
    textOf(spec, "function") === "booking" ? { wm: goldenTime(watermark) } : {};
  const clear = ({ state }: BookingContext) => {
    state.booking.clear();
    state.count.clear();
    state.timer.clear();
  };
  const complete = (context: BookingContext): ScriptRow[] => {
    const { key, state: { booking, count, timer } } = context;
    if (booking.value === undefined || count.value < need) return [];
    const row = { key, out: { booking: booking.value, count: count.value, ...clock(context) } };
    if (timer.value !== undefined) context.clearTimer(timer.value);
    clear(context);
    return [row];
  };
  left.connect(right.keyBy(keyOf)).coFlatMap("booking", {
    state: BOOKING_STATE,
    left(step, context) {
      const { booking, timer } = context.state;
      booking.value = idOf(step, "left");
      if (timeout !== undefined && timer.value === undefined) {
        timer.value = context.timestamp + timeout;
        context.setTimer(timer.value);
      }
      return complete(context);
    },
    right(_, context) {
      context.state.count.value++;
      return complete(context);
    },
    onTimer(_, context) {
      const { key, timestamp, state: { booking, count } } = context;
      const expired = booking.value ?? null;
      const row = {
        key,
        out: { expired, count: count.value, at: goldenTime(timestamp), ...clock(context) },
      };
      clear(context);
      return [row];
    },
  }).to(out);
}

/** What the broadcast function puts out. */
type BroadcastRow = { readonly key: string; readonly out: GoldenObject };

function buildBroadcast({ spec, left, right, out }: Building): void {
  const delay = "delay" in spec ? numberOf(spec, "delay") : undefined;
  const rulesFor = (sum: number, rules: Iterable<[string, number]>) =>
    [...rules].flatMap(([rule, min]) => min <= sum ? [rule] : []).sort();
  left.connectBroadcast(right).process("rules", {
    state: { sum: store.value<number>() },
    broadcast: { rules: store.map<string, number>() },
    onEvent(step, { key, state, broadcast, timestamp, watermark, setTimer }): BroadcastRow[] {
      const element = objectOf(step, "left");
      const sum = state.sum.value = (state.sum.value ?? 0) + numberOf(element, "v");
      if (delay !== undefined) setTimer(timestamp + delay);
      const rules = rulesFor(sum, broadcast.rules.entries());
      return [{ key, out: { sum, rules, id: numberOf(element, "id"), wm: goldenTime(watermark) } }];
    },
    onBroadcast(step, { broadcast, forEachKey }) {
      const element = objectOf(step, "right");
      if ("dump" in element) {
        forEachKey((key: string, state) => {
          const { sum } = state;
          if (sum.value === undefined) return;
          const row = { key, out: { dump: sum.value, id: numberOf(element, "id") } };
          if (element["dump"] === "clear") sum.clear();
          return [row];
        });
      } else if (element["remove"] === true) broadcast.rules.delete(textOf(element, "rule"));
      else broadcast.rules.set(textOf(element, "rule"), numberOf(element, "min"));
    },
    onTimer(_, { key, state, broadcast, timestamp, watermark }) {
      const sum = state.sum.value ?? 0;
      const rules = rulesFor(sum, broadcast.rules.entries());
      return [{ key, out: { sum, rules, at: goldenTime(timestamp), wm: goldenTime(watermark) } }];
    },
  }).to(out);
}
