/**
 * Keys as actors whose mailbox is an Observable: what survives their sleep, and what a failure
 * costs.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { concatMap, endWith, map, mergeMap, of, scan, take } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { acted, type Behavior } from "./acting.ts";
import { timedSource } from "./timed_source.ts";

/** Tells each text with the count in state, and the count that the operator remembers. */
const counting: Behavior = (mailbox, { state }) =>
  mailbox.pipe(
    scan(({ seen }, text) => ({ seen: seen + 1, text }), { seen: 0, text: "" }),
    map(({ seen, text }) => `${text} ${++state.count.value} ${seen}`),
  );

describe("actor()", () => {
  it("has one mailbox a key, in order", async () => {
    const texts = Array.from({ length: 300 }, (_, n) => `${"abcdefg"[n % 7]}${n}`);
    for (const [workers, seed] of [[1, 1], [2, 2], [3, 3]] as const) {
      const { output } = await acted(texts, counting, { workers, seed });
      for (const key of "abcdefg") {
        const ofKey = texts.filter((text) => text.startsWith(key));
        assertEquals(
          output("out").filter((text) => text.startsWith(key)),
          ofKey.map((text, index) => `${text} ${index + 1} ${index + 1}`),
        );
      }
    }
  });

  it("keeps its state while it sleeps, and forgets what its operators remember", async () => {
    const texts = timedSource([
      { at: 0, values: ["a1", "a2", "b1"] },
      { at: 500, values: ["a3"] },
      { at: 5000, values: ["a4", "a5", "b2"] },
    ]);
    const { output } = await acted(texts, counting, { passivateAfter: "1s" });
    assertEquals(
      output("out").toSorted(),
      ["a1 1 1", "a2 2 2", "a3 3 3", "a4 4 1", "a5 5 2", "b1 1 1", "b2 2 1"],
    );
  });

  it("is called again after its Observable has completed", async () => {
    const { output } = await acted(["a1", "a2", "a3", "a4", "a5"], (mailbox, { state }) => {
      const call = ++state.count.value;
      return mailbox.pipe(
        take(2),
        map((text) => `${text} in call ${call}`),
        endWith(`end ${call}`),
      );
    });
    assertEquals(output("out"), [
      "a1 in call 1",
      "a2 in call 1",
      "end 1",
      "a3 in call 2",
      "a4 in call 2",
      "end 2",
      "a5 in call 3",
      "end 3",
    ]);
  });

  it("completes mailboxes at the end of the input, with the state at hand", async () => {
    const { output } = await acted(["a1", "b1", "a2"], (mailbox, { key, state }) =>
      mailbox.pipe(
        map((text) => (state.count.value++, text)),
        endWith("end"),
        map((text) => text === "end" ? `${key} saw ${state.count.value}` : text),
      ));
    assertEquals(output("out").slice(3).toSorted(), ["a saw 2", "b saw 1"]);
  });

  it("sees time and watermark of the record in hand", async () => {
    const job = defineJob({
      name: "timed",
      sources: { times: timedSource([{ at: 0, values: [10] }, { at: 1, values: [20] }]) },
      sinks: { out: memory.sink<string>() },
      build({ times }, { out }) {
        times.eventTime({ timestamp: (at) => at }).keyBy(() => "k").actor("act", {
          state: {},
          behavior: (mailbox, context) =>
            mailbox.pipe(map((at) => `${at} ${context.timestamp}@${context.watermark}`)),
        }).to(out);
      },
    });
    const { output } = await runJob(job, { times: job.sources.times });
    assertEquals(output("out"), ["10 10@-Infinity", "20 20@9"]);
  });
});

describe("actor() that throws", () => {
  const refusing: Behavior = (mailbox, context) =>
    counting(mailbox, context).pipe(concatMap((text) => {
      if (text.startsWith("a2")) throw new Error("not a2");
      return of(text);
    }));

  it("costs the record: state is as before, and its chain starts anew", async () => {
    const { output, deadLetters } = await acted(["a1", "b1", "a2", "a3", "b2"], refusing);
    // The count in state goes on where a1 left it; the operator starts again.
    assertEquals(output("out").toSorted(), ["a1 1 1", "a3 2 1", "b1 1 1", "b2 2 2"]);
    assertEquals(
      deadLetters.map(({ operator, key, origin, reason, value }) => [
        operator,
        key,
        origin,
        reason,
        value,
      ]),
      [["act", "a", "texts/shard-0@2", "Error: not a2", "a2"]],
    );
  });

  it("has put out nothing when it throws half way", async () => {
    const { output, deadLetters } = await acted(
      ["a1"],
      (mailbox) =>
        mailbox.pipe(mergeMap(function* (text) {
          yield text;
          throw new Error("half way");
        })),
    );
    assertEquals(output("out"), []);
    assertEquals(deadLetters.length, 1);
  });

  it("costs the record when behavior() itself throws", async () => {
    const { output, deadLetters } = await acted(["a1", "b1"], (mailbox, { key, state }) => {
      state.count.value = 7;
      if (key === "a") throw new Error("no such actor");
      return mailbox.pipe(map((text) => `${text} ${state.count.value}`));
    });
    assertEquals(output("out"), ["b1 7"]);
    assertEquals(deadLetters.map(({ reason }) => reason), ["Error: no such actor"]);
  });

  it("makes a dead letter of what it throws at the end of the input", async () => {
    const { deadLetters } = await acted(["a1"], (mailbox, { state }) =>
      mailbox.pipe(
        endWith("end"),
        map((text) => {
          if (text !== "end") return text;
          state.count.value = 1;
          throw new Error("at the end");
        }),
      ));
    assertEquals(deadLetters.map(({ operator, key, reason }) => [operator, key, reason]), [
      ["act", "a", "Error: at the end"],
    ]);
  });
});
