/**
 * What has happened in a simulated run, in order: the last events in words, and a fingerprint of all.
 *
 * @module
 */

/** Events that are kept in words. */
export const TRACE_EVENTS_MAX = 60;

/**
 * A bounded trace.
 *
 * @example Two events
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventTrace } from "./event_trace.ts";
 * const trace = new EventTrace(() => 5);
 * trace.add("worker 0 is spawned");
 * assertEquals(trace.lines, ["5 ms  worker 0 is spawned"]);
 * ```
 */
export class EventTrace {
  readonly #now: () => number;
  #lines: string[] = [];
  #hash = 0x811c9dc5;
  #events = 0;

  /** @param now virtual time, ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The last {@linkcode TRACE_EVENTS_MAX}. */
  get lines(): readonly string[] {
    return this.#lines.slice(-TRACE_EVENTS_MAX);
  }

  /** Of all events with their times (FNV-1a), and how many there were: the same for two runs that are the same. */
  get fingerprint(): string {
    return `${this.#events}-${(this.#hash >>> 0).toString(16)}`;
  }

  add(event: string): void {
    const line = `${this.#now()} ms  ${event}`;
    for (let at = 0; at < line.length; at++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(at), 0x01000193);
    }
    this.#events++;
    this.#lines.push(line);
    if (this.#lines.length >= 2 * TRACE_EVENTS_MAX) {
      this.#lines = this.#lines.slice(-TRACE_EVENTS_MAX);
    }
  }
}
