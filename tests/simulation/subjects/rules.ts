/**
 * Records by key beside a broadcast of rules: every worker's copy of broadcast state sees each rule once, and so does each
 * key that is there.
 *
 * @module
 */

import { defineJob } from "../../../runtime/job.ts";
import type { Random } from "../../../runtime/random.ts";
import { store } from "../../../runtime/state/state.ts";
import { arraySource } from "../../../runtime/testing/simulated_connectors.ts";
import { transactionalSink } from "../../../runtime/testing/transactional_sink.ts";
import { differenceOf, disorderOf, type SimulatedJob, textsOf } from "../simulated_job.ts";
import { Turns } from "./turns.ts";

interface Item {
  readonly key: string;
  readonly n: number;
}

const END_AT = 10 ** 12;

/** A job of this kind. */
export function rules(random: Random): SimulatedJob {
  const keys = 1 + Math.floor(random() * 10);
  const count = new Map<string, number>();
  const items = Array.from({ length: 20 + Math.floor(random() * 80) }, (): Item => {
    const key = `k${Math.floor(random() * keys)}`;
    const n = (count.get(key) ?? 0) + 1;
    count.set(key, n);
    return { key, n };
  });
  const weights = Array.from({ length: 1 + Math.floor(random() * 30) }, (_, n) => n + 1);
  const total = weights.reduce((sum, n) => sum + n, 0);
  const batchRowsMax = 1 + Math.floor(random() * 8);
  return {
    name: "rules",
    workersMax: 3,
    make(around) {
      const turns = new Turns("apply", around);
      return defineJob({
        name: "rules",
        maxParallelism: 8,
        onError: "restart",
        sources: {
          items: arraySource<Item>(items, batchRowsMax),
          weights: arraySource<number>(weights, batchRowsMax),
        },
        sinks: { out: transactionalSink<string>() },
        build({ items, weights }, { out }) {
          items.keyBy(({ key }) => key).connectBroadcast(weights).process("apply", {
            state: {
              count: store.value(0),
              /** The sum of rules that the key has missed, and of those that it has seen. */
              missed: store.value(-1),
              seen: store.value(0),
            },
            broadcast: { sum: store.value(0), rules: store.list<number>() },
            onEvent({ n }, { key, state, broadcast, watermark, setTimer }) {
              turns.begin(key, watermark);
              around.mayThrow();
              if (n !== state.count.value + 1) {
                around.violation(`record ${n} of ${key} finds a count of ${state.count.value}`);
              }
              state.count.value = n;
              if (state.missed.value < 0) state.missed.value = broadcast.sum.value;
              if (state.missed.value + state.seen.value !== broadcast.sum.value) {
                around.violation(
                  `${key} has missed ${state.missed.value} and seen ${state.seen.value} of ${broadcast.sum.value}`,
                );
              }
              setTimer("end", END_AT);
              return [`${key} ${n}`];
            },
            onTimer(_, { key, state, broadcast }) {
              return [
                `${key} end ${state.missed.value + state.seen.value} ${broadcast.sum.value} ${
                  [...broadcast.rules].length
                }`,
              ];
            },
            onBroadcast(weight, { broadcast, forEachKey }) {
              broadcast.sum.value += weight;
              broadcast.rules.add(weight);
              forEachKey((_, { seen }) => {
                seen.value += weight;
              });
            },
          }).to(out);
        },
      });
    },
    check(outputs) {
      const expected = items.map(({ key, n }) => `${key} ${n}`);
      for (const key of count.keys()) {
        expected.push(`${key} end ${total} ${total} ${weights.length}`);
      }
      const texts = textsOf(outputs, "out");
      return differenceOf("out", texts, expected) ??
        disorderOf(
          "out",
          texts.filter((text) => !text.includes("end"))
            .map((
              text,
            ): [string, number] => [text.split(" ")[0] ?? "", Number(text.split(" ")[1])]),
        );
    },
  };
}
