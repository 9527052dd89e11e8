import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../../connectors/memory/memory.ts";
import { defineJob } from "../../../runtime/job.ts";
import { JobDriver } from "../../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../../runtime/testing/scripted_source.ts";

function sums(onError: "resume" | "stop" = "resume") {
  const numbers = new ScriptedSource<number>({ shards: ["a", "b"], bounded: true });
  const out = memory.sink<string>();
  const job = defineJob({
    name: "sums",
    sources: { numbers },
    sinks: { out },
    onError,
    build: ({ numbers }, { out }) =>
      numbers
        .keyBy((n) => n % 2)
        .process("see", {
          state: {},
          onEvent(n, { key, watermark }) {
            if (n < 0) throw new Error("below zero");
            return [`${key}: ${n} after ${watermark}`];
          },
        })
        .to(out),
  });
  return { job, numbers, out };
}

describe("JobDriver", () => {
  it("runs each step until nothing is left to do, on any number of workers", async () => {
    for (const workers of [1, 3]) {
      const { job, numbers, out } = sums();
      const driver = await JobDriver.start(job, { workers, startTime: 50 });
      numbers.push("a", { value: 1 }, { event: { kind: "advance", at: 10 } });
      await driver.settle();
      assertEquals([out.rows, driver.now], [["1: 1 after -Infinity"], 50]);
      numbers.push("b", { event: { kind: "advance", at: 7 } });
      await driver.settle();
      numbers.push("b", { value: 2 });
      await driver.advanceTo(60);
      assertEquals([out.rows.slice(1), driver.now], [["0: 2 after 7"], 60]);
      numbers.push("a", { value: -1 });
      await driver.settle();
      assertEquals(driver.deadLetters.map(({ reason }) => reason), ["Error: below zero"]);
      assertEquals((await driver.stop()).kind, "finished");
    }
  });

  it("knows when the job has ended by itself", async () => {
    const { job, numbers } = sums();
    const driver = await JobDriver.start(job);
    numbers.end("a");
    await driver.settle();
    assertEquals(driver.ended, false);
    numbers.end("b");
    await driver.settle();
    assertEquals([driver.ended, driver.status.state], [true, "finished"]);
  });

  it("throws what the job fails with", async () => {
    const { job, numbers } = sums("stop");
    const driver = await JobDriver.start(job);
    numbers.push("a", { value: -1 });
    await assertRejects(() => driver.settle(), Error, "below zero");
  });
});
