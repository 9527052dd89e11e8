/**
 * Checkpoints that are damaged while their job runs: when it starts again it goes on from the newest one that is whole,
 * and never from the beginning.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import type { CheckpointStore } from "../../runtime/checkpoint/store.ts";
import { defineJob } from "../../runtime/job.ts";
import { RESTART_DELAY_MS } from "../../runtime/limits.ts";
import { type LogFields, silentLogger } from "../../runtime/logger.ts";
import { store } from "../../runtime/state/state.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import { pass } from "./passing_time.ts";

/** A store whose manifests are read with a bit flipped, from a checkpoint on. */
function flipping(): { readonly store: CheckpointStore; from: number } {
  const inner = memoryStore();
  const of = {
    from: Infinity,
    store: {
      kind: "memory",
      name: "flipping",
      jobs: (context) => inner.jobs(context),
      async open(context) {
        const opened = await inner.open(context);
        return {
          kind: opened.kind,
          name: opened.name,
          job: opened.job,
          write: (checkpoint) => opened.write(checkpoint),
          list: () => opened.list(),
          async readManifest(id) {
            const bytes = await opened.readManifest(id);
            const at = bytes.length - 3;
            if (id >= of.from) bytes[at] = (bytes[at] ?? 0) ^ 4;
            return bytes;
          },
          readPart: (name) => opened.readPart(name),
          remove: (id, parts) => opened.remove(id, parts),
          close: () => opened.close(),
        };
      },
    } satisfies CheckpointStore,
  };
  return of;
}

/** A job that has three checkpoints, and starts again on the first -1 it meets. */
async function started(workers: number) {
  const checkpoints = flipping();
  const numbers = new ScriptedSource<number>({ shards: ["a"] });
  const out = memory.sink<string>();
  const logged: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  let fails = true;
  const job = defineJob({
    name: "summing",
    onError: "restart",
    sources: { numbers },
    sinks: { out },
    build: ({ numbers }, { out }) =>
      numbers.keyBy(() => "all").process("sum", {
        state: { all: store.list<number>() },
        onEvent(n, { state }) {
          if (n < 0 && fails) {
            fails = false;
            throw new RangeError("below zero");
          }
          state.all.add(n);
          return [[...state.all].join("+")];
        },
      }).to(out),
  });
  const driver = await JobDriver.start(job, {
    workers,
    checkpoints: checkpoints.store,
    logger: {
      ...silentLogger,
      error: (message, fields) => void logged.push({ message, fields }),
    },
  });
  for (const n of [1, 2, 3]) {
    numbers.push("a", { value: n });
    await driver.settle();
    await driver.checkpoint();
  }
  const fail = async () => {
    numbers.push("a", { value: -1 });
    await driver.settle();
    await pass(driver, 2 * RESTART_DELAY_MS);
  };
  return { checkpoints, driver, out, logged, fail };
}

for (const workers of [1, 2]) {
  describe(`a job on ${workers} workers that starts again`, () => {
    it("passes over what is damaged by then, and reads again what came since", async () => {
      const { checkpoints, driver, out, logged, fail } = await started(workers);
      checkpoints.from = 2;
      const before = out.rows.length;
      await fail();
      assertEquals(out.rows.slice(before), ["1+2", "1+2+3", "1+2+3+-1"]);
      const damaged = logged.filter(({ message }) => message === "A checkpoint can't be read");
      assertEquals(
        damaged.map(({ fields }) => [fields?.["checkpoint"], fields?.["usedInstead"]]),
        [[3, 1], [2, 1]],
      );
      // The next one has a number of its own, and all that it needs.
      checkpoints.from = Infinity;
      await driver.checkpoint();
      await driver.stop();
    });

    it("does not begin anew where all are damaged", async () => {
      const { checkpoints, driver, out, fail } = await started(workers);
      checkpoints.from = 1;
      const before = out.rows.length;
      await fail();
      const error = await assertRejects(() => pass(driver, 20 * 60_000, 1000), Error);
      assert(/^Gave up after .*any of the checkpoints 3, 2, 1/.test(error.message), error.message);
      assertEquals(out.rows.slice(before), []);
    });
  });
}
