/**
 * Which records go into the next PutRecords request. Pure: no clock, no network.
 *
 * A request with 500 records may succeed for some and fail for others, in any pattern, and the service promises no
 * order within it. So that records of one partition key never pass each other, a key has at most one record under way:
 * one per request, and in one request at a time. The next one follows when it is confirmed; one that failed stays at
 * the head of its key. Requests are filled across keys, and several are in flight, so that throughput comes from
 * many keys; a single key alone gets one record per round trip. Who needs no order says so and fills requests freely.
 *
 * ```
 *  add ──> lane of its key: [head, ...rest] ──> ready (lanes in order of arrival) ──> take: under way
 *                ^                                  ^                                     │
 *                └── rest waits for the head        └── retry: same head, after a wait <──┤
 *                                                                    confirm: next head <─┘
 * ```
 *
 * @module
 */

/** Records per PutRecords request (Kinesis quota). */
export const REQUEST_RECORDS_MAX = 500;
/**
 * Bytes that a PutRecords request is filled to, keys included. The quota is 10 MiB since late 2025, and a single large
 * record may use it; emulators still stop at the former 5 MiB, and more records don't fit a fuller request anyway.
 */
export const REQUEST_BYTES_TARGET = 5 * 1024 * 1024;

/** A record to put. */
export interface PutEntry {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly explicitHashKey: string | undefined;
  /** Payload and key. */
  readonly bytes: number;
  readonly value: unknown;
  readonly origin: string;
}

/** Entries of one key, the head being the next to go or under way. */
export interface Lane {
  readonly key: string | undefined;
  readonly entries: PutEntry[];
  /** Tries of the head that failed. */
  failures: number;
  /** Whether the head must go in a request of its own, to find out whether it is the one that is refused. */
  alone: boolean;
}

/** The head of a lane. */
export function headOf(lane: Lane): PutEntry {
  const head = lane.entries[0];
  if (head === undefined) throw new RangeError("Cannot put from a lane that is empty");
  return head;
}

/**
 * The records waiting or under way, by key.
 *
 * @example One record per key and request
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PutLanes } from "./put_batch.ts";
 * const lanes = new PutLanes("key");
 * for (const partitionKey of ["a", "a", "b"]) {
 *   const data = new Uint8Array(1);
 *   lanes.add({ data, partitionKey, explicitHashKey: undefined, bytes: 2, value: 0, origin: "" });
 * }
 * assertEquals(lanes.take().map((lane) => lane.key), ["a", "b"]);
 * assertEquals(lanes.take(), []);
 * ```
 */
export class PutLanes {
  readonly #order: "key" | "none";
  readonly #lanes = new Map<string, Lane>();
  #ready: Lane[] = [];
  #readyFrom = 0;
  #readyBytes = 0;
  #records = 0;
  #bytes = 0;

  constructor(order: "key" | "none") {
    this.#order = order;
  }

  /** Records taken and not yet confirmed. */
  get records(): number {
    return this.#records;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a request could be filled now. */
  get full(): boolean {
    return this.ready >= REQUEST_RECORDS_MAX || this.#readyBytes >= REQUEST_BYTES_TARGET;
  }

  /** Records that could go now. */
  get ready(): number {
    return this.#ready.length - this.#readyFrom;
  }

  add(entry: PutEntry): void {
    this.#records++;
    this.#bytes += entry.bytes;
    const key = this.#order === "key" ? entry.partitionKey : undefined;
    const waiting = key === undefined ? undefined : this.#lanes.get(key);
    if (waiting !== undefined) {
      waiting.entries.push(entry);
      return;
    }
    const lane = { key, entries: [entry], failures: 0, alone: false };
    if (key !== undefined) this.#lanes.set(key, lane);
    this.#push(lane);
  }

  /** Takes the next request's records, one a lane, within the service's limits; empty if none is ready. */
  take(): Lane[] {
    const taken: Lane[] = [];
    let bytes = 0;
    while (taken.length < REQUEST_RECORDS_MAX) {
      const lane = this.#ready[this.#readyFrom];
      if (lane === undefined) break;
      const head = headOf(lane);
      // A record that is larger than the target goes alone.
      if (taken.length > 0 && (lane.alone || bytes + head.bytes > REQUEST_BYTES_TARGET)) break;
      this.#readyFrom++;
      this.#readyBytes -= head.bytes;
      taken.push(lane);
      bytes += head.bytes;
      if (lane.alone) break;
    }
    this.#compact();
    return taken;
  }

  /** The lane's head has been written, or given up: the next of its key may go. */
  confirm(lane: Lane): void {
    const head = lane.entries.shift();
    if (head === undefined) throw new RangeError("Cannot confirm a record of an empty lane");
    this.#records--;
    this.#bytes -= head.bytes;
    lane.failures = 0;
    lane.alone = false;
    if (lane.entries.length > 0) this.#push(lane);
    else if (lane.key !== undefined) this.#lanes.delete(lane.key);
  }

  /** The lane's head failed and may go again now; what came later for its key still waits behind it. */
  retry(lane: Lane): void {
    this.#push(lane);
  }

  #push(lane: Lane): void {
    this.#ready.push(lane);
    this.#readyBytes += headOf(lane).bytes;
  }

  /** Drops what was taken from the front, seldom enough that it costs nothing per record. */
  #compact(): void {
    if (this.#readyFrom < REQUEST_RECORDS_MAX || this.#readyFrom * 2 < this.#ready.length) return;
    this.#ready = this.#ready.slice(this.#readyFrom);
    this.#readyFrom = 0;
  }
}
