/**
 * What every checkpoint store must do: the contract in `runtime/checkpoint/store.ts`, as cases. A store's test calls
 * {@linkcode storeSuite} with a way to open an empty one.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import {
  CheckpointExistsError,
  CheckpointMissingError,
  type CheckpointStore,
  CheckpointStoreError,
  type OpenCheckpointStore,
  PART_NAME_LENGTH_MAX,
  type StoreContext,
} from "../../../runtime/checkpoint/store.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { seededRandom } from "../../../runtime/random.ts";

const LARGE_BYTES = 64 << 20;

/** A store to be tested. */
export interface StoreUnderTest {
  /** Empty. */
  readonly store: CheckpointStore;
  /** What else it is given, such as an endpoint. */
  readonly context?: Partial<StoreContext>;
  /**
   * Lets the next write fail at a step, from 1: what that is given is laid over the context of the store that writes.
   * Without it, a store whose writes have no steps.
   */
  readonly failAt?: (step: number) => Fault;
  /** The same, but the write waits at that step until it is let go. */
  readonly holdAt?: (step: number) => Hold;
  readonly close?: () => Promise<void>;
}

/** A step that fails. */
export interface Fault {
  readonly context: Partial<StoreContext>;
  /** Whether the write came to that step. */
  readonly isReached: () => boolean;
  /** Ends the fault. */
  readonly mend: () => void;
}

/** A step that waits. */
export interface Hold {
  readonly context: Partial<StoreContext>;
  readonly reached: Promise<void>;
  readonly release: () => void;
}

/** A context for a job called "orders" unless said. */
export function storeContext(context: Partial<StoreContext> = {}): StoreContext {
  return {
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    aws: {},
    job: "orders",
    signal: new AbortController().signal,
    partsOf: (manifest) => JSON.parse(new TextDecoder().decode(manifest)),
    ...context,
  };
}

/** A manifest as the suite has them: the names of parts. */
export function manifestNaming(...parts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(parts));
}

/** Some bytes, others for each seed. */
export function someBytes(length: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => random() * 256);
}

function checkpoint(id: number, ...names: readonly string[]) {
  const parts = names.map((name, index) => ({ name, bytes: someBytes(100, id * 10 + index) }));
  return { id, manifest: manifestNaming(...names), parts };
}

/** Declares the cases for a store. */
export function storeSuite(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a checkpoint store`, () => {
    let subject: StoreUnderTest;
    let opened: OpenCheckpointStore[];

    const open = async (context: Partial<StoreContext> = {}) => {
      const store = await subject.store.open(storeContext({ ...subject.context, ...context }));
      opened.push(store);
      return store;
    };

    beforeEach(async () => {
      opened = [];
      subject = await make();
    });
    afterEach(async () => {
      for (const store of opened) await store.close();
      await subject.close?.();
    });

    it("is empty at first, and says what it is", async () => {
      const store = await open();
      assertEquals(await store.list(), []);
      assertEquals([store.kind, store.name], [subject.store.kind, subject.store.name]);
      assertEquals(store.job, "orders");
    });

    it("gives back what was written, to whoever opens it next", async () => {
      const writer = await open();
      const empty = { name: "no bytes", bytes: new Uint8Array() };
      const written = checkpoint(7, "7/a.b", "../ü %2F");
      await writer.write({ ...written, parts: [...written.parts, empty] });
      await writer.close();
      const reader = await open();
      assertEquals(await reader.list(), [7]);
      assertEquals(await reader.readManifest(7), written.manifest);
      for (const { name, bytes } of [...written.parts, empty]) {
        assertEquals(await reader.readPart(name), bytes);
      }
    });

    it("keeps bytes as they were when they were written", async () => {
      const store = await open();
      const written = checkpoint(1, "a");
      await store.write(written);
      written.parts[0]?.bytes.fill(0);
      assertEquals(await store.readPart("a"), someBytes(100, 10));
    });

    it("lists numbers newest first, by number and not by digits", async () => {
      const store = await open();
      for (const id of [9, 100, 10, 2 ** 40]) await store.write(checkpoint(id));
      assertEquals(await store.list(), [2 ** 40, 100, 10, 9]);
    });

    it("removes a checkpoint and the parts it is told to, and again", async () => {
      const store = await open();
      await store.write(checkpoint(1, "a", "b"));
      await store.write(checkpoint(2, "c"));
      for (let time = 0; time < 2; time++) {
        await store.remove(1, ["a", "never there"]);
        assertEquals(await store.list(), [2]);
        assertEquals((await store.readPart("b")).length, 100);
        await assertRejects(() => store.readPart("a"), CheckpointMissingError, 'part "a"');
        await assertRejects(() => store.readManifest(1), CheckpointMissingError, "checkpoint 1");
      }
    });

    it("says which store, job and checkpoint when something is not there", async () => {
      const store = await open();
      const error = await assertRejects(() => store.readManifest(3), CheckpointMissingError);
      for (const part of ["checkpoint 3", '"orders"', `"${subject.store.name}"`]) {
        assert(error.message.includes(part), `${error.message} has no ${part}`);
      }
    });

    it("refuses a number that is there, and nothing changes", async () => {
      const [one, other] = [await open(), await open()];
      await one.write(checkpoint(1, "a"));
      const again = { ...checkpoint(1, "b"), manifest: manifestNaming("b") };
      await assertRejects(() => other.write(again), CheckpointExistsError, "checkpoint 1");
      assertEquals(await one.readManifest(1), manifestNaming("a"));
      await assertRejects(() => one.readPart("b"), CheckpointMissingError);
    });

    it("lets one of two that write the same number at once win", async () => {
      const stores = [await open(), await open()];
      const outcomes = await Promise.allSettled(
        stores.map((store, run) => store.write(checkpoint(1, `run${run}`))),
      );
      const failed = outcomes.flatMap((it) => it.status === "rejected" ? [it.reason] : []);
      assertEquals(failed.map(({ name }) => name), ["CheckpointExistsError"]);
      const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
      const store = await open();
      assertEquals(await store.readManifest(1), manifestNaming(`run${winner}`));
      assertEquals((await store.readPart(`run${winner}`)).length, 100);
    });

    it("never writes over a part that a checkpoint names", async () => {
      const store = await open();
      await store.write(checkpoint(1, "a"));
      await assertRejects(() => store.write(checkpoint(2, "b", "a")), CheckpointExistsError, '"a"');
      assertEquals(await store.list(), [1]);
      assertEquals(await store.readPart("a"), someBytes(100, 10));
      // The same bytes, as in a run that was started from a copy: refused or not, the first one keeps its part.
      const same = { id: 1, manifest: manifestNaming("a", "c"), parts: checkpoint(1, "a").parts };
      await assertRejects(() => store.write(same), CheckpointExistsError);
      assertEquals(await store.readPart("a"), someBytes(100, 10));
    });

    it("keeps jobs apart by name", async () => {
      const jobs = ["orders", "orders/a", "Orders", "..", "%2E", "a b"];
      for (const [index, job] of jobs.entries()) {
        await (await open({ job })).write(checkpoint(index + 1, "a"));
      }
      for (const [index, job] of jobs.entries()) {
        const store = await open({ job });
        assertEquals(await store.list(), [index + 1]);
        assertEquals(await store.readPart("a"), someBytes(100, (index + 1) * 10));
      }
      await (await open({ job: "orders" })).remove(1, ["a"]);
      assertEquals((await (await open({ job: "a b" })).readPart("a")).length, 100);
    });

    it("tells which jobs have checkpoints, by name", async () => {
      const all = async () =>
        await subject.store.jobs(storeContext({ ...subject.context, job: "nobody's" }));
      const jobs = ["orders", "orders/a", "Orders", "..", "%2E", "ä b"];
      // Opened only, and so in a store that is there: it has no checkpoint.
      await open({ job: "idle" });
      assertEquals(await all(), []);
      for (const job of jobs) await (await open({ job })).write(checkpoint(1, "a"));
      const twice = await open({ job: "orders" });
      await twice.write(checkpoint(2));
      assertEquals(await all(), jobs.toSorted());
      await twice.remove(1, []);
      assertEquals(await all(), jobs.toSorted());
      // Its part is still there.
      await twice.remove(2, []);
      assertEquals(await all(), jobs.filter((job) => job !== "orders").toSorted());
    });

    it("refuses numbers and names that can't be", async () => {
      const store = await open();
      for (const id of [0, -1, 1.5, NaN]) {
        await assertRejects(() => store.write(checkpoint(id)), RangeError, "whole");
      }
      for (const part of ["", "x".repeat(PART_NAME_LENGTH_MAX + 1), "\ud800"]) {
        await assertRejects(() => store.write(checkpoint(1, part)), RangeError, "characters");
      }
      await assertRejects(() => store.write(checkpoint(1, "a", "a")), RangeError, "twice");
      assertEquals(await store.list(), []);
    });

    it("takes parts of 64 MB", async () => {
      const store = await open();
      const bytes = new Uint8Array(LARGE_BYTES);
      new Uint32Array(bytes.buffer).forEach((_, index, words) => words[index] = index);
      await store.write({
        id: 1,
        manifest: manifestNaming("large"),
        parts: [{ name: "large", bytes }],
      });
      const read = await store.readPart("large");
      assertEquals(read.length, LARGE_BYTES);
      const words = new Uint32Array(read.buffer, read.byteOffset, LARGE_BYTES / 4);
      assert(words.every((word, index) => word === index));
    });

    it("takes calls that overlap", async () => {
      const store = await open();
      await store.write(checkpoint(1, "a"));
      await Promise.all([
        store.write(checkpoint(2, "b", "c")),
        store.list(),
        store.write(checkpoint(3, "d", "e")),
        store.remove(1, ["a"]),
        store.write(checkpoint(4)),
      ]);
      assertEquals(await store.list(), [4, 3, 2]);
      assertEquals(await store.readPart("e"), someBytes(100, 31));
      const last = store.write(checkpoint(5, "f"));
      await store.close();
      await last;
      assertEquals(await (await open()).list(), [5, 4, 3, 2]);
    });

    it("does nothing any more once closed or aborted", async () => {
      const controller = new AbortController();
      const aborted = await open({ signal: controller.signal });
      controller.abort();
      await assertRejects(() => aborted.write(checkpoint(1, "a")), CheckpointStoreError);
      const closed = await open();
      await closed.close();
      await closed.close();
      await assertRejects(() => closed.list(), CheckpointStoreError, "closed");
      assertEquals(await (await open()).list(), []);
    });

    it("shows nothing of a write that failed at any step, which can be tried again", async () => {
      const { failAt } = subject;
      if (failAt === undefined) return;
      const survivor = await open();
      await survivor.write(checkpoint(1, "1"));
      let step = 1;
      for (;; step++) {
        const fault = failAt(step);
        const store = await open(fault.context);
        const writing = store.write(checkpoint(2, "a", "b", "c"));
        const outcome = await writing.then(() => undefined, (error: Error) => error);
        fault.mend();
        if (!fault.isReached()) {
          assertEquals(outcome, undefined);
          break;
        }
        assert(outcome instanceof CheckpointStoreError, `step ${step}: ${outcome}`);
        for (const part of ["checkpoint 2", '"orders"', `"${subject.store.name}"`]) {
          assert(outcome.message.includes(part), `${outcome.message} has no ${part}`);
        }
        for (const reader of [survivor, await open()]) {
          assertEquals(await reader.list(), [1]);
          await assertRejects(() => reader.readManifest(2), CheckpointMissingError);
          assertEquals((await reader.readPart("1")).length, 100);
        }
        // Again with the same names, but other bytes.
        const again = { ...checkpoint(3, "a", "b", "c"), id: 2 };
        await survivor.write(again);
        assertEquals(await survivor.readPart("a"), someBytes(100, 30));
        await survivor.remove(2, ["a", "b", "c"]);
      }
      assert(step > 3, `only ${step - 1} steps: nothing was tested`);
      assertEquals(await survivor.list(), [2, 1]);
    });

    it("shows a slow write when it has ended, and not before; readers don't wait for it", async () => {
      const { holdAt } = subject;
      if (holdAt === undefined) return;
      const reader = await open();
      for (const step of [1, 2, 3]) {
        const hold = holdAt(step);
        const writer = await open(hold.context);
        const written = writer.write(checkpoint(step, `${step}a`, `${step}b`, `${step}c`));
        await hold.reached;
        assertEquals((await reader.list()).includes(step), false);
        await assertRejects(() => reader.readManifest(step), CheckpointMissingError);
        hold.release();
        await written;
        assertEquals((await reader.list())[0], step);
        assertEquals((await reader.readPart(`${step}c`)).length, 100);
      }
    });
  });
}
