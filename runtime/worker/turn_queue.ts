/**
 * Whose turn it is. Actors with something to do wait in line; a slice runs turns for a few milliseconds, then lets the
 * worker look at its messages.
 *
 * What has been read goes all the way before more is read: shard actors get a turn only when nobody else waits for one,
 * and only a few before what they brought in is dealt out. So few records are under way inside a worker, they die young
 * for the collector, and latency is low.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { SLICE_MS_MAX, TURN_ROWS_MAX } from "../limits.ts";

/**
 * Turns of readers in a row, before what they brought in is dealt out: enough that an actor gets several rows at once,
 * few enough that little is under way.
 */
export const READERS_IN_A_ROW = 4;

/**
 * Rows that are handled between two looks at the clock, at most: a look costs as much as handling one. Fewer where handlers
 * take so long that they would take up a slice.
 */
export const ROWS_PER_LOOK = 256;

/** Looks at the clock are to be less than twice so far apart, ms. */
const LOOK_MS = SLICE_MS_MAX / 4;

/** Turns may be longer than what is handled between two looks: an actor with a long mailbox keeps what it needs at hand. */
const LOOKS_PER_TURN = TURN_ROWS_MAX / ROWS_PER_LOOK;

/** Something that takes turns. */
export interface TurnTaker {
  /**
   * Runs a bounded piece of work; puts itself in line again if there is more. Returns how many rows it handled, if it can
   * tell: then the clock is not looked at after each turn.
   */
  takeTurn(): number | void;
}

/** The line of a worker. */
export class TurnQueue {
  /** Time within slices so far, ms by the monotonic clock. */
  busyMs = 0;
  /** Time between slices in which there was work, but what comes behind had no room for it. */
  backPressuredMs = 0;
  /** Whether turns are being taken: behind the last one all that was put out is handed over. */
  inSlice = false;
  /** Rows that a turn may handle: fewer where they take long. */
  turnRows = TURN_ROWS_MAX;
  #rowsPerLook = ROWS_PER_LOOK;
  readonly #clock: Clock;
  readonly #flush: (isLast: boolean) => void;
  readonly #line = new Line();
  readonly #readers = new Line();
  #readersInARow = 0;
  #scheduled = false;
  #halted = false;
  readonly #isBlocked: () => boolean;
  #blockedSince: number | undefined;

  /**
   * @param flush hands over what turns have put out; may put takers in line. Told whether the slice may end with it: else
   * another one comes soon, for which what goes to other workers can wait
   * @param isBlocked whether somebody waits for room behind, asked when nobody is in line
   */
  constructor(
    clock: Clock,
    flush: (isLast: boolean) => void,
    isBlocked: () => boolean = () => false,
  ) {
    this.#clock = clock;
    this.#flush = flush;
    this.#isBlocked = isBlocked;
  }

  /** Puts a taker in line. Takers see to it that they stand in line once. */
  add(taker: TurnTaker): void {
    this.#line.push(taker);
    this.wake();
  }

  /** Puts one in line that brings new records in. */
  addReader(taker: TurnTaker): void {
    this.#readers.push(taker);
    this.wake();
  }

  /** Sees to it that a slice runs soon, if only to flush. */
  wake(): void {
    if (this.#scheduled || this.#halted) return;
    this.#scheduled = true;
    this.#clock.defer(() => this.#slice());
  }

  /** No more turns: the job has failed or closes. */
  halt(): void {
    this.#halted = true;
  }

  #slice(): void {
    const start = this.#clock.monotonic();
    if (this.#blockedSince !== undefined) this.backPressuredMs += start - this.#blockedSince;
    this.inSlice = true;
    this.#run(start);
    this.inSlice = false;
    const end = this.#clock.monotonic();
    this.busyMs += end - start;
    this.#blockedSince = !this.#scheduled && this.#isBlocked() ? end : undefined;
  }

  #run(start: number): void {
    this.#scheduled = false;
    const end = start + SLICE_MS_MAX;
    let rows = 0;
    let lookedAt = start;
    while (!this.#halted) {
      const taker = this.#next();
      if (taker === undefined) return;
      rows += taker.takeTurn() ?? ROWS_PER_LOOK;
      if (rows < this.#rowsPerLook) continue;
      const now = this.#clock.monotonic();
      this.#keepPace((now - lookedAt) / rows);
      lookedAt = now;
      rows = 0;
      if (now < end) continue;
      this.#flush(true);
      if (this.#line.waiting || this.#readers.waiting) this.wake();
      return;
    }
  }

  /** Half or twice as many rows until the next look, by how long one took now. */
  #keepPace(rowMs: number): void {
    const lookMs = rowMs * this.#rowsPerLook;
    if (lookMs > 2 * LOOK_MS && this.#rowsPerLook > 1) this.#rowsPerLook /= 2;
    else if (lookMs < LOOK_MS / 2 && this.#rowsPerLook < ROWS_PER_LOOK) this.#rowsPerLook *= 2;
    else return;
    this.turnRows = this.#rowsPerLook * LOOKS_PER_TURN;
  }

  #next(): TurnTaker | undefined {
    const taker = this.#line.take() ?? this.#nextReader();
    if (taker !== undefined) return taker;
    this.#readersInARow = 0;
    this.#flush(!this.#readers.waiting);
    return this.#line.take() ?? this.#nextReader();
  }

  #nextReader(): TurnTaker | undefined {
    if (this.#readersInARow === READERS_IN_A_ROW) return undefined;
    const reader = this.#readers.take();
    if (reader !== undefined) this.#readersInARow++;
    return reader;
  }
}

/** First come, first served. */
class Line {
  #takers: TurnTaker[] = [];
  #next = 0;

  get waiting(): boolean {
    return this.#next < this.#takers.length;
  }

  push(taker: TurnTaker): void {
    this.#takers.push(taker);
  }

  take(): TurnTaker | undefined {
    const taker = this.#takers[this.#next];
    if (taker === undefined) return undefined;
    this.#next++;
    if (this.#next === this.#takers.length) {
      this.#takers = [];
      this.#next = 0;
    }
    return taker;
  }
}
