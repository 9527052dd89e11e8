/**
 * RxJS behind a key, and what it must not do: emit, or fail, when no record is in hand.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { map, mergeMap, NEVER, Subject } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { acted } from "./acting.ts";
import { timedSource } from "./timed_source.ts";

describe("actor() that does things after the call", () => {
  const AFTER_THE_CALL = 'Cannot go on with actor "act": its behavior emitted after the call; ' +
    "use mapAsync for what takes time";

  it("fails the job when it emits", async () => {
    const later = new Subject<string>();
    const texts = timedSource([{ at: 0, values: ["a1"] }, { at: 10, values: ["b1"] }]);
    await assertRejects(
      () =>
        acted(texts, (mailbox, { key }) => {
          if (key === "a") return later;
          // By now the call for a is over.
          return mailbox.pipe(map((text) => (later.next("late"), text)));
        }),
      Error,
      AFTER_THE_CALL,
    );
  });

  it("fails the job when a promise comes back", async () => {
    const texts = timedSource([{ at: 0, values: ["a1"] }, { at: 10, values: [] }]);
    await assertRejects(
      () => acted(texts, (mailbox) => mailbox.pipe(mergeMap((text) => Promise.resolve(text)))),
      Error,
      AFTER_THE_CALL,
    );
  });

  it("fails the job when it errors", async () => {
    const texts = timedSource([{ at: 0, values: ["a1"] }, { at: 10, values: ["a2"] }]);
    await assertRejects(
      () =>
        acted(texts, (mailbox) => mailbox.pipe(mergeMap(() => Promise.reject(new Error("later"))))),
      Error,
      'Cannot go on with actor "act": its behavior failed with "Error: later" after the call',
    );
  });
});

describe("pipe() of a keyed stream", () => {
  it("keeps the order of each key, and gives key and time", async () => {
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    const job = defineJob({
      name: "piping",
      sources: { numbers: memory.source(numbers) },
      sinks: { out: memory.sink<number[]>() },
      build({ numbers }, { out }) {
        numbers.eventTime({ timestamp: (n) => n * 2 }).keyBy((n) => n % 9)
          .pipe(map(({ key, value, timestamp }) => [key, value, timestamp])).to(out);
      },
    });
    for (const [workers, seed] of [[1, 1], [2, 2], [3, 3]] as const) {
      const { output } = await runJob(job, { numbers }, { workers, seed });
      for (let key = 0; key < 9; key++) {
        const ofKey = numbers.filter((n) => n % 9 === key).map((n) => [key, n, n * 2]);
        assertEquals(output("out").filter(([of]) => of === key), ofKey);
      }
    }
  });

  it("fails the job when an operator of the source errors after the call", async () => {
    const texts = timedSource([{ at: 0, values: ["a1"] }, { at: 10, values: ["a2"] }]);
    const job = defineJob({
      name: "piping",
      sources: { texts },
      sinks: { out: memory.sink<string>() },
      build({ texts }, { out }) {
        texts.pipe(mergeMap((text) => text === "a1" ? Promise.reject(new Error("later")) : NEVER))
          .to(out);
      },
    });
    await assertRejects(
      () => runJob(job, { texts }),
      Error,
      'Cannot go on with pipe() behind "texts": an operator failed with "Error: later" after',
    );
  });
});
