/**
 * A job that begins anew though its store has checkpoints: they stay, and count only once it has one of its own.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import type { KeepCheckpoints } from "../../runtime/supervisor/open_checkpoints.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

describe('a job with from: "none"', () => {
  it("begins anew, also when it starts again before it has kept anything", async () => {
    const checkpoints = memoryStore();
    const numbers = new ScriptedSource<number>({ shards: ["a"] });
    const out = memory.sink<string>();
    let failsAt = -1;
    const start = (from?: KeepCheckpoints["from"]) =>
      JobDriver.start(
        defineJob({
          name: "summing",
          onError: "restart",
          sources: { numbers },
          sinks: { out },
          build: ({ numbers }, { out }) =>
            numbers.keyBy(() => "all").process("sum", {
              state: { sum: store.value(0) },
              onEvent(n, { state }) {
                if (n === failsAt) {
                  failsAt = -1;
                  throw new Error("once");
                }
                return [`${state.sum.value += n}`];
              },
            }).to(out),
        }),
        { checkpoints, checkpointing: from === undefined ? {} : { from } },
      );
    /** What comes out from now on. */
    const rows = (() => {
      let seen = 0;
      return () => {
        const fresh = out.rows.slice(seen);
        seen = out.rows.length;
        return fresh;
      };
    })();

    numbers.push("a", { value: 1 }, { value: 2 });
    const first = await start();
    await first.stop();
    assertEquals(rows(), ["1", "3"]);

    const anew = await start("none");
    assertEquals(rows(), ["1", "3"]);
    failsAt = 4;
    numbers.push("a", { value: 4 });
    // The attempt fails, and the next one has to begin anew as well.
    await anew.settle();
    await anew.advanceTo(anew.now + 60_000);
    assertEquals(rows(), ["1", "3", "7"]);
    await anew.checkpoint();
    failsAt = 8;
    numbers.push("a", { value: 8 });
    await anew.settle();
    await anew.advanceTo(anew.now + 60_000);
    assertEquals(rows(), ["15"]);
    await anew.leave();

    // The checkpoints before it are still there, and have other numbers.
    const again = await start({ id: 1 });
    assertEquals(rows(), ["7", "15"]);
    await again.stop();
    const newest = await start();
    numbers.push("a", { value: 1 });
    await newest.settle();
    assertEquals(rows(), ["16"]);
    await newest.stop();
  });
});
