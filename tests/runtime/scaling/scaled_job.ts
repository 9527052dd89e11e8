/**
 * A seeded model of a job under load: sources, key groups with bounded mailboxes, workers of one core each. It carries
 * out what is decided, in virtual seconds, and measures what came of it.
 *
 * @module
 */

import type { ScalingDecision } from "../../../runtime/scaling/decision.ts";
import { fairShare } from "../../../runtime/scaling/fair_share.ts";
import type { GroupMove } from "../../../runtime/scaling/layout.ts";
import type {
  GroupLoad,
  LoadSnapshot,
  WorkerLoad,
} from "../../../runtime/scaling/load_snapshot.ts";
import { type Random, seededRandom } from "../../../runtime/random.ts";

/** Demand in cores at a time in seconds. */
export type Demand = (second: number) => number;

/** The job and its load. */
export interface ScaledJobOptions {
  readonly demand: Demand;
  readonly seconds: number;
  readonly seed: number;
  readonly keyGroups: number;
  /** Share of the demand of each key group, and what is known of its keys. */
  readonly skew: Skew;
  readonly workers: number;
  /** Log-normal noise of what is measured of each key group: 0.3 is 30 %. */
  readonly noise: number;
  /** Log-normal noise of the demand itself, from second to second. */
  readonly demandNoise?: number;
  /** Core-seconds of rows that a mailbox holds; then the sources stop, and their lag grows. No bound by default. */
  readonly mailbox?: number;
  /** State of each key group, bytes. */
  readonly bytes?: number;
  /** What the job can put out, in cores of work; no bound by default. */
  readonly sink?: number;
  /** Whether the first worker has all key groups at first. */
  readonly packed?: boolean;
  /** Seconds a new worker takes to start. */
  readonly startSeconds?: number;
}

/** Who decides. */
export type Decide = (snapshot: LoadSnapshot) => readonly ScalingDecision[];

/** One second of a run. */
export interface JobSecond {
  readonly second: number;
  readonly demand: number;
  readonly workers: number;
  /** Largest true demand of a worker, over what it would be if all were as even as they can be. */
  readonly unevenness: number;
  /** The same over the mean of all. */
  readonly overMean: number;
  /** Core-seconds that wait. */
  readonly backlog: number;
}

/** What came of a run. */
export interface JobRun {
  readonly seconds: readonly JobSecond[];
  readonly decisions: readonly ScalingDecision[];
  readonly moves: number;
}

/** How demand is spread over key groups. */
export interface Skew {
  readonly shares: readonly number[];
  /** The hottest key of each key group and its share of it. */
  readonly hottest: readonly { readonly key: string; readonly share: number }[];
}

const ROW_CORE_SECONDS = 1e-5;
const STEPS = 10;

/** Keys of which the k-th is k^-s as frequent as the first, each in a key group that the seed says. */
export function zipf(keyGroups: number, s: number, keys: number, seed: number): Skew {
  const random = seededRandom(seed);
  const shares = new Array<number>(keyGroups).fill(0);
  const hottest = shares.map(() => ({ key: "", share: 0 }));
  let total = 0;
  for (let k = 1; k <= keys; k++) total += k ** -s;
  for (let k = 1; k <= keys; k++) {
    const group = Math.floor(random() * keyGroups);
    const share = k ** -s / total;
    shares[group] = (shares[group] ?? 0) + share;
    if (share > (hottest[group]?.share ?? 0)) hottest[group] = { key: `key-${k}`, share };
  }
  return {
    shares,
    hottest: hottest.map(({ key, share }, group) => ({ key, share: share / (shares[group] || 1) })),
  };
}

/** Every key group alike. */
export function even(keyGroups: number): Skew {
  return {
    shares: new Array<number>(keyGroups).fill(1 / keyGroups),
    hottest: new Array(keyGroups).fill({ key: "any", share: 0.01 }),
  };
}

/** 0.3 cores, from second 60 on 4.5, from second 180 on 0.5. */
export const step: Demand = (second: number): number =>
  second < 60 ? 0.3 : second < 180 ? 4.5 : 0.5;
/** 1 to 4 cores and back within 63 s. */
export const sine: Demand = (second: number): number =>
  2.5 - 1.5 * Math.cos(2 * Math.PI * second / 63);
/** 4 cores. */
export const flat: Demand = (): number => 4;

interface Group {
  worker: number;
  queue: number;
  /** Seconds for which rows have waited. */
  age: number;
  busy: number;
}

interface Worker {
  readonly since: number;
  busy: number;
  blocked: number;
}

/** A job under load. */
export class ScaledJob {
  readonly #options: ScaledJobOptions;
  readonly #random: Random;
  readonly #groups: Group[];
  readonly #workers = new Map<number, Worker>();
  readonly #decide: Decide;
  #starting: { at: number; moves: readonly GroupMove[]; added: readonly number[] } | undefined;
  /** Core-seconds that the sources have not read yet. */
  #behind = 0;
  #moves = 0;

  constructor(options: ScaledJobOptions, decide: Decide) {
    this.#options = options;
    this.#decide = decide;
    this.#random = seededRandom(options.seed);
    const { keyGroups, workers, packed = false } = options;
    for (let worker = 0; worker < workers; worker++) {
      this.#workers.set(worker, { since: -60, busy: 0, blocked: 0 });
    }
    this.#groups = Array.from({ length: keyGroups }, (_, group) => ({
      worker: packed ? 0 : Math.floor(group * workers / keyGroups),
      queue: 0,
      age: 0,
      busy: 0,
    }));
  }

  /** All of it. */
  run(): JobRun {
    const seconds: JobSecond[] = [];
    const decisions: ScalingDecision[] = [];
    const { demand, seconds: length, demandNoise = 0 } = this.#options;
    for (let second = 0; second < length; second++) {
      const offered = demand(second) * this.#noise(demandNoise);
      this.#work(offered);
      this.#start(second + 1);
      const made = this.#decide(this.#snapshot(second + 1, Math.max(1e-9, demand(second))));
      decisions.push(...made);
      for (const decision of made) this.#carryOut(decision, second + 1);
      seconds.push(this.#measure(second + 1, demand(second)));
    }
    return { seconds, decisions, moves: this.#moves };
  }

  #noise(sigma: number): number {
    if (sigma === 0) return 1;
    // Box and Muller; the mean of what comes out is 1.
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) *
      Math.cos(2 * Math.PI * this.#random());
    return Math.exp(sigma * normal - sigma ** 2 / 2);
  }

  #work(offered: number): void {
    const { skew: { shares }, mailbox = Infinity, sink = Infinity } = this.#options;
    for (const worker of this.#workers.values()) worker.busy = worker.blocked = 0;
    for (const group of this.#groups) group.busy = 0;
    for (let step = 0; step < STEPS; step++) {
      let read = this.#behind + offered / STEPS;
      const all = read;
      for (const [group, { queue }] of this.#groups.entries()) {
        read = Math.min(read, Math.max(0, mailbox - queue) / (shares[group] ?? 1));
      }
      this.#behind = all - read;
      const queued = new Map<number, number>();
      for (const [index, group] of this.#groups.entries()) {
        group.queue += read * (shares[index] ?? 0);
        queued.set(group.worker, (queued.get(group.worker) ?? 0) + group.queue);
      }
      const allowed = sink / STEPS;
      const wanted = [...queued.values()].reduce(
        (sum, queue) => sum + Math.min(queue, 1 / STEPS),
        0,
      );
      const part = Math.min(1, allowed / Math.max(1e-12, wanted));
      for (const group of this.#groups) {
        const onWorker = queued.get(group.worker) ?? 0;
        const done = onWorker === 0 ? 0 : group.queue * Math.min(1, 1 / STEPS / onWorker) * part;
        group.queue -= done;
        group.busy += done;
        group.age = group.queue < 1e-9 ? 0 : group.age + 1 / STEPS;
        const worker = this.#workers.get(group.worker);
        if (worker !== undefined) worker.busy += done;
      }
      for (const [number, worker] of this.#workers) {
        if (part < 1) {
          worker.blocked += Math.min(1 / STEPS, queued.get(number) ?? 0) * (1 - part);
        }
      }
    }
  }

  #snapshot(second: number, demand: number): LoadSnapshot {
    const { noise, bytes = 1e5, skew: { hottest }, mailbox } = this.#options;
    const workers = [...this.#workers].map(([worker, { since, busy, blocked }]): WorkerLoad => ({
      worker,
      // The thread's CPU time comes in steps of 10 ms.
      cpuMs: Math.round(busy * 100) * 10,
      busyMs: busy * 1000,
      backPressuredMs: blocked * 1000,
      runQueueMs: 0,
      gcShare: 0,
      ageMs: (second - since) * 1000,
    }));
    const groups = this.#groups.map(({ worker, queue, busy, age }, group): GroupLoad => {
      const { key, share } = hottest[group] ?? { key: "", share: 0 };
      return {
        group,
        worker,
        busyMs: busy * this.#noise(noise) * 1000,
        rows: Math.round(busy / ROW_CORE_SECONDS),
        waiting: Math.round(queue / ROW_CORE_SECONDS),
        oldestMs: Math.min(age, queue / Math.max(1e-9, busy)) * 1000,
        bytes,
        keys: [{ stage: "sum", key, share }],
      };
    });
    return {
      at: second * 1000,
      intervalMs: 1000,
      workers,
      groups,
      lagMs: mailbox === undefined ? -1 : this.#behind / demand * 1000,
      underWay: this.#starting === undefined ? "nothing" : "hand-over",
    };
  }

  #carryOut(decision: ScalingDecision, second: number): void {
    switch (decision.kind) {
      case "scale up":
        this.#starting = {
          at: second + (this.#options.startSeconds ?? 0),
          moves: decision.moves,
          added: decision.added,
        };
        this.#start(second);
        break;
      case "scale down":
        this.#move(decision.moves);
        for (const worker of decision.removed) {
          if (this.#groups.some((group) => group.worker === worker)) {
            throw new Error(`Worker ${worker} was removed with key groups`);
          }
          this.#workers.delete(worker);
        }
        break;
      case "rebalance":
        this.#move(decision.moves);
    }
  }

  #start(second: number): void {
    if (this.#starting === undefined || second < this.#starting.at) return;
    for (const worker of this.#starting.added) {
      this.#workers.set(worker, { since: second, busy: 0, blocked: 0 });
    }
    this.#move(this.#starting.moves);
    this.#starting = undefined;
  }

  #move(moves: readonly GroupMove[]): void {
    this.#moves += moves.length;
    for (const { group, from, to } of moves) {
      const moved = this.#groups[group];
      if (moved === undefined || moved.worker !== from || !this.#workers.has(to)) {
        throw new Error(`Key group ${group} can't move from worker ${from} to ${to}`);
      }
      moved.worker = to;
    }
  }

  #measure(second: number, demand: number): JobSecond {
    const { shares } = this.#options.skew;
    const groups = this.#groups.map(({ worker }, group) => ({
      group,
      worker,
      cores: demand * (shares[group] ?? 0),
      oldestMs: 0,
      bytes: 0,
      keys: [],
    }));
    const loads = new Map<number, number>();
    for (const { worker, cores } of groups) loads.set(worker, (loads.get(worker) ?? 0) + cores);
    const fair = fairShare({ cores: demand, groups }, this.#workers.size);
    const best = Math.max(fair.cores, fair.heavy[0]?.cores ?? 0);
    return {
      second,
      demand,
      workers: this.#workers.size,
      unevenness: Math.max(...loads.values()) / best,
      overMean: Math.max(...loads.values()) / (demand / this.#workers.size),
      backlog: this.#behind + this.#groups.reduce((sum, { queue }) => sum + queue, 0),
    };
  }
}

/** How often the number of workers turned from growing to shrinking or back. */
export function reversals({ decisions }: JobRun): number {
  const ways = decisions.flatMap(({ kind }) =>
    kind === "scale up" || kind === "scale down" ? [kind] : []
  );
  return ways.filter((way, index) => index > 0 && way !== ways[index - 1]).length;
}
