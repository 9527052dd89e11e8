import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Autoscaler } from "../../../runtime/scaling/autoscaler.ts";
import { explain, type ScalingDecision } from "../../../runtime/scaling/decision.ts";
import type { ScalingOptions } from "../../../runtime/scaling/scaling_options.ts";
import { eachSecond, fewMoves, worthwhileMoves } from "./naive.ts";
import {
  type Decide,
  even,
  flat,
  type JobRun,
  reversals,
  ScaledJob,
  type ScaledJobOptions,
  sine,
  step,
  zipf,
} from "./scaled_job.ts";

const WORKERS_MAX = 8;
const base: ScaledJobOptions = {
  demand: step,
  seconds: 600,
  seed: 7,
  keyGroups: 128,
  skew: even(128),
  workers: 1,
  noise: 0.3,
};

function scaled(options: Partial<ScaledJobOptions>, scaling: ScalingOptions = {}): JobRun {
  const all = { ...base, ...options };
  const { keyGroups } = all;
  const scaler = new Autoscaler({ maxWorkers: WORKERS_MAX, ...scaling }, { cores: 9, keyGroups });
  return run(all, (snapshot) => scaler.decide(snapshot));
}

function run(options: Partial<ScaledJobOptions>, decide: Decide): JobRun {
  return new ScaledJob({ ...base, ...options }, decide).run();
}

const log = (run: JobRun) =>
  run.decisions.filter(({ kind }) => kind !== "stay")
    .map((decision) => `${decision.at / 1000} ${explain(decision)}`).join("\n");
const workersAt = ({ seconds }: JobRun, second: number) => seconds[second - 1]?.workers ?? NaN;
const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Demands over key groups; single tests take some of them. */
const skews = [
  ["even, 128", even(128)],
  ["even, 512", even(512)],
  ["Zipf 0.8, 128", zipf(128, 0.8, 10_000, 7)],
  ["Zipf 0.8, 512", zipf(512, 0.8, 10_000, 7)],
  ["Zipf 1.1, 128", zipf(128, 1.1, 10_000, 7)],
  ["Zipf 1.1, 512", zipf(512, 1.1, 10_000, 7)],
] as const;

describe("a demand of 0.3, then 4.5, then 0.5 cores", () => {
  for (const [name, skew] of skews.filter((_, index) => [0, 2, 4, 5].includes(index))) {
    const keyGroups = skew.shares.length;
    for (const mailbox of [undefined, 0.1]) {
      const bound = mailbox === undefined ? {} : { mailbox };
      it(`is followed within 5 s up and 61 s down (${name}, mailbox ${mailbox})`, () => {
        const job = scaled({ skew, keyGroups, ...bound });
        assertEquals(workersAt(job, 60), 1);
        assert(workersAt(job, 65) > 1, log(job));
        assert(workersAt(job, 70) >= 6, log(job));
        // A minute, and the look at which it shows.
        assert(workersAt(job, 241) < workersAt(job, 180), log(job));
        assert(workersAt(job, 600) <= 2, log(job));
        // All that had to wait is done half a minute later.
        const waiting = job.seconds.filter(({ second, backlog }) => second > 110 && backlog > 0.5);
        assertEquals(waiting.length, 0, log(job));
      });
    }
  }

  it("is followed by workers that take 2 s to start", () => {
    const job = scaled({ startSeconds: 2, mailbox: 0.1 });
    assert(workersAt(job, 68) > 1 && workersAt(job, 75) >= 6, log(job));
    assert(reversals(job) <= 1);
  });

  it("is planned for as it is, not for an average that lags behind", () => {
    const up = scaled({ seconds: 70 }).decisions.find(({ kind }) => kind === "scale up");
    assert(up !== undefined && up.figures.cores > 4, `${up?.figures.cores}`);
  });

  it("gives the same decisions for the same seed", () => {
    const decisions = () => JSON.stringify(scaled({ seed: 3 }).decisions);
    assertEquals(decisions(), decisions());
  });
});

describe("ten minutes with noise", () => {
  const noises: readonly (readonly [string, Partial<ScaledJobOptions>])[] = [
    ["30 % measured", { noise: 0.3 }],
    ["60 % measured", { noise: 0.6 }],
    ["30 % measured, 30 % of the demand", { noise: 0.3, demandNoise: 0.3 }],
  ];
  for (const [noise, options] of noises) {
    for (const [shape, demand] of Object.entries({ step, sine, flat })) {
      it(`does not make it flap: ${shape}, ${noise}`, () => {
        for (const [name, skew] of skews.filter((_, index) => [0, 3, 4].includes(index))) {
          const job = scaled({ skew, keyGroups: skew.shares.length, demand, ...options });
          const most = demand === flat ? 0 : 1;
          assert(reversals(job) <= most, `${name}: ${reversals(job)}\n${log(job)}`);
          assert(job.moves < 10 * skew.shares.length, `${name}: ${job.moves} moves`);
          for (const { workers } of job.seconds) assert(workers >= 1 && workers <= WORKERS_MAX);
        }
      });
    }
  }

  it("moves few key groups while nothing changes", () => {
    const job = scaled({ demand: flat, workers: 6, seconds: 600 }, { minWorkers: 6 });
    const late = job.decisions.filter(({ at, kind }) => at > 30_000 && kind === "rebalance");
    assert(late.length <= 3, log(job));
  });
});

describe("keys with a Zipf(1.1) skew", () => {
  const named = (decision: ScalingDecision) =>
    decision.kind === "hot key" ? decision.keys[0]?.key ?? "" : "";

  for (const keyGroups of [128, 512]) {
    for (const cores of [2, 4]) {
      it(`end within 10 % of even, or the key is named: ${keyGroups} key groups, ${cores} cores`, () => {
        for (let seed = 1; seed <= 6; seed++) {
          const skew = zipf(keyGroups, 1.1, 10_000, seed);
          const options = { skew, keyGroups, seed, workers: 5, seconds: 180, demand: () => cores };
          const job = scaled(options, { policy: "none" });
          const end = job.seconds.slice(-60);
          const overMean = mean(end.map(({ overMean }) => overMean));
          const names = new Set(job.decisions.map(named));
          assert(overMean <= 1.1 || names.has("key-1"), `seed ${seed}: ${overMean}\n${log(job)}`);
          assert(mean(end.map(({ unevenness }) => unevenness)) <= 1.1, `seed ${seed}\n${log(job)}`);
        }
      });
    }
  }

  it("are even within seconds from the start, where they can be", () => {
    const skew = zipf(128, 0.8, 10_000, 3);
    const job = scaled({ skew, workers: 4, demand: () => 2, noise: 0 }, { policy: "none" });
    const late = job.seconds.filter(({ second, unevenness }) => second > 10 && unevenness > 1.1);
    assertEquals(late.length, 0, log(job));
  });

  it("has the hottest key named, and no workers added for it, where it needs more than a core", () => {
    const skew = zipf(128, 1.5, 1000, 5);
    const job = scaled({ skew, demand: () => 3, mailbox: 0.1, workers: 3, seconds: 300 });
    assert(job.decisions.some((decision) => named(decision) === "key-1"), log(job));
    assert(Math.max(...job.seconds.map(({ workers }) => workers)) <= 5, log(job));
  });
});

describe("a slow sink", () => {
  it("is no reason for workers, and is named", () => {
    const job = scaled({ demand: () => 2, sink: 0.8, mailbox: 0.1, workers: 4, seconds: 120 });
    assert(job.seconds.every(({ workers }) => workers <= 4), log(job));
    const reasons = job.decisions.map((decision) =>
      decision.kind === "blocked" ? decision.reason : ""
    );
    assert(reasons.includes("back-pressure"), log(job));
  });
});

describe("traps", () => {
  /** Many small key groups, all on the first of eight workers. */
  const small = {
    demand: () => 0.9,
    workers: 8,
    packed: true,
    keyGroups: 512,
    skew: even(512),
    noise: 0,
    seconds: 90,
  };

  it("are judging each move: with many small key groups none is worth it", () => {
    const naive = run(small, worthwhileMoves(0.05));
    assert((naive.seconds.at(-1)?.unevenness ?? 0) > 4);
    const job = scaled(small, { policy: "none" });
    const [first] = job.seconds.filter(({ unevenness }) => unevenness < 1.1);
    assert(first !== undefined && first.second <= 6, log(job));
  });

  it("are making few moves at a time: the load is over before they are done", () => {
    const within = ({ seconds }: JobRun) =>
      seconds.find(({ unevenness }) => unevenness < 1.1)?.second ?? Infinity;
    const [naive, ours] = [run(small, fewMoves(8)), scaled(small, { policy: "none" })].map(within);
    assert((naive ?? 0) >= 15 && (ours ?? Infinity) <= 6, `${naive} s, ${ours} s`);
  });

  it("are having what the last second took: it flaps", () => {
    const noisy = { demand: flat, demandNoise: 0.3, noise: 0.3, seconds: 600, workers: 6 };
    const naive = run(noisy, eachSecond(WORKERS_MAX));
    const ours = scaled(noisy);
    assert(
      reversals(naive) > 100 && reversals(ours) <= 1,
      `${reversals(naive)}, ${reversals(ours)}`,
    );
    assert(naive.moves > 10 * ours.moves, `${naive.moves}, ${ours.moves}`);
  });
});

describe("kinesis-data-analytics", () => {
  it("doubles after a quarter of an hour, and halves after six hours", () => {
    const hour = 3600;
    const demand = (second: number) => second < 300 ? 0.3 : second < hour ? 1.9 : 0.05;
    const few = { keyGroups: 16, skew: even(16), mailbox: 0.5 };
    const job = scaled({ ...few, demand, seconds: 8 * hour, noise: 0.1 }, {
      policy: "kinesis-data-analytics",
    });
    const changes = job.decisions.flatMap((decision) =>
      decision.kind === "scale up" || decision.kind === "scale down"
        ? [[decision.from, decision.to, Math.round(decision.at / 60_000)] as const]
        : []
    );
    // After 15 minutes, and 15 more; then the backlog is done, and there are 6 hours below 10 %.
    assertEquals(changes.map(([from, to]) => [from, to]).slice(0, 2), [[1, 2], [2, 4]]);
    assertEquals(changes[0]?.[2], 20);
    assertEquals(changes[1]?.[2], 35);
    const [from, , minute = 0] = changes.at(-1) ?? [];
    assertEquals(from, changes.at(-2)?.[1]);
    assert(minute >= 60 + 360 && minute <= 60 + 362, `${minute}\n${log(job)}`);
  });
});
