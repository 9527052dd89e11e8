/**
 * Watermarks: generators are an `eventTime()`, a gate is the input of a keyed operator, splits are the shards of a
 * source that brings its own watermarks.
 *
 * @module
 */

import { defineJob } from "../../../runtime/job.ts";
import { SHARD_DISCOVERY_MS } from "../../../runtime/limits.ts";
import type { EventTimeOptions } from "../../../runtime/stream.ts";
import type { JobDriver } from "../../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../../runtime/testing/scripted_source.ts";
import { CollectedOutput } from "../collected_output.ts";
import { type CaseOptions, type Family, leadCase } from "../family.ts";
import {
  type GoldenCase,
  type GoldenObject,
  type GoldenOutput,
  goldenTimestamp,
  numberOf,
  objectOf,
  textOf,
  timeOf,
} from "../golden_file.ts";
import { eventOf, recordOf } from "./steps.ts";

/** Generators, gates and splits. */
export const watermark: Family = {
  name: "watermark",
  grouping: () => undefined,
  run(of, { seed, interrupt }) {
    // A generator is a shard's, a gate an operator's and a combination a source's on one worker: more would only watch.
    const options = { seed, interrupt, workers: 1, workersMax: 1 };
    const kind = textOf(of.spec, "kind");
    switch (kind) {
      case "generator":
        return runGenerator(of, options);
      case "valve":
        return runValve(of, options);
      case "splits":
        return runSplits(of, options);
      default:
        throw new TypeError(`Cannot run a watermark case of kind ${kind}`);
    }
  },
};

/** A record of a case is its element. */
const idOf = (element: GoldenObject, timestamp: number): GoldenObject => ({
  out: element["id"],
  ts: goldenTimestamp(timestamp),
});

// --- generators

function eventTimeOf(spec: GoldenObject): EventTimeOptions<GoldenObject> {
  const generator = textOf(spec, "generator");
  const field = spec["timestampField"];
  const timestamp = typeof field === "string"
    ? { timestamp: (element: GoldenObject) => numberOf(element, field) }
    : {};
  const idle = "idleness" in spec ? { idleAfter: numberOf(spec, "idleness") } : {};
  const common = { ...timestamp, ...idle, emitEvery: numberOf(spec, "interval") };
  switch (generator) {
    case "bounded":
      return { ...common, outOfOrderness: numberOf(spec, "bound") };
    case "monotonous":
      return common;
    case "punctuated":
      return {
        ...common,
        watermark: (element, time) => element["mark"] === true ? time : undefined,
      };
    case "none":
      return { ...common, watermark: "none" };
    default:
      throw new TypeError(`Cannot make the generator ${generator}`);
  }
}

/** The end of the input is that of its shard; another one goes on in its place, and ends with the last watermark. */
function runGenerator({ spec, input }: GoldenCase, options: CaseOptions) {
  const elements = new ScriptedSource<GoldenObject>({ shards: ["first"], bounded: true });
  const hasEnd = input.some((step) => "end" in step);
  if (hasEnd) elements.add("last", ["first"]);
  const output = new CollectedOutput(idOf);
  const job = defineJob({
    name: "generator",
    sources: { elements },
    sinks: { out: output.sink },
    build: ({ elements }, { out }) => elements.eventTime(eventTimeOf(spec)).to(out),
  });
  let over = false;
  const take = async (step: GoldenObject, driver: JobDriver) => {
    if ("processingTime" in step) return await driver.advanceTo(numberOf(step, "processingTime"));
    if ("end" in step) {
      over = true;
      return elements.end("first");
    }
    if (over && timeOf(step["watermark"]) === Infinity) return elements.end("last");
    elements.push(
      over ? "last" : "first",
      "element" in step ? recordOf(objectOf(step, "element"), step) : { event: eventOf(step) },
    );
  };
  return leadCase({ job, output, take, startTime: numberOf(spec, "start") }, input, options);
}

// --- gates

/** Channels are shards whose watermarks count for themselves, at the input of an operator. */
function runValve({ spec, input }: GoldenCase, options: CaseOptions) {
  const shards = Array.from({ length: numberOf(spec, "channels") }, (_, channel) => `${channel}`);
  const channels = new ScriptedSource<GoldenObject>({ shards, watermarks: "channels" });
  const output = new CollectedOutput(idOf);
  const job = defineJob({
    name: "valve",
    sources: { channels },
    sinks: { out: output.sink },
    build({ channels }, { out }) {
      channels
        .keyBy((element) => numberOf(element, "id"))
        .process("gate", { state: {}, onEvent: (element) => [element] })
        .to(out);
    },
  });
  const take = (step: GoldenObject) =>
    channels.push(String(numberOf(step, "channel")), { event: eventOf(step) });
  return leadCase({ job, output, take }, input, options);
}

// --- splits

/** Splits are shards; what is said of a period is said by one of those that are there. */
async function runSplits(
  { input }: GoldenCase,
  options: CaseOptions,
): Promise<readonly GoldenOutput[]> {
  const splits = new ScriptedSource<GoldenObject>({ shards: [], watermarks: "splits" });
  const output = new CollectedOutput(idOf);
  const job = defineJob({
    name: "splits",
    sources: { splits },
    sinks: { out: output.sink },
    build: ({ splits }, { out }) => splits.to(out),
  });
  const open = new Set<string>();
  const take = async (step: GoldenObject, driver: JobDriver) => {
    if ("add" in step) {
      const split = textOf(step, "add");
      open.add(split);
      splits.add(split);
      return await driver.advanceTo(driver.now + SHARD_DISCOVERY_MS);
    }
    if ("remove" in step) {
      const split = textOf(step, "remove");
      open.delete(split);
      return splits.end(split);
    }
    const [any] = open;
    if ("periodic" in step) {
      if (any !== undefined) splits.push(any, { event: { kind: "settle" } });
      return;
    }
    const deferred = step["deferred"] === true;
    splits.push(textOf(step, "split"), { event: { ...eventOf(step), deferred } });
  };
  const entries = await leadCase({ job, output, take }, input, options);
  // Flink's combination leaves it to what is behind it to say that a source is active again; ours says it with the
  // watermark that makes it so.
  return entries.filter((entry) => entry["status"] !== "active");
}
