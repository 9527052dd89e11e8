/**
 * Two inputs, one ahead of the other in event time, that meet by key: what each side has brought by the end of both.
 *
 * @module
 */

import { defineJob } from "../../../runtime/job.ts";
import type { Random } from "../../../runtime/random.ts";
import { store } from "../../../runtime/state/state.ts";
import { arraySource } from "../../../runtime/testing/simulated_connectors.ts";
import { transactionalSink } from "../../../runtime/testing/transactional_sink.ts";
import { differenceOf, type SimulatedJob, textsOf } from "../simulated_job.ts";
import { Turns } from "./turns.ts";

interface Part {
  readonly key: number;
  readonly at: number;
  readonly amount: number;
}

const END_AT = 10 ** 12;

/** A job of this kind. */
export function pairs(random: Random): SimulatedJob {
  const [left, right] = [drawParts(random, 0), drawParts(random, Math.floor(random() * 500))];
  const batchRowsMax = 1 + Math.floor(random() * 12);
  return {
    name: "pairs",
    workersMax: 4,
    make(around) {
      const turns = new Turns("meet", around);
      return defineJob({
        name: "pairs",
        maxParallelism: 8,
        onError: "restart",
        sources: {
          left: arraySource<Part>(left, batchRowsMax),
          right: arraySource<Part>(right, batchRowsMax),
        },
        sinks: { met: transactionalSink<string>() },
        build({ left, right }, { met }) {
          const timed = (parts: typeof left) =>
            parts.eventTime({ timestamp: ({ at }) => at, outOfOrderness: 5 }).keyBy(({ key }) =>
              key
            );
          timed(left).connect(timed(right)).coFlatMap("meet", {
            state: { left: store.list<number>(), right: store.map<number, number>() },
            left({ amount }, { key, state, watermark, setTimer }) {
              turns.begin(String(key), watermark);
              around.mayThrow();
              state.left.add(amount);
              setTimer("end", END_AT);
            },
            right({ amount, at }, { key, state, watermark, setTimer }) {
              turns.begin(String(key), watermark);
              around.mayThrow();
              if (state.right.get(at) !== undefined) around.violation(`${key} at ${at} came twice`);
              state.right.set(at, amount);
              setTimer("end", END_AT);
              setTimer(at + 3);
            },
            onTimer(name, { key, state, timestamp, watermark }) {
              turns.begin(String(key), watermark);
              if (name !== "end") {
                return [`${key} at ${timestamp - 3}: ${state.right.get(timestamp - 3)}`];
              }
              const sum = [...state.left].reduce((sum, n) => sum + n, 0);
              const other = [...state.right.entries()].reduce((sum, [, n]) => sum + n, 0);
              return [`${key} end: ${[...state.left].length} ${sum}, ${other}`];
            },
          }).to(met);
        },
      });
    },
    check(outputs) {
      const expected = right.map(({ key, at, amount }) => `${key} at ${at}: ${amount}`);
      const sum = (parts: readonly Part[]) => parts.reduce((sum, { amount }) => sum + amount, 0);
      for (const key of new Set([...left, ...right].map(({ key }) => key))) {
        const [ofLeft, ofRight] = [left, right].map((parts) =>
          parts.filter((part) => part.key === key)
        );
        expected.push(`${key} end: ${ofLeft?.length} ${sum(ofLeft ?? [])}, ${sum(ofRight ?? [])}`);
      }
      return differenceOf("met", textsOf(outputs, "met"), expected);
    },
  };
}

function drawParts(random: Random, ahead: number): Part[] {
  const keys = 1 + Math.floor(random() * 15);
  return Array.from({ length: 10 + Math.floor(random() * 80) }, (_, index) => ({
    key: Math.floor(random() * keys),
    at: ahead + 10 * index + Math.floor(random() * 6),
    amount: Math.floor(random() * 100),
  }));
}
