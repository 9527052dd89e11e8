/**
 * Counts records by key and again by bucket, over a stream whose shards split and merge: state of every kind, timers by
 * name and by time, a side output, calls under way, and two stages one behind the other.
 *
 * @module
 */

import { type RawRecord, textOf } from "../../../connectors/raw_record.ts";
import { fused } from "../../../operators/fused.ts";
import { defineJob } from "../../../runtime/job.ts";
import type { Random } from "../../../runtime/random.ts";
import { side } from "../../../runtime/side.ts";
import { store } from "../../../runtime/state/state.ts";
import { type Reshard, simulatedStream } from "../../../runtime/testing/simulated_stream.ts";
import { transactionalSink } from "../../../runtime/testing/transactional_sink.ts";
import { differenceOf, disorderOf, type SimulatedJob, textsOf } from "../simulated_job.ts";
import { Turns } from "./turns.ts";

interface Step {
  readonly key: string;
  /** Of its key, from 1. */
  readonly n: number;
  readonly at: number;
}

/** How long after a record its timer is due. */
const LATER_MS = 25;
/** The name of timers that fire at the end of the input. */
const END = "end";
const END_AT = 10 ** 12;
const BUCKETS = 4;

/** A job of this kind. */
export function counts(random: Random): SimulatedJob {
  const steps = drawSteps(random);
  const calls = random() < 0.4;
  /** Calls behind the source: what waits for them has been read, and has not gone on. */
  const looksUp = random() < 0.4;
  const source = {
    shards: 1 + Math.floor(random() * 3),
    batchRecordsMax: 1 + Math.floor(random() * 20),
    records: steps.map((step) => ({ partitionKey: step.key, data: step, at: step.at })),
  };
  const reshard = drawReshards(random, source.shards, steps.length);
  return {
    name: "counts",
    workersMax: 4,
    make(around) {
      const first = new Turns("count", around);
      const second = new Turns("sum", around);
      return defineJob({
        name: "counts",
        maxParallelism: 16,
        onError: "restart",
        sources: { steps: simulatedStream({ ...source, reshard }) },
        sinks: {
          first: transactionalSink<string>(),
          out: transactionalSink<string>(),
          tens: transactionalSink<string>(),
        },
        build({ steps }, sinks) {
          const read = steps.pipe(parsed);
          const looked = looksUp
            ? read.mapAsync("look up", async (step, { delay }) => {
              await delay(step.n % 5 * 4);
              return step;
            })
            : read;
          const counted = looked
            .eventTime({ timestamp: ({ at }) => at, outOfOrderness: 30 })
            .keyBy(({ key }) => key)
            .process("count", {
              state: {
                count: store.value(0),
                seen: store.list<number>(),
                last: store.map<string, number>(),
              },
              sides: { tens: side<string>() },
              onEvent({ n, at }, { key, state, watermark, timestamp, setTimer, side }) {
                first.begin(key, watermark);
                if (timestamp <= watermark) {
                  around.violation(
                    `record ${n} of ${key}, ${timestamp}, is late: the watermark is ${watermark}`,
                  );
                }
                around.mayThrow();
                const before = state.count.value;
                const found = [...state.seen].length;
                if (n !== before + 1 || found !== before || (state.last.get("n") ?? 0) !== before) {
                  around.violation(
                    `record ${n} of ${key} finds a count of ${before}, a list of ${found} and a map with ${
                      state.last.get("n")
                    }`,
                  );
                }
                state.count.value = n;
                state.seen.add(n);
                state.last.set("n", n);
                setTimer(at + LATER_MS);
                setTimer(END, END_AT);
                if (n % 10 === 0) side.tens(`${key} ${n}`);
                return [`${key} ${n}`];
              },
              onTimer(name, { key, state, watermark, timestamp }) {
                first.begin(key, watermark);
                return name === END
                  ? [`${key} end ${state.count.value}`]
                  : [`${key} fired ${timestamp}`];
              },
            });
          counted.to(sinks.first);
          counted.sides.tens.to(sinks.tens);
          const asked = calls
            ? counted.mapAsync("ask", async (text, { delay }) => {
              await delay(text.length * 3);
              return text;
            })
            : counted;
          asked.keyBy((text) => bucketOf(text))
            .process("sum", {
              state: { sum: store.value(0) },
              onEvent(text, { key, state, watermark, timestamp }) {
                second.begin(key, watermark);
                if (timestamp <= watermark) {
                  around.violation(
                    `"${text}" of ${timestamp} is late: the watermark is ${watermark}`,
                  );
                }
                return [`${key} ${++state.sum.value} ${text}`];
              },
            }).to(sinks.out);
        },
      });
    },
    check(outputs) {
      const [first, out] = [textsOf(outputs, "first"), textsOf(outputs, "out")];
      const expected = expectedOf(steps);
      const numbered = (texts: readonly string[]) =>
        texts.filter((text) => /^\S+ \d+$/.test(text))
          .map((text): [string, number] => [text.split(" ")[0] ?? "", Number(text.split(" ")[1])]);
      const summed = out.map((text): [string, number] => {
        const [bucket = "", n] = text.split(" ");
        return [bucket, Number(n)];
      });
      const inner = out.map((text) => text.split(" ").slice(2).join(" "));
      return differenceOf("first", first, expected) ??
        disorderOf("first", numbered(first)) ??
        differenceOf(
          "tens",
          textsOf(outputs, "tens"),
          expected.filter((text) => /0$/.test(text) && /^\S+ \d+$/.test(text)),
        ) ??
        differenceOf("out", inner, expected) ??
        disorderOf("out", numbered(inner)) ??
        disorderOf("buckets", summed);
    },
  };
}

const parsed = fused<RawRecord, Step>((record, emit) => emit(JSON.parse(textOf(record))));

function bucketOf(text: string): string {
  return `b${(text.charCodeAt(1) + text.charCodeAt(2)) % BUCKETS}`;
}

function expectedOf(steps: readonly Step[]): string[] {
  const last = new Map<string, number>();
  const texts: string[] = [];
  for (const { key, n, at } of steps) {
    texts.push(`${key} ${n}`, `${key} fired ${at + LATER_MS}`);
    last.set(key, n);
  }
  for (const [key, n] of last) texts.push(`${key} end ${n}`);
  return texts;
}

function drawSteps(random: Random): Step[] {
  const keys = 1 + Math.floor(random() * 20);
  const count = new Map<string, number>();
  return Array.from({ length: 20 + Math.floor(random() * 120) }, (_, index) => {
    const key = `k${Math.floor(random() ** 2 * keys)}`;
    const n = (count.get(key) ?? 0) + 1;
    count.set(key, n);
    // No two at the same time: each has a timer of its own.
    return { key, n, at: 10 * index + Math.floor(random() * 10) };
  });
}

function drawReshards(random: Random, shards: number, records: number): Reshard[] {
  if (random() < 0.5) return [];
  const after = Math.floor(random() * records);
  const splits: Reshard[] = [{ split: Math.floor(random() * shards), after }];
  // The children of the only change so far are neighbours.
  const merge: Reshard = {
    merge: [shards, shards + 1],
    after: after + Math.floor(random() * (records - after)),
  };
  return random() < 0.5 ? splits : [...splits, merge];
}
