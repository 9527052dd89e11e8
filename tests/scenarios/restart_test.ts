/**
 * What becomes of state when a record fails and the job keeps checkpoints: by policy the call alone is undone, the job
 * goes back to its last checkpoint, or it stops with that checkpoint to go on from.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type CheckpointStore } from "../../runtime/checkpoint/store.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import type { ErrorPolicy } from "../../runtime/dead_letter.ts";
import { defineJob } from "../../runtime/job.ts";
import { RESTART_DELAY_MS, RESTARTS_MAX } from "../../runtime/limits.ts";
import { store } from "../../runtime/state/state.ts";
import { memory } from "../../connectors/memory/memory.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import { pass } from "./passing_time.ts";

const KEYS = ["ann", "bob"];

/** Sums per key; adding `BAD` throws, after it has been added, so many times. */
function summing(onError: ErrorPolicy, times: number) {
  const BAD = 100;
  const numbers = new ScriptedSource<readonly [string, number]>({ shards: KEYS });
  const out = memory.sink<string>();
  const seen = { failures: 0 };
  const job = defineJob({
    name: "summing",
    onError,
    sources: { numbers },
    sinks: { out },
    build({ numbers }, { out }) {
      numbers.keyBy(([key]) => key).process("sum", {
        state: { sum: store.value(0), all: store.list<number>() },
        onEvent([key, number], { state }) {
          state.sum.value += number;
          state.all.add(number);
          if (number === BAD && seen.failures < times) {
            seen.failures++;
            throw new RangeError("no hundred");
          }
          return [`${key} ${state.sum.value} of ${[...state.all].join("+")}`];
        },
      }).to(out);
    },
  });
  const push = (key: string, ...all: number[]) => {
    for (const number of all) numbers.push(key, { value: [key, number] });
  };
  return { job, out, seen, push, BAD };
}

async function started(
  onError: ErrorPolicy,
  times: number,
  workers: number,
  checkpoints: CheckpointStore = memoryStore(),
) {
  const of = summing(onError, times);
  const driver = await JobDriver.start(of.job, { workers, checkpoints, seed: workers });
  of.push("ann", 1, 2);
  of.push("bob", 10);
  await driver.settle();
  await driver.checkpoint();
  of.push("ann", 4);
  await driver.settle();
  return { ...of, driver, before: of.out.rows.length };
}

for (const workers of [1, 2]) {
  describe(`a job with checkpoints on ${workers} workers, when a record fails`, () => {
    it("undoes that call alone with policy resume", async () => {
      const { driver, push, out, before, BAD } = await started("resume", 1, workers);
      push("ann", BAD, 8);
      push("bob", 20);
      await driver.settle();
      assertEquals(out.rows.slice(before).toSorted(), ["ann 15 of 1+2+4+8", "bob 30 of 10+20"]);
      assertEquals(driver.deadLetters.map(({ reason }) => reason), ["RangeError: no hundred"]);
      await driver.stop();
    });

    it("goes back to the last checkpoint with policy restart, as often as it fails", async () => {
      const { driver, push, out, before, seen, BAD } = await started("restart", 2, workers);
      push("ann", BAD);
      push("bob", 20);
      await driver.settle();
      const waiting = out.rows.length;
      await pass(driver, 10 * RESTART_DELAY_MS);
      assertEquals(seen.failures, 2);
      // What came after the checkpoint is read again: each sum as if there had been one attempt.
      const anew = out.rows.slice(waiting);
      assertEquals(anew.filter((row) => row.startsWith("ann")).slice(-2), [
        "ann 7 of 1+2+4",
        "ann 107 of 1+2+4+100",
      ]);
      assertEquals(anew.at(-1)?.startsWith("bob") || anew.includes("bob 30 of 10+20"), true);
      assertEquals(out.rows.slice(before).some((row) => /1\+2\+1|4\+4|10\+10/.test(row)), false);
      await driver.checkpoint();
      push("ann", 1);
      await driver.settle();
      assertEquals(out.rows.at(-1), "ann 108 of 1+2+4+100+1");
      await driver.stop();
    });

    it("stops with policy stop, and another start goes on from the checkpoint", async () => {
      const checkpoints = memoryStore();
      const { driver, push, job, out, before, BAD } = await started(
        "stop",
        1,
        workers,
        checkpoints,
      );
      push("ann", BAD);
      await assertRejects(() => driver.settle(), Error, 'Operator "sum" failed on the record at');
      assertEquals(out.rows.length, before);
      const next = await JobDriver.start(job, { workers: 3 - workers, checkpoints });
      assertEquals(out.rows.slice(before), ["ann 7 of 1+2+4", "ann 107 of 1+2+4+100"]);
      await next.stop();
    });
  });
}

describe("policy restart with checkpoints", () => {
  it("gives up after the limit, its last checkpoint as it was", async () => {
    const checkpoints = memoryStore();
    const { driver, push, job, out, seen, BAD } = await started(
      "restart",
      RESTARTS_MAX + 1,
      1,
      checkpoints,
    );
    push("ann", BAD);
    await assertRejects(
      () => pass(driver, 9 * 60_000, 1000),
      Error,
      `Gave up after ${RESTARTS_MAX} restarts within 10 minutes`,
    );
    assertEquals(seen.failures, RESTARTS_MAX + 1);
    const rows = out.rows.length;
    const next = await JobDriver.start(job, { checkpoints });
    assertEquals(out.rows.slice(rows), ["ann 7 of 1+2+4", "ann 107 of 1+2+4+100"]);
    await next.stop();
  });
});
