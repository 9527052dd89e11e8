/**
 * Readers start together and stay together, those of other threads included.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Clock, systemClock } from "../../../runtime/clock.ts";
import { BLOCKS_AHEAD_MAX, joinPace } from "./pace.ts";

// Deno loses its way to other threads when the last channel is closed and the next one opened at once, as happens from
// test to test and nowhere else: with this one there is no last.
new BroadcastChannel("held open");

const TURNS_MAX = 1000;

/** A clock whose timers run when the test says so. */
function handClock(): Clock & { tick(): Promise<void> } {
  const due = new Set<() => void>();
  return {
    now: () => 0,
    monotonic: () => 0,
    setTimer(_delayMs, callback) {
      due.add(callback);
      return () => due.delete(callback);
    },
    defer: (callback) => {
      due.add(callback);
      return () => due.delete(callback);
    },
    async tick() {
      for (const callback of [...due]) callback();
      // What was waiting for a timer looks again, some microtasks later.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    },
  };
}

/** Whether a reader may go on, once that is known. */
function outcomeOf(wait: Promise<void>): { readonly done: boolean } {
  const outcome = { done: false };
  wait.then(() => outcome.done = true);
  return outcome;
}

/** Lets the thread take messages until something is so, or that many would be too many. */
async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX && !isSo(); turn++) {
    await new Promise<void>((resolve) => systemClock.defer(resolve));
  }
}

const { signal } = new AbortController();

describe("joinPace()", () => {
  it("lets nobody start before all have joined", async () => {
    const clock = handClock();
    const a = joinPace("start", "a", 2);
    const started = outcomeOf(a.keepUp(0, clock, signal));
    await clock.tick();
    assertEquals(started.done, false);
    const b = joinPace("start", "b", 2);
    await clock.tick();
    assertEquals(started.done, true);
    a.leave();
    b.leave();
  });

  it("holds a reader back that is too far ahead, until the last one has come nearer or left", async () => {
    const clock = handClock();
    const [a, b, c] = ["a", "b", "c"].map((name) => joinPace("ahead", name, 3));
    if (a === undefined || b === undefined || c === undefined) throw new TypeError("Not joined");
    await a.keepUp(BLOCKS_AHEAD_MAX, clock, signal);
    const further = outcomeOf(a.keepUp(BLOCKS_AHEAD_MAX + 1, clock, signal));
    await b.keepUp(1, clock, signal);
    await clock.tick();
    assertEquals(further.done, false);
    c.leave();
    await clock.tick();
    assertEquals(further.done, true);
    a.leave();
    b.leave();
  });

  it("tells a reader at once that the one behind has come nearer", async () => {
    // Its time stands still: what is waited for by the clock never comes.
    const clock = handClock();
    const [a, b] = ["a", "b"].map((name) => joinPace("told", name, 2));
    if (a === undefined || b === undefined) throw new TypeError("Not joined");
    const further = outcomeOf(a.keepUp(BLOCKS_AHEAD_MAX + 1, clock, signal));
    await b.keepUp(1, clock, signal);
    await turnsUntil(() => further.done);
    assertEquals(further.done, true);
    a.leave();
    b.leave();
  });

  it("holds nobody who has been aborted", async () => {
    const clock = handClock();
    const abort = new AbortController();
    const a = joinPace("abort", "a", 2);
    const waited = a.keepUp(0, clock, abort.signal);
    abort.abort();
    await waited;
    a.leave();
  });

  it("forgets a group when its last reader has left", async () => {
    const clock = handClock();
    joinPace("again", "a", 1).leave();
    const a = joinPace("again", "b", 2);
    const started = outcomeOf(a.keepUp(0, clock, signal));
    await clock.tick();
    assertEquals(started.done, false);
    a.leave();
  });

  it("knows readers of other threads, and tells them of its own", async () => {
    const clock = handClock();
    // What another thread would do.
    const other = new BroadcastChannel("pace threads");
    const heard: string[] = [];
    other.onmessage = ({ data }) => heard.push(data.reader);
    const a = joinPace("threads", "a", 2);
    await turnsUntil(() => heard.length === 1);
    const progress = new SharedArrayBuffer(4);
    other.postMessage({ reader: "b", progress });
    await turnsUntil(() => heard.length === 2);
    assertEquals(heard, ["a", "a"]);
    await a.keepUp(BLOCKS_AHEAD_MAX, clock, signal);
    const further = outcomeOf(a.keepUp(BLOCKS_AHEAD_MAX + 1, clock, signal));
    await clock.tick();
    assertEquals(further.done, false);
    Atomics.store(new Int32Array(progress), 0, 1);
    await clock.tick();
    assertEquals(further.done, true);
    a.leave();
    other.close();
  });
});
