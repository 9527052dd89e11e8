import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Key } from "../../../runtime/key.ts";
import { RowBatch } from "../../../runtime/transport/row_batch.ts";
import { InboundChannel } from "../../../runtime/worker/channel.ts";
import { type MailboxEntry, PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { TURNS_PER_SAMPLE, TurnTimes } from "../../../runtime/worker/turn_times.ts";
import { HandClock } from "../hand_clock.ts";

/** An actor's turns: rows of one key, and how long each takes. */
interface Turns {
  readonly key: Key;
  readonly rows: number;
  readonly rowMs: number;
}

/** Rows of the key in a slot. */
function entryOf(slot: number, rows: number): MailboxEntry {
  const batch = {
    ...{ rows: new RowBatch(), input: 0, at: 0, left: rows, channel: new InboundChannel(() => {}) },
    slots: new Uint32Array(rows).fill(slot),
    order: Uint32Array.from({ length: rows }, (_, row) => row),
  };
  return { kind: "rows", batch, next: 0, end: rows };
}

/** Actors take their turns in the same order again and again. */
function taken(turns: readonly Turns[], rounds: number) {
  const clock = new HandClock();
  const times = new TurnTimes(clock, (slot) => turns[slot]?.key ?? "");
  const actors = turns.map((_, group) => new PartitionActor(group));
  for (let round = 0; round < rounds; round++) {
    for (const [group, actor] of actors.entries()) {
      const { rows = 0, rowMs = 0 } = turns[group] ?? {};
      actor.push(entryOf(group, rows));
      const begun = times.begin(actor);
      clock.heldUpMs += rows * rowMs;
      actor.shift();
      times.end(actor, rows, begun);
    }
  }
  return { times, busyMs: actors.map(({ busyMs }) => busyMs) };
}

describe("TurnTimes", () => {
  it("knows the time of each actor, in whatever order they come", () => {
    // As many as turns are timed one of: with each 16th it would always be the same actor's.
    const turns = Array.from({ length: TURNS_PER_SAMPLE }, (_, at): Turns => ({
      ...{ key: `key-${at}`, rows: 1 + at % 3, rowMs: 1 + at },
    }));
    // Until it has been timed itself, an actor's rows take as long as any.
    const [early, late] = [taken(turns, 200).busyMs, taken(turns, 1200).busyMs];
    for (const [at, { rows, rowMs }] of turns.entries()) {
      const found = (late[at] ?? 0) - (early[at] ?? 0);
      assertAlmostEquals(found, 1000 * rows * rowMs, 1e-3, `actor ${at}`);
    }
  });

  it("counts a key by its rows, not by its turns", () => {
    const turns = [{ key: "hot", rows: 90, rowMs: 1 }, { key: 7, rows: 10, rowMs: 1 }];
    const [first, second] = taken(turns, 2000).times.takeHotKeys();
    assertEquals([first?.key, second?.key], ["hot", 7]);
    assertAlmostEquals(first?.share ?? 0, 0.9, 0.03);
  });

  it("goes over to other keys when those come", () => {
    const clock = new HandClock();
    let key = "once hot";
    const times = new TurnTimes(clock, () => key);
    const actor = new PartitionActor(0);
    const turns = () => {
      for (let turn = 0; turn < 5000; turn++) {
        actor.push(entryOf(0, 10));
        const begun = times.begin(actor);
        actor.shift();
        times.end(actor, 10, begun);
      }
    };
    turns();
    assertEquals(times.takeHotKeys(), [{ key: "once hot", share: 1 }]);
    key = "hot now";
    turns();
    const shares = times.takeHotKeys();
    assertEquals(shares.map(({ key }) => key), ["hot now", "once hot"]);
    // What was before counts half.
    assertAlmostEquals(shares[0]?.share ?? 0, 2 / 3, 0.03);
  });

  it("looks at the clock at few turns", () => {
    const clock = new HandClock();
    let looks = 0;
    const counting = Object.assign(clock, { monotonic: () => looks++ });
    const times = new TurnTimes(counting, () => "");
    const actor = new PartitionActor(0);
    const turns = 10_000;
    for (let turn = 0; turn < turns; turn++) times.end(actor, 1, times.begin(actor));
    assertAlmostEquals(looks / turns, 2 / TURNS_PER_SAMPLE, 0.02);
  });
});
