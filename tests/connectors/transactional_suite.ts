/**
 * What a transactional sink must do besides what every sink must (`sink_suite.ts`): the rest of the contract in
 * `connectors/sink.ts`, as cases.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sink, SinkContext, SinkWriter } from "../../connectors/sink.ts";
import type { Clock } from "../../runtime/clock.ts";
import { connectorContext } from "./connector_context.ts";
import { sinkBatch } from "./sink_batch.ts";

/** A transactional sink of whole numbers, with what its readers see. */
export interface TransactionalUnderTest {
  readonly clock: Clock;
  /** The sink, as it is now. */
  readonly sink: () => Sink<number>;
  /** What readers see, in order of epochs. */
  readonly visible: () => Promise<readonly number[]>;
  /** All writers are gone at once, without closing; from now on `sink` and `visible` are of what they have left. */
  readonly crash: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type Transactional = SinkWriter<number> & Required<SinkWriter<number>>;

/** Declares the cases for a sink. */
export function transactionalSuite(
  name: string,
  open: () => Promise<TransactionalUnderTest>,
): void {
  describe(`${name} as a transactional sink`, () => {
    let subject: TransactionalUnderTest;
    let writers: SinkWriter<number>[];
    let failures: Error[];

    const openWriter = async (worker = 0, restored: readonly unknown[] = []) => {
      const context: SinkContext = {
        ...connectorContext(subject.clock),
        worker,
        restored,
        reject: ({ reason }) => failures.push(new Error(reason)),
        fail: (error) => failures.push(error),
      };
      const writer = await subject.sink().open(context);
      writers.push(writer);
      assert(writer.prepare && writer.commit && writer.finish, "It is not transactional");
      return writer as Transactional;
    };
    const write = async (writer: Transactional, ...rows: number[]) =>
      await writer.write(sinkBatch(rows));

    beforeEach(async () => {
      [writers, failures] = [[], []];
      subject = await open();
    });
    afterEach(async () => {
      for (const writer of writers) await writer.close();
      await subject.close();
      assertEquals(failures, []);
    });

    it("says that it gives exactly once", () => {
      assertEquals(subject.sink().guarantee, "exactly once");
    });

    it("shows rows when their epoch is committed, not before, and each once", async () => {
      const writer = await openWriter();
      await write(writer, 1, 2);
      await writer.flush();
      assertEquals([await subject.visible(), writer.pending()], [[], 0]);
      await writer.prepare(1);
      assertEquals(await subject.visible(), []);
      await writer.commit(1);
      await writer.commit(1);
      assertEquals(await subject.visible(), [1, 2]);
      await write(writer, 3);
      await writer.prepare(2);
      await Promise.all([writer.commit(2), writer.commit(2)]);
      assertEquals(await subject.visible(), [1, 2, 3]);
    });

    it("prepare() cuts where it is called: rows written after that are of the next epoch", async () => {
      const writer = await openWriter();
      await write(writer, 1);
      const preparing = writer.prepare(1);
      const room = write(writer, 2);
      await preparing;
      await room;
      await writer.flush();
      await writer.commit(1);
      assertEquals(await subject.visible(), [1]);
      await writer.prepare(2);
      await writer.commit(2);
      assertEquals(await subject.visible(), [1, 2]);
    });

    it("commit() shows all epochs up to its own, and none after it", async () => {
      const writer = await openWriter();
      for (const epoch of [1, 2, 3]) {
        await write(writer, epoch);
        await writer.prepare(epoch);
      }
      await writer.commit(2);
      assertEquals(await subject.visible(), [1, 2]);
      await writer.commit(3);
      assertEquals(await subject.visible(), [1, 2, 3]);
    });

    it("prepare() tells of all that is not committed, as plain data", async () => {
      const writer = await openWriter();
      await write(writer, 1);
      await writer.prepare(1);
      await write(writer, 2);
      const prepared = structuredClone(await writer.prepare(2));
      assertEquals(JSON.parse(JSON.stringify(prepared)), prepared);
      await subject.crash();
      await openWriter(0, [prepared]);
      assertEquals(await subject.visible(), [1, 2]);
    });

    it("epochs without rows are prepared and committed as any other", async () => {
      const writer = await openWriter();
      const prepared = await writer.prepare(1);
      await writer.commit(1);
      assertEquals(await subject.visible(), []);
      await subject.crash();
      const next = await openWriter(0, [prepared]);
      await write(next, 1);
      await next.prepare(2);
      await next.commit(2);
      assertEquals(await subject.visible(), [1]);
    });

    it("prepare() refuses an epoch that does not rise", async () => {
      const writer = await openWriter();
      await writer.prepare(2);
      await assertRejects(() => writer.prepare(2), RangeError, "epoch 2");
    });

    it("finish() shows all that is left", async () => {
      const writer = await openWriter();
      await write(writer, 1);
      await writer.prepare(1);
      await write(writer, 2);
      await writer.flush();
      await writer.finish();
      assertEquals(await subject.visible(), [1, 2]);
    });

    it("close() shows nothing, and keeps what is prepared", async () => {
      const writer = await openWriter();
      await write(writer, 1);
      const prepared = await writer.prepare(1);
      await write(writer, 2);
      await writer.flush();
      await writer.close();
      assertEquals(await subject.visible(), []);
      await openWriter(0, [prepared]);
      assertEquals(await subject.visible(), [1]);
    });

    it("the writer of worker 0 commits for all, while the others are open already", async () => {
      const before = [await openWriter(0), await openWriter(1), await openWriter(2)];
      const prepared: unknown[] = [];
      for (const [worker, writer] of before.entries()) {
        await write(writer, worker);
        prepared.push(await writer.prepare(1));
      }
      await subject.crash();
      const other = await openWriter(1);
      await write(other, 10);
      await other.flush();
      const first = await openWriter(0, prepared);
      assertEquals([...await subject.visible()].sort(), [0, 1, 2]);
      for (const writer of [first, other]) {
        await writer.prepare(2);
        await writer.commit(2);
      }
      assertEquals([...await subject.visible()].sort(), [0, 1, 10, 2]);
    });

    for (let steps = 0; steps <= 12; steps++) {
      it(`shows each row once after a crash behind step ${steps}, and a second one`, async () => {
        let checkpoint: { epoch: number; rows: number; prepared: unknown[] } = {
          epoch: 0,
          rows: 0,
          prepared: [],
        };
        let stepsLeft = steps;
        // Rows and epochs go on from the checkpoint; gives up after so many steps.
        const run = async (writer: Transactional) => {
          let { epoch, rows } = checkpoint;
          for (;;) {
            for (const step of ["write", "flush", "prepare", "checkpoint", "commit"]) {
              if (stepsLeft-- === 0) return;
              if (step === "write") await write(writer, rows++, rows++);
              if (step === "flush") await writer.flush();
              if (step === "prepare") checkpointed = await writer.prepare(++epoch);
              if (step === "checkpoint") checkpoint = { epoch, rows, prepared: [checkpointed] };
              if (step === "commit") await writer.commit(epoch);
            }
          }
        };
        let checkpointed: unknown;
        await run(await openWriter());
        await subject.crash();
        stepsLeft = steps;
        await run(await openWriter(0, checkpoint.prepared));
        await subject.crash();
        stepsLeft = 5;
        await run(await openWriter(0, checkpoint.prepared));
        assertEquals(
          await subject.visible(),
          Array.from({ length: checkpoint.rows }, (_, row) => row),
        );
      });
    }
  });
}
