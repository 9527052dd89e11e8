/**
 * Keyed process functions: state, timers by time in both domains, side outputs.
 *
 * @module
 */

import { defineJob } from "../../../runtime/job.ts";
import { side } from "../../../runtime/side.ts";
import { ScriptedSource } from "../../../runtime/testing/scripted_source.ts";
import { CollectedOutput } from "../collected_output.ts";
import { type Family, leadCase } from "../family.ts";
import { type GoldenObject, numberOf, objectOf, textOf } from "../golden_file.ts";
import {
  opsOf,
  runScript,
  SCRIPT_STATE,
  type ScriptRow,
  timerCaller,
  writtenRow,
} from "./script.ts";
import { eventOf, recordOf } from "./steps.ts";

/** Keyed process functions by script. */
export const process: Family = {
  name: "process",
  grouping: ({ key }) => String(key),
  run({ spec, input }, options) {
    const elements = new ScriptedSource<GoldenObject>({ shards: ["in"], watermarks: "channels" });
    const output = new CollectedOutput(writtenRow);
    const onTimer = opsOf(spec, "onTimer");
    const job = defineJob({
      name: "process",
      sources: { elements },
      sinks: { out: output.sink },
      build({ elements }, { out }) {
        const scripted = elements.keyBy((step) => textOf(step, "key")).process("script", {
          state: SCRIPT_STATE,
          sides: { side: side<ScriptRow>() },
          *onEvent(step, context) {
            const element = objectOf(step, "element");
            const caller = { on: "element", id: numberOf(element, "id") };
            yield* runScript(opsOf(element, "ops"), caller, context);
          },
          *onTimer(_, context) {
            yield* runScript(onTimer, timerCaller(context), context);
          },
        });
        scripted.to(out);
        scripted.sides.side.to(out);
      },
    });
    return leadCase(
      {
        job,
        output,
        async take(step, driver) {
          if ("processingTime" in step) await driver.advanceTo(numberOf(step, "processingTime"));
          else {elements.push(
              "in",
              "element" in step ? recordOf(step, step) : { event: eventOf(step) },
            );}
        },
      },
      input,
      options,
    );
  },
};
