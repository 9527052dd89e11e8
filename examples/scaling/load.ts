/**
 * The load of the scaling demonstration: stays, of each of which there is a record that it is booked, and three of what
 * happens. A pure function of time and a seed, so that it can be counted afterwards. It rises, falls, and drifts: now
 * these bookings have most of the stays, now those.
 *
 * @module
 */

/** Stays that are due together, ms. */
export const TICK_MS = 20;
/** Shards of each of the job's two sources; each shard has the same number of stays. */
export const SHARDS = 4;
/** Bookings, each for one stay after the other. */
export const BOOKINGS = 2000;
/** Bookings that are hot at a time. */
const HOT_BOOKINGS = 5;
/** Things that happen in a stay. */
export const EVENTS_OF_STAY = 3;
/** With the one that it is booked. */
export const RECORDS_OF_STAY = 1 + EVENTS_OF_STAY;
/** How often others become hot in the whole time. */
const DRIFTS = 6;

/** Where the load is at a time. */
export type Phase = "quiet" | "rising" | "drifting" | "peak" | "falling";

/** A time, as a share of the whole, with the part of the peak that is due there, and of it the hot bookings'. */
interface Point {
  readonly time: number;
  readonly rate: number;
  readonly hot: number;
  /** What leads to it. */
  readonly phase: Phase;
}

const START: Point = { time: 0, rate: 0.12, hot: 0, phase: "quiet" };
const POINTS: readonly Point[] = [
  { time: 0.1, rate: 0.12, hot: 0, phase: "quiet" },
  { time: 0.22, rate: 0.55, hot: 0.2, phase: "rising" },
  { time: 0.36, rate: 0.55, hot: 0.5, phase: "drifting" },
  { time: 0.44, rate: 1, hot: 0.3, phase: "rising" },
  { time: 0.6, rate: 1, hot: 0.2, phase: "peak" },
  { time: 0.7, rate: 0.12, hot: 0, phase: "falling" },
  { time: 1, rate: 0.12, hot: 0, phase: "quiet" },
];

/** What the load is made of. */
export interface LoadOptions {
  /** How long it lasts. */
  readonly seconds: number;
  readonly seed: number;
  /** Stays a second at its highest. */
  readonly peak: number;
}

/** The stays of all shards. */
export class Load {
  readonly #options: LoadOptions;
  /** Of each tick: stays of one shard that are due before it. The last: all of them. */
  readonly #firsts: Uint32Array;

  constructor(options: LoadOptions) {
    this.#options = options;
    const ticks = Math.round(options.seconds * 1000 / TICK_MS);
    this.#firsts = new Uint32Array(ticks + 1);
    let due = 0;
    for (let tick = 0; tick < ticks; tick++) {
      due += this.rateAt((tick + 0.5) * TICK_MS) * TICK_MS / 1000 / SHARDS;
      this.#firsts[tick + 1] = Math.floor(due);
    }
  }

  get ticks(): number {
    return this.#firsts.length - 1;
  }

  /** Stays of each shard. */
  get staysOfShard(): number {
    return this.#firsts[this.ticks] ?? 0;
  }

  /** The first stay of a tick, as a number within its shard; that of the tick behind the last is how many there are. */
  firstOf(tick: number): number {
    return this.#firsts[tick] ?? this.staysOfShard;
  }

  /** The tick of a stay. */
  tickOf(stay: number): number {
    let [low, high] = [0, this.ticks];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.firstOf(middle) <= stay) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Stays a second, of all shards, that are due at a time in ms. */
  rateAt(ms: number): number {
    return this.#options.peak * this.#at(ms).rate;
  }

  /** What the load does at a time in ms. */
  phaseAt(ms: number): Phase {
    return this.#at(ms).phase;
  }

  /** The booking that a stay of a tick belongs to. */
  bookingAt(shard: number, stay: number, tick: number): number {
    const { seed } = this.#options;
    const ms = tick * TICK_MS;
    const which = share(seed, shard, stay);
    if (share(seed + 1, shard, stay) >= this.#at(ms).hot) return Math.floor(which * BOOKINGS);
    const drift = Math.floor(DRIFTS * ms / (this.#options.seconds * 1000));
    const hot = Math.floor(which * HOT_BOOKINGS);
    return Math.floor(share(seed + 2, drift, hot) * BOOKINGS);
  }

  /** How many stays each booking has. */
  expected(): Uint32Array {
    const counts = new Uint32Array(BOOKINGS);
    for (let tick = 0; tick < this.ticks; tick++) {
      for (let stay = this.firstOf(tick); stay < this.firstOf(tick + 1); stay++) {
        for (let shard = 0; shard < SHARDS; shard++) {
          const booking = this.bookingAt(shard, stay, tick);
          counts[booking] = (counts[booking] ?? 0) + 1;
        }
      }
    }
    return counts;
  }

  /** Between the points. */
  #at(ms: number): Point {
    const time = Math.min(1, ms / (this.#options.seconds * 1000));
    let before = START;
    for (const after of POINTS) {
      if (time <= after.time) {
        const part = (time - before.time) / (after.time - before.time);
        return {
          ...{ time, phase: after.phase },
          rate: before.rate + part * (after.rate - before.rate),
          hot: before.hot + part * (after.hot - before.hot),
        };
      }
      before = after;
    }
    return before;
  }
}

/** A number from 0 to 1 that three others give. */
function share(a: number, b: number, c: number): number {
  let hash = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ Math.imul(c + 1, 0xc2b2ae35), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
