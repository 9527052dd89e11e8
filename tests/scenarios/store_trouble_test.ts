/**
 * A job whose store of checkpoints is slow, fails or is full: it goes on as long as that is tolerated, then starts again
 * from the last checkpoint that is whole; and no write that ends late gets in the way of later checkpoints.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { CHECKPOINT_WRITE_WAIT_MS_MAX } from "../../runtime/limits.ts";
import { store } from "../../runtime/state/state.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import { pass } from "./passing_time.ts";
import { TroubledStore } from "./troubled_store.ts";

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 300;
const CHECKPOINTING = {
  interval: INTERVAL_MS,
  timeout: TIMEOUT_MS,
  toleratedFailures: 2,
  keep: 10,
};

function lists() {
  const words = new ScriptedSource<string>({ shards: ["a", "b"] });
  const out = memory.sink<string>();
  const job = defineJob({
    name: "lists",
    onError: "restart",
    sources: { words },
    sinks: { out },
    build({ words }, { out }) {
      words.keyBy((word) => word.slice(0, 1)).process("collect", {
        state: { all: store.list<string>() },
        onEvent(word, { state }) {
          if (word.endsWith("!") && failures-- > 0) throw new Error("cannot shout");
          state.all.add(word);
          return [[...state.all].join(" ")];
        },
      }).to(out);
    },
  });
  let failures = 1;
  return { words, out, job };
}

async function led(workers = 1) {
  const checkpoints = new TroubledStore();
  const of = lists();
  const driver = await JobDriver.start(of.job, {
    ...{ workers, checkpoints },
    checkpointing: CHECKPOINTING,
  });
  /** Has a word handled, and waits for the next checkpoint to begin, and to end or be given up. */
  const round = async (...words: readonly string[]) => {
    for (const value of words) of.words.push("a", { value });
    await driver.settle();
    await pass(driver, INTERVAL_MS + TIMEOUT_MS);
  };
  /** What a job has that goes on from the last checkpoint. */
  const restored = async (word: string) => {
    const rows = of.out.rows.length;
    const next = await JobDriver.start(of.job, { workers: 2, checkpoints });
    of.words.push("b", { value: word });
    await next.settle();
    const last = of.out.rows.slice(rows).findLast((row) => row.endsWith(word));
    await next.stop();
    return last;
  };
  return { ...of, checkpoints, driver, round, restored };
}

describe("a job whose store is slow", () => {
  it("gives up what takes too long, and goes on with the next", async () => {
    const { checkpoints, round, restored } = await led();
    await round("x1");
    assertEquals(await checkpoints.kept(), [1]);
    checkpoints.trouble = "wait";
    await round("x2");
    assertEquals([...checkpoints.waiting.keys()], [2]);
    checkpoints.trouble = "none";
    await round("x3");
    assertEquals((await checkpoints.kept()).includes(2), false);
    assertEquals(await restored("x4"), "x1 x2 x3 x4");
  });

  it("does not build upon, nor keep, what is written once it was given up", async () => {
    const { checkpoints, driver, round, restored } = await led();
    await round("x1", "y1");
    checkpoints.trouble = "wait";
    await round("x2");
    checkpoints.trouble = "none";
    await round("y2");
    checkpoints.release(2);
    await driver.settle();
    assertEquals(await checkpoints.kept(), [3, 1]);
    await round("x3");
    assertEquals(await restored("y3"), "y1 y2 y3");
    assertEquals(await restored("x4"), "x1 x2 x3 x4");
  });

  it("starts again when more is given up than tolerated, and late writes do no harm", async () => {
    const { checkpoints, driver, round, out, restored } = await led();
    await round("x1");
    checkpoints.trouble = "wait";
    for (const word of ["x2", "x3", "x4"]) await round(word);
    assertEquals([...checkpoints.waiting.keys()], [2, 3, 4]);
    checkpoints.trouble = "none";
    const rows = out.rows.length;
    // The store answers nothing: a new attempt waits so long for what is being written.
    await pass(driver, CHECKPOINT_WRITE_WAIT_MS_MAX + INTERVAL_MS);
    assertEquals(out.rows.slice(rows), ["x1 x2", "x1 x2 x3", "x1 x2 x3 x4"]);
    for (const id of [2, 3, 4]) checkpoints.release(id);
    await round("x5");
    assertEquals(await restored("x6"), "x1 x2 x3 x4 x5 x6");
  });

  it("does not wait for ever for its last checkpoint", async () => {
    const { checkpoints, driver, round } = await led();
    await round("x1");
    checkpoints.trouble = "wait";
    const outcome = await driver.stop();
    assertEquals(
      outcome.kind === "failed" && outcome.error.message,
      "Checkpoint 2, the last one, was not complete within 300 ms",
    );
    assertEquals(await checkpoints.kept(), [1]);
  });
});

for (const [trouble, says] of [["fail", "it is away"], ["full", "it is full"]] as const) {
  describe(`a job whose store says that ${says}`, () => {
    it("goes on while that is tolerated, and has all of it in the next checkpoint", async () => {
      const { checkpoints, round, out, restored } = await led();
      await round("x1");
      checkpoints.trouble = trouble;
      await round("x2");
      await round("x3");
      checkpoints.trouble = "none";
      await round("x4");
      assertEquals(out.rows, ["x1", "x1 x2", "x1 x2 x3", "x1 x2 x3 x4"]);
      assertEquals(await restored("x5"), "x1 x2 x3 x4 x5");
    });

    it("starts again from the last checkpoint when it is not, and gives up at the limit", async () => {
      const { checkpoints, driver, round, out } = await led(2);
      await round("x1");
      checkpoints.trouble = trouble;
      for (const word of ["x2", "x3"]) await round(word);
      const rows = out.rows.length;
      await round();
      await pass(driver, INTERVAL_MS);
      assertEquals(out.rows.slice(rows), ["x1 x2", "x1 x2 x3"]);
      const error = await assertRejects(() => pass(driver, 5 * 60_000), Error);
      assertEquals(
        /^Gave up after 10 restarts .*3 checkpoints in a row failed, 2 are tolerated: Checkpoint \d+ failed: .*/
          .test(error.message),
        true,
        error.message,
      );
      assertEquals(error.message.includes(says), true);
    });
  });
}

describe("a job that fails while a checkpoint is written", () => {
  it("goes on from that one, if it is written soon", async () => {
    const { checkpoints, driver, words, out } = await led();
    words.push("a", { value: "x1" });
    await driver.settle();
    checkpoints.trouble = "wait";
    await pass(driver, INTERVAL_MS);
    assertEquals([...checkpoints.waiting.keys()], [1]);
    words.push("a", { value: "x2!" });
    await driver.settle();
    checkpoints.trouble = "none";
    await pass(driver, 260);
    const rows = out.rows.length;
    checkpoints.release(1);
    await pass(driver, INTERVAL_MS);
    assertEquals(out.rows.slice(rows), ["x1 x2!"]);
  });
});
