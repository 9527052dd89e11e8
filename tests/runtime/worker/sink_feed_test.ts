import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { RestoredFeed } from "../../../runtime/checkpoint/worker_snapshot.ts";
import type { WatermarkEvent } from "../../../runtime/time/watermark.ts";
import { SinkFeed } from "../../../runtime/worker/sink_feed.ts";

const advance = (at: number): WatermarkEvent => ({ kind: "advance", at });
const idle: WatermarkEvent = { kind: "idle" };
const joined: WatermarkEvent = { kind: "joined" };

/** A feed, and what it tells but for who comes and ends. */
function feed(splits: boolean, restored?: RestoredFeed) {
  const log: (string | number)[] = [];
  const of = new SinkFeed(splits, {
    tell: (event) => {
      if (event.kind === "advance") log.push(event.at);
      else if (event.kind === "idle" || event.kind === "active") log.push(event.kind);
    },
    told: () => undefined,
  }, restored);
  const again = (spread: boolean) => feed(splits, { ...of.snapshot(), index: 0, spread });
  return { of, log, again };
}

describe("SinkFeed", () => {
  for (const splits of [true, false]) {
    const what = splits ? "splits" : "channels";

    it(`tells after a restart what it would have told without: ${what}`, () => {
      const said: [string, WatermarkEvent][] = [
        ...[["a", joined], ["b", joined], ["a", advance(5)], ["b", advance(3)], ["a", idle]],
        ...[["b", idle], ["a", { kind: "active" }], ["a", advance(6)], ["b", { kind: "active" }]],
        ...[["b", advance(8)], ["a", { kind: "ended", successors: ["c"] }], ["c", advance(9)]],
        ["b", advance(10)],
      ] as [string, WatermarkEvent][];
      const whole = feed(splits);
      for (const [origin, event] of said) whole.of.take(origin, event);
      for (const interrupted of said.keys()) {
        const before = feed(splits);
        for (const [origin, event] of said.slice(0, interrupted)) before.of.take(origin, event);
        const after = before.again(false);
        for (const [origin, event] of said.slice(interrupted)) after.of.take(origin, event);
        assertEquals([...before.log, ...after.log], whole.log, `interrupted at ${interrupted}`);
      }
    });

    it(`waits for those of its shards that are read here: ${what}`, () => {
      const before = feed(splits);
      for (const origin of ["a", "b"]) before.of.take(origin, joined);
      before.of.take("b", advance(3));
      before.of.take("a", advance(5));
      const { of, log } = before.again(true);
      of.take("a", joined);
      // It has its own watermark still, and waits no more for the other.
      of.take("a", advance(4));
      of.take("a", advance(6));
      assertEquals([before.log, log], [[3], [6]]);
    });
  }

  it("says the end of all input once, restarts or not", () => {
    const { of, log, again } = feed(false);
    of.take("sum@0", idle);
    of.finish();
    const after = again(false);
    after.of.finish();
    assertEquals([log, after.log], [["idle", "active", Infinity], []]);
  });

  for (const splits of [true, false]) {
    it(`hands a shard on to another worker's: ${splits ? "splits" : "channels"}`, () => {
      const [here, there] = [feed(splits), feed(splits)];
      for (const origin of ["a", "b"]) here.of.take(origin, joined);
      there.of.take("c", joined);
      here.of.take("a", advance(3));
      here.of.take("b", advance(8));
      there.of.take("c", advance(5));
      const heard = here.of.heard("a");
      assertEquals(heard, { at: 3, idle: false });
      there.of.arrive("a", heard ?? { at: 0, idle: true });
      here.of.leave("a");
      // Nobody waits for it here any more, and there it is waited for, channels once they have caught up.
      here.of.take("b", advance(9));
      there.of.take("c", advance(10));
      there.of.take("a", advance(7));
      assertEquals([here.log, there.log.slice(1)], [[3, ...(splits ? [] : [8]), 9], [
        splits ? 7 : 10,
      ]]);
      assertEquals([here.of.heard("a"), there.of.heard("a")], [undefined, { at: 7, idle: false }]);
    });

    it(`takes a shard over that is idle, though it was another at the checkpoint: ${splits}`, () => {
      const before = feed(splits);
      for (const origin of ["a", "b"]) before.of.take(origin, joined);
      before.of.take("a", advance(3));
      const { of, log } = before.again(true);
      of.take("b", joined);
      of.take("b", advance(5));
      of.arrive("a", { at: 6, idle: true });
      of.take("b", advance(7));
      assertEquals(of.heard("a"), { at: 6, idle: true });
      assertEquals(log, [5, 7]);
    });
  }
});
