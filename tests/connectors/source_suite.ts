/**
 * What every source must do: the contract in `connectors/source.ts`, as cases. A connector's test calls
 * {@linkcode sourceSuite} with a way to open a source whose contents are known.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { ConnectorContext, ReadContext, ShardBatch, Source } from "../../connectors/source.ts";
import type { Subscription } from "../../deps.ts";
import type { Clock } from "../../runtime/clock.ts";
import { connectorContext } from "./connector_context.ts";
import { CountedTimers } from "./counted_timers.ts";
import { QUIET_TURNS, turns, until } from "./event_loop.ts";

/** A source with known contents. */
export interface SourceUnderTest<T> {
  readonly source: Source<T>;
  /** By shard id what the shard holds, in order. At least one shard must take two batches or more. */
  readonly contents: ReadonlyMap<string, readonly unknown[]>;
  /** A value as it stands in `contents`. */
  readonly comparable: (value: T) => unknown;
  /** Whether shards end after their contents; else they stay open. */
  readonly ends: boolean;
  /** What the source is given for a clock; one that never waits suits most. */
  readonly clock: Clock;
  /** What else the source is given, such as an endpoint. */
  readonly context?: Partial<ConnectorContext>;
  readonly close?: () => Promise<void>;
}

/** Declares the cases for a source. */
export function sourceSuite<T>(name: string, open: () => Promise<SourceUnderTest<T>>): void {
  describe(`${name} as a source`, () => {
    let subject: SourceUnderTest<T>;
    let readings: Reading<T>[];
    const start = (shard: string, after?: string) => {
      const reading = new Reading(subject, shard, after);
      readings.push(reading);
      return reading;
    };
    /** The shard with most records. */
    const fullest = () =>
      [...subject.contents].reduce((one, other) => other[1].length > one[1].length ? other : one);

    beforeEach(async () => {
      readings = [];
      subject = await open();
    });
    afterEach(async () => {
      for (const reading of readings) reading.stop();
      await subject.close?.();
    });

    it("shards() lists every shard once and again by the same id", async () => {
      const context = contextOf(subject);
      const listed = await subject.source.shards(context);
      const ids = listed.map(({ id }) => id);
      assertEquals([...ids].sort(), [...subject.contents.keys()].sort());
      assertEquals(new Set(ids).size, ids.length);
      assert(listed.every(({ id, parents }) => !parents.includes(id)));
      assertEquals(await subject.source.shards(context), listed);
    });

    it("read() does nothing before it is subscribed to", async () => {
      const [shard] = fullest();
      const reading = new Reading(subject, shard, undefined, { subscribe: false });
      await turns(QUIET_TURNS);
      assertEquals([reading.asked, reading.timers.pending], [0, 0]);
    });

    it("read() delivers a shard's records in order, each once", async () => {
      for (const [shard, expected] of subject.contents) {
        const reading = start(shard);
        await reading.readAll(expected.length);
        assertEquals(reading.values, expected, `shard ${shard}`);
        assertEquals(new Set(reading.positions).size, expected.length, "positions");
        reading.stop();
      }
    });

    it("read() can be subscribed to twice, each time from the start", async () => {
      const [shard, expected] = fullest();
      const first = start(shard);
      const second = new Reading(subject, shard, undefined, { batch$: first.batch$ });
      readings.push(second);
      first.grant(Infinity);
      await until(
        () => first.values.length + second.values.length >= 2 * expected.length,
        "two readings",
      );
      assertEquals(first.values.length + second.values.length, 2 * expected.length);
      assertEquals(first.values, expected);
      assertEquals(second.values, expected);
    });

    it("read() delivers nothing without a grant and at most one batch for each", async () => {
      const [shard, expected] = fullest();
      const reading = start(shard);
      await turns(QUIET_TURNS);
      assertEquals(reading.batches.length, 0);
      let granted = 0;
      await until(async () => {
        reading.grant(1);
        granted++;
        await turns(3);
        assertLessOrEqual(reading.batches.length, granted);
        return reading.values.length === expected.length;
      }, "all records");
      assertGreater(reading.batches.length, 1, "The shard must take two batches or more");
      assertEquals(reading.values, expected);
    });

    it("read() goes on after each record's position, nothing lost and nothing twice", async () => {
      const [shard, expected] = fullest();
      const whole = start(shard);
      await whole.readAll(expected.length);
      whole.stop();
      const ends = whole.batches.map(({ end }) => end);
      const rows = new Set([1, ...ends, ...ends.map((end) => end - 1), expected.length >> 1]);
      for (const row of rows) {
        if (row < 1 || row > expected.length) continue;
        const reading = start(shard, whole.positions[row - 1]);
        await reading.readAll(expected.length - row);
        assertEquals(reading.values, expected.slice(row), `after record ${row - 1}`);
        reading.stop();
      }
    });

    it("read() goes on after each batch's position", async () => {
      const [shard, expected] = fullest();
      const whole = start(shard);
      await whole.readAll(expected.length);
      whole.stop();
      for (const { end, position } of whole.batches) {
        const reading = start(shard, position);
        await reading.readAll(expected.length - end);
        assertEquals(reading.values, expected.slice(end), `after batch that ends at ${end}`);
        reading.stop();
      }
    });

    it("read() ends all work when it is unsubscribed from", async () => {
      const [shard] = fullest();
      const reading = start(shard);
      reading.grant(1);
      await until(() => reading.batches.length === 1, "a batch");
      reading.subscription?.unsubscribe();
      const { asked } = reading;
      reading.grant(Infinity);
      await turns(QUIET_TURNS);
      assertEquals([reading.batches.length, reading.ended], [1, undefined]);
      assertEquals([reading.asked, reading.timers.pending], [asked, 0]);
    });

    it("read() ends all work when its signal is aborted, and does not take that for the shard's end", async () => {
      const [shard] = fullest();
      const reading = start(shard);
      reading.grant(1);
      await until(() => reading.batches.length === 1, "a batch");
      reading.abort();
      await turns(QUIET_TURNS);
      assertEquals([reading.batches.length, reading.ended], [1, undefined]);
      assertEquals(reading.timers.pending, 0);
    });

    it("read() completes at a shard's end and only there", async () => {
      const [shard, expected] = fullest();
      const reading = start(shard);
      await reading.readAll(expected.length);
      await turns(QUIET_TURNS);
      assertEquals(reading.ended, subject.ends ? "completed" : undefined);
    });
  });
}

function contextOf<T>({ clock, context }: SourceUnderTest<T>): ConnectorContext {
  return { ...connectorContext(clock), ...context };
}

interface DeliveredBatch {
  readonly position: string;
  /** Records delivered up to and with this batch. */
  readonly end: number;
}

/** One subscription to a shard, with what it has delivered. */
class Reading<T> {
  readonly batch$: ReturnType<Source<T>["read"]>;
  readonly subscription: Subscription | undefined;
  readonly timers: CountedTimers;
  readonly values: unknown[] = [];
  readonly positions: string[] = [];
  readonly batches: DeliveredBatch[] = [];
  /** How often demand was asked for. */
  asked = 0;
  ended: "completed" | unknown;
  readonly #closing = new AbortController();
  readonly #subject: SourceUnderTest<T>;
  #grants = 0;
  #waiting: (() => void)[] = [];

  constructor(
    subject: SourceUnderTest<T>,
    shard: string,
    after: string | undefined,
    how: { subscribe?: boolean; batch$?: ReturnType<Source<T>["read"]> } = {},
  ) {
    this.#subject = subject;
    this.timers = new CountedTimers(subject.clock);
    const context: ReadContext = {
      ...contextOf(subject),
      signal: this.#closing.signal,
      clock: this.timers,
      demand: { next: () => this.#next() },
    };
    this.batch$ = how.batch$ ?? subject.source.read(shard, after, context);
    this.subscription = how.subscribe === false ? undefined : this.batch$.subscribe({
      next: (batch) => this.#take(batch),
      error: (error) => this.ended = error,
      complete: () => this.ended = "completed",
    });
  }

  /** Lets so many more batches come. */
  grant(batches: number): void {
    this.#grants += batches;
    while (this.#grants > 0 && this.#waiting.length > 0) {
      this.#grants--;
      this.#waiting.shift()?.();
    }
  }

  /** Reads until so many records have come, and to the end where there is one. */
  async readAll(count: number): Promise<void> {
    this.grant(Infinity);
    const isDone = () =>
      this.#subject.ends ? this.ended !== undefined : this.values.length >= count;
    await until(
      () => isDone() || (this.ended !== undefined && this.ended !== "completed"),
      `${count} records`,
    );
    // What comes beyond them would be one too many.
    await turns(QUIET_TURNS);
    if (this.ended instanceof Error) throw this.ended;
  }

  abort(): void {
    this.#closing.abort();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  stop(): void {
    this.subscription?.unsubscribe();
    this.abort();
  }

  #next(): Promise<void> {
    this.asked++;
    if (this.#grants > 0) {
      this.#grants--;
      return Promise.resolve();
    }
    if (this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(batch: ShardBatch<T>): void {
    const { length, bytes, position } = batch;
    assert(Number.isInteger(length) && length >= 0 && bytes >= 0);
    for (let row = 0; row < length; row++) {
      this.values.push(this.#subject.comparable(batch.valueAt(row)));
      this.positions.push(batch.positionAt(row));
      assert(!Number.isNaN(batch.timestampAt(row)));
    }
    this.batches.push({ position, end: this.values.length });
  }
}
