/**
 * Keeps readers side by side, as live streams are: else one input runs away from the other, or one worker from the other,
 * and a job that waits for both keeps what a live one would not. Readers know of each other within a thread and, over a
 * broadcast channel, in other threads; each has a cell of shared memory that says how far it is.
 *
 * @module
 */

import { type Clock, delay } from "../../../runtime/clock.ts";

/** No reader gets further ahead of another than so many blocks. */
export const BLOCKS_AHEAD_MAX = 5;
/** Whoever must wait looks again so often, if not told before that the one behind has gone on. */
const LOOK_AGAIN_MS = 1;
/** Where a reader is that has come to its end: nobody waits for it. */
const ENDED = 2 ** 31 - 1;

/** How far a reader is, in memory that all threads share. */
type Cell = Int32Array<SharedArrayBuffer>;

/** How a thread tells others of a reader. */
interface Announcement {
  readonly reader: string;
  readonly progress: SharedArrayBuffer;
}

/** One reader's part in a group of readers. */
export interface PacedReader {
  /**
   * Tells that this reader would go on with its n-th block, and resolves when it may: when all readers have joined and
   * none is more than {@linkcode BLOCKS_AHEAD_MAX} behind, or when `signal` is aborted.
   */
  keepUp(block: number, clock: Clock, signal: AbortSignal): Promise<void>;
  /** Nobody need wait for this reader any more. Harmless when called again. */
  leave(): void;
}

/** The groups that this thread has readers in. */
const groups = new Map<string, Group>();

/**
 * Joins a group of readers.
 *
 * @param group its name, known to its readers only
 * @param reader its own name in it
 * @param readers how many there will be in all threads together: nobody starts before
 */
export function joinPace(group: string, reader: string, readers: number): PacedReader {
  let joined = groups.get(group);
  if (joined === undefined) {
    joined = new Group(group, readers);
    groups.set(group, joined);
  }
  return joined.join(reader);
}

/** What a thread knows of a group. */
class Group {
  readonly #name: string;
  readonly #readers: number;
  readonly #channel: BroadcastChannel;
  readonly #progress = new Map<string, Cell>();
  /** The readers of this thread. */
  readonly #own = new Map<string, Announcement>();

  constructor(name: string, readers: number) {
    this.#name = name;
    this.#readers = readers;
    this.#channel = new BroadcastChannel(`pace ${name}`);
    this.#channel.onmessage = ({ data }: MessageEvent<Announcement>) => {
      if (this.#progress.has(data.reader)) return;
      this.#progress.set(data.reader, new Int32Array(data.progress));
      // Its thread may have come after ours were announced.
      for (const announcement of this.#own.values()) this.#channel.postMessage(announcement);
    };
  }

  join(reader: string): PacedReader {
    const progress = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const cell = new Int32Array(progress);
    this.#progress.set(reader, cell);
    this.#own.set(reader, { reader, progress });
    this.#channel.postMessage({ reader, progress });
    return {
      keepUp: async (block, clock, signal) => {
        tell(cell, block);
        for (let behind = this.#behind(block); behind !== undefined && !signal.aborted;) {
          await Promise.race([delay(clock, LOOK_AGAIN_MS, signal), changed(behind)]);
          behind = this.#behind(block);
        }
      },
      leave: () => {
        tell(cell, ENDED);
        if (this.#own.get(reader)?.progress === progress) this.#leave(reader);
      },
    };
  }

  #leave(reader: string): void {
    this.#own.delete(reader);
    if (this.#own.size > 0) return;
    this.#channel.close();
    groups.delete(this.#name);
  }

  /** Who must go on before a block may be read: a reader that is too far behind, or, if one is missing, any. */
  #behind(block: number): Behind | undefined {
    const isMissing = this.#progress.size < this.#readers;
    for (const cell of this.#progress.values()) {
      const at = Atomics.load(cell, 0);
      if (isMissing || block > at + BLOCKS_AHEAD_MAX) return { cell, at };
    }
    return undefined;
  }
}

/** A reader's cell, and where it was. */
interface Behind {
  readonly cell: Cell;
  readonly at: number;
}

/** Says how far a reader is, to those who wait for that. */
function tell(cell: Cell, block: number): void {
  Atomics.store(cell, 0, block);
  Atomics.notify(cell, 0);
}

/** Resolves when a reader has gone on, or after a while. */
async function changed({ cell, at }: Behind): Promise<void> {
  const { async, value } = Atomics.waitAsync(cell, 0, at, LOOK_AGAIN_MS);
  if (async) await value;
}
