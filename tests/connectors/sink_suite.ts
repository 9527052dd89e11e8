/**
 * What every sink must do: the contract in `connectors/sink.ts`, as cases. A connector's test calls {@linkcode sinkSuite}
 * with a way to open a sink whose output can be read back.
 *
 * @module
 */

import { assert, assertArrayIncludes, assertEquals, assertLessOrEqual } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type {
  RejectedRow,
  Sink,
  SinkBatch,
  SinkContext,
  SinkWriter,
} from "../../connectors/sink.ts";
import type { ConnectorContext } from "../../connectors/source.ts";
import type { Clock } from "../../runtime/clock.ts";
import { connectorContext } from "./connector_context.ts";
import { sinkBatch } from "./sink_batch.ts";

const BATCHES = 40;
const BATCH_ROWS = 50;

/** A sink that can be read back. */
export interface SinkUnderTest<T> {
  readonly sink: Sink<T>;
  /** A row by number; all differ. Rows of the same key have numbers that are equal modulo `keys`. */
  readonly row: (number: number) => T;
  /** How many keys the rows have; 1 where the sink keeps the order of all rows. */
  readonly keys: number;
  /** The numbers of the rows written for good, in the order of writing as far as there is one. */
  readonly written: () => Promise<readonly number[]>;
  /** Rows that can never be written, if there are such. */
  readonly unwritable?: readonly T[];
  /** The most rows that a writer may hold before it asks to wait; left out where it never does. */
  readonly pendingMax?: number;
  /** What the sink is given for a clock; one that never waits suits most. */
  readonly clock: Clock;
  /** What else the sink is given, such as an endpoint. */
  readonly context?: Partial<ConnectorContext>;
  readonly close?: () => Promise<void>;
}

/** Declares the cases for a sink. */
export function sinkSuite<T>(name: string, open: () => Promise<SinkUnderTest<T>>): void {
  describe(`${name} as a sink`, () => {
    let subject: SinkUnderTest<T>;
    let writers: SinkWriter<T>[];
    let rejected: RejectedRow[];
    let failures: Error[];
    let epochs: { last: number };

    const openWriter = async () => {
      const context: SinkContext = {
        ...connectorContext(subject.clock),
        ...subject.context,
        worker: writers.length,
        restored: [],
        reject: (row) => rejected.push(row),
        fail: (error) => failures.push(error),
      };
      const writer = await subject.sink.open(context);
      writers.push(writer);
      return writer;
    };
    const rows = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => subject.row(from + index));

    beforeEach(async () => {
      [writers, rejected, failures, epochs] = [[], [], [], { last: 0 }];
      subject = await open();
    });
    afterEach(async () => {
      for (const writer of writers) await writer.close();
      await subject.close?.();
      assertEquals(failures, []);
    });

    it("flush() resolves when all rows taken have been written, each once and by key in order", async () => {
      const writer = await openWriter();
      await writeAll(writer, batchOf(rows(0, BATCH_ROWS)));
      await flushed(writer, epochs);
      assertInOrder(await subject.written(), BATCH_ROWS, subject.keys);
      assertEquals(writer.pending(), 0);
      assertEquals(rejected, []);
    });

    it("flush() resolves when nothing was taken, and twice at once", async () => {
      const writer = await openWriter();
      await writer.flush();
      await writeAll(writer, batchOf([]));
      await Promise.all([writer.flush(), writer.flush()]);
      assertEquals(await subject.written(), []);
      await writeAll(writer, batchOf(rows(0, 3)));
      await Promise.all([writer.flush(), writer.flush()]);
      await flushed(writer, epochs);
      assertInOrder(await subject.written(), 3, subject.keys);
    });

    it("flush() can be followed by more rows", async () => {
      const writer = await openWriter();
      for (let from = 0; from < 30; from += 10) {
        await writeAll(writer, batchOf(rows(from, 10)));
        await flushed(writer, epochs);
        assertInOrder(await subject.written(), from + 10, subject.keys);
      }
    });

    it("write() keeps neither the batch's arrays nor what lies beyond its length", async () => {
      const writer = await openWriter();
      const values = rows(0, 20);
      const room = writer.write({ ...batchOf(values), length: 10 });
      values.fill(subject.row(99));
      await room;
      await flushed(writer, epochs);
      assertInOrder(await subject.written(), 10, subject.keys);
    });

    it("write() asks to wait before too much is held, and then takes more", async () => {
      const writer = await openWriter();
      let waits = 0;
      for (let batch = 0; batch < BATCHES; batch++) {
        const room = writer.write(batchOf(rows(batch * BATCH_ROWS, BATCH_ROWS)));
        if (subject.pendingMax !== undefined) {
          assertLessOrEqual(writer.pending(), subject.pendingMax + BATCH_ROWS);
        }
        if (room === undefined) continue;
        waits++;
        await room;
      }
      await flushed(writer, epochs);
      assertEquals(waits > 0, subject.pendingMax !== undefined, "whether write() asked to wait");
      assertInOrder(await subject.written(), BATCHES * BATCH_ROWS, subject.keys);
    });

    it("pending() is never more than what was taken and 0 after a flush", async () => {
      const writer = await openWriter();
      assertEquals(writer.pending(), 0);
      const room = writer.write(batchOf(rows(0, 10)));
      assertLessOrEqual(writer.pending(), 10);
      await room;
      await writer.flush();
      assertEquals(writer.pending(), 0);
    });

    it("write() rejects a row that can't be written and writes the others", async () => {
      const unwritable = subject.unwritable ?? [];
      const writer = await openWriter();
      const good = rows(0, unwritable.length + 1);
      // One bad row after each good one but the last.
      const mixed = good.flatMap((row, index) =>
        index in unwritable ? [row, unwritable[index] as T] : [row]
      );
      await writeAll(writer, batchOf(mixed));
      await flushed(writer, epochs);
      assertInOrder(await subject.written(), good.length, subject.keys);
      assertEquals(rejected.map(({ value }) => value), [...unwritable]);
      assertEquals(
        rejected.map(({ origin }) => origin),
        unwritable.map((_, index) => originOf(2 * index + 1)),
      );
      assert(rejected.every(({ reason }) => reason.length > 0));
      assertEquals(writer.pending(), 0);
    });

    it("open() gives writers that do not disturb one another", async () => {
      const [one, other] = [await openWriter(), await openWriter()];
      for (let from = 0; from < 100; from += 20) {
        const rooms = [
          one.write(batchOf(rows(from, 10))),
          other.write(batchOf(rows(from + 10, 10))),
        ];
        await Promise.all(rooms);
      }
      await Promise.all([flushed(one, epochs), flushed(other, epochs)]);
      await one.close();
      await writeAll(other, batchOf(rows(100, 1)));
      await flushed(other, epochs);
      const written = await subject.written();
      assertEquals(written.length, 101);
      assertArrayIncludes(written, Array.from({ length: 101 }, (_, number) => number));
    });

    it("close() can be called twice", async () => {
      const writer = await openWriter();
      await writer.close();
      await writer.close();
    });
  });
}

function originOf(row: number): string {
  return `shard-0@${row}`;
}

function batchOf<T>(values: readonly T[]): SinkBatch<T> {
  return sinkBatch(values, "shard-0");
}

/** Everything taken so far becomes visible: by the next epoch's commit where the sink is transactional. */
async function flushed<T>(writer: SinkWriter<T>, epochs: { last: number }): Promise<void> {
  await writer.flush();
  const epoch = ++epochs.last;
  await writer.prepare?.(epoch);
  await writer.commit?.(epoch);
}

async function writeAll<T>(writer: SinkWriter<T>, batch: SinkBatch<T>): Promise<void> {
  await writer.write(batch);
}

/** All numbers below `count` are there once, those of one key in order. */
function assertInOrder(written: readonly number[], count: number, keys: number): void {
  for (let key = 0; key < keys; key++) {
    const expected = Array.from({ length: count }, (_, number) => number)
      .filter((number) => number % keys === key);
    assertEquals(written.filter((number) => number % keys === key), expected, `rows of key ${key}`);
  }
  assertEquals(written.length, count);
}
