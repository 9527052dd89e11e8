import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { NodeOf } from "../../../runtime/topology.ts";
import type { WatermarkEvent } from "../../../runtime/time/watermark.ts";
import { LastWords } from "../../../runtime/worker/last_words.ts";
import { ShardTimes } from "../../../runtime/worker/shard_times.ts";
import { SinkFeed } from "../../../runtime/worker/sink_feed.ts";
import { StageGenerators } from "../../../runtime/worker/stage_generators.ts";
import { StageMerges } from "../../../runtime/worker/stage_merges.ts";
import { HandClock } from "../hand_clock.ts";

const node: NodeOf<"eventTime"> = {
  ...{ id: 1, kind: "eventTime", input: { node: 0, port: "main" }, timestamp: undefined },
  ...{ watermark: "bounded", outOfOrdernessMs: 0, idleAfterMs: 10, emitEveryMs: undefined },
};

/** A stage with one of each kind, and what its generator says. */
function stage(clock: HandClock) {
  const said: string[] = [];
  const generators = new StageGenerators(clock);
  generators.add(node, (origin, event) => {
    said.push(`${origin} ${event.kind}${event.kind === "advance" ? ` ${event.at}` : ""}`);
  });
  const merges = new StageMerges();
  for (const branch of [0, 1]) merges.at(2).join(branch);
  const words = new LastWords();
  const feed = new SinkFeed(true, { tell() {}, told: () => undefined });
  const times = new ShardTimes({ generators, merges, words, feeds: new Map([[3, feed]]) });
  const see = (origin: string, at: number) => {
    const event: WatermarkEvent = { kind: "advance", at };
    generators.of(node, origin).see(at);
    generators.advance(origin);
    merges.at(2).apply(0, origin, event);
    words.note(origin, event);
    feed.take(origin, event);
  };
  return { times, generators, said, see };
}

describe("ShardTimes", () => {
  it("hands on what is known of one shard, and keeps what is known of others", () => {
    const clock = new HandClock();
    const [here, there] = [stage(clock), stage(clock)];
    here.see("in/a", 5);
    here.see("in/b", 7);
    // What another worker knows of it is from before.
    there.see("in/a", 2);
    const time = structuredClone(here.times.of("in/a"));
    there.times.adopt("in/a", time);
    there.generators.of(node, "in/a");
    here.times.forget("in/a");
    assertEquals(there.times.of("in/a"), time);
    assertEquals(here.times.of("in/a"), { generators: [], merges: [], words: [], feeds: [] });
    const { generators, merges, words } = here.times.snapshot();
    assertEquals(generators.map(({ domain }) => domain), ["in/b"]);
    assertEquals([...merges, ...words].map(({ origin }) => origin), ["in/b", "in/b"]);
  });

  it("lets no watermark go back where a shard goes on", () => {
    const clock = new HandClock();
    const [here, there] = [stage(clock), stage(clock)];
    here.see("in/a", 50);
    there.times.adopt("in/a", here.times.of("in/a"));
    there.see("in/a", 20);
    there.see("in/a", 60);
    assertEquals([here.said, there.said], [["in/a advance 49"], ["in/a advance 59"]]);
  });

  it("lets a shard be idle that was, and probes it when it was due", () => {
    const clock = new HandClock();
    const [here, there] = [stage(clock), stage(clock)];
    here.see("in/a", 50);
    const leave = here.generators.watch("in/a", () => false);
    clock.pass(4);
    const time = here.times.of("in/a");
    assertEquals(time.generators.map(({ nextInMs }) => nextInMs), [6]);
    leave();
    there.times.adopt("in/a", time);
    there.generators.of(node, "in/a");
    const stop = there.generators.watch("in/a", () => false);
    clock.pass(5);
    assertEquals(there.said, []);
    clock.pass(1);
    assertEquals(there.said, ["in/a idle"]);
    const idle = there.times.of("in/a");
    stop();
    here.times.adopt("in/a", idle);
    assertEquals(here.generators.of(node, "in/a").snapshot(0).idle, true);
    here.see("in/a", 90);
    assertEquals(here.said.slice(1), ["in/a active", "in/a advance 89"]);
  });
});
