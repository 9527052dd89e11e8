import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { joinedStage, timesFor, timesForJoining } from "../../../runtime/checkpoint/stage_times.ts";
import type { FeedTime, StageSnapshot } from "../../../runtime/checkpoint/worker_snapshot.ts";
import type { GeneratorTime, InputTime, OriginTime } from "../../../runtime/time/watermark.ts";
import { originOf } from "../../../runtime/worker/stage_inputs.ts";
import { stagePart } from "./stage_parts.ts";

const part = (of: Partial<StageSnapshot>) => stagePart("sum", { watermark: 0, ...of });

/** An origin that counts unless it is idle. */
const origin = (name: string, at: number, idle = false): OriginTime => ({
  ...{ name, at, idle, aligned: !idle, spoken: true },
});

const input = (at: number, idle: boolean, ...origins: OriginTime[]): InputTime => ({
  ...{ at, idle, origins },
});

const generator = (of: Partial<GeneratorTime>): GeneratorTime => ({
  ...{ newest: 0, told: 0, idle: false, quietMs: undefined },
  ...{ seenSinceTick: false, seenSinceProbe: false },
  ...of,
});

/** For a worker of the next start; `sum` and `in` are stages, everything else is a shard. */
const timesOf = (parts: readonly StageSnapshot[], worker: number, workers: number) =>
  timesFor(joinedStage(parts), {
    ...{ worker, workers, partName: originOf },
    partOf: (name) => /^(sum|in)@\d+$/.exec(name)?.[1],
  });

describe("times of a stage that a worker joins", () => {
  const joining = (parts: readonly StageSnapshot[], worker: number) =>
    timesForJoining(joinedStage(parts), {
      ...{ worker, partName: originOf },
      partOf: (name) => /^(sum|in)@\d+$/.exec(name)?.[1],
    });

  it("have one part more of each stage before, which has said what all of them have", () => {
    const origins = [origin("in@0", 5), origin("in@1", 9), origin("src/a@1", 7)];
    const inputs = [{ splits: {}, channels: input(5, false, ...origins) }];
    const [one] = joining([part({ inputs, watermark: 5 })], 2).inputs;
    assertEquals(one?.channels, input(5, false, ...origins, origin("in@2", 5)));
  });

  it("are those of its own part, and of no shard and no call", () => {
    const generators = ["sum@0", "src/a"].map((domain) => ({
      ...{ index: 0, domain, time: generator({ told: 3 }), takenAt: 1, nextInMs: 5 },
    }));
    const words = [{ origin: "src/a", advance: undefined, status: undefined }];
    const times = joining([part({ generators, words, watermark: 3, completed: [1] })], 1);
    assertEquals(times.generators.map(({ domain, time }) => [domain, time.told]), [["sum@1", 3]]);
    assertEquals([times.words, times.pending, times.watermark, times.completed], [[], [], 3, [1]]);
  });
});

describe("times of a stage", () => {
  it("give an input the parts of the next start: 1 -> 3, 3 -> 2, 2 -> 1", () => {
    const channels = (...origins: OriginTime[]) =>
      part({ inputs: [{ splits: {}, channels: input(4, false, ...origins) }] });
    const namesAfter = (from: StageSnapshot, workers: number) =>
      timesOf([from], 0, workers).inputs[0]?.channels.origins;
    const shard = origin("src/a@1", 9);
    assertEquals(namesAfter(channels(shard, origin("in@0", 5)), 3), [
      shard,
      ...[0, 1, 2].map((worker) => origin(`in@${worker}`, 5)),
    ]);
    const three = channels(origin("in@0", 5), origin("in@1", 2, true), origin("in@2", 7));
    assertEquals(namesAfter(three, 2), [origin("in@0", 5), origin("in@1", 5)]);
    const idle = channels(origin("in@0", 5, true), origin("in@1", 3, true));
    assertEquals(namesAfter(idle, 1), [origin("in@0", 3, true)]);
  });

  it("make the generators of parts one by the least of those that are not idle", () => {
    const of = (worker: number, time: Partial<GeneratorTime>) => ({
      ...{ index: 0, domain: `sum@${worker}`, time: generator(time), takenAt: 1, nextInMs: 5 },
    });
    const shard = { ...of(0, { newest: 1 }), domain: "src/a" };
    const parts = [
      part({ generators: [of(0, { newest: 8, told: 7, quietMs: 4 }), shard] }),
      part({ generators: [of(1, { newest: 5, told: 2, quietMs: 9, seenSinceProbe: true })] }),
      part({ generators: [of(2, { newest: 1, told: 0, idle: true, quietMs: 99 })] }),
    ];
    for (const worker of [0, 1]) {
      assertEquals(timesOf(parts, worker, 2).generators, [
        shard,
        of(worker, { newest: 5, told: 2, quietMs: 4, seenSinceProbe: true }),
      ]);
    }
    const quietOnly = [
      part({ generators: [of(0, { quietMs: 4 })] }),
      part({ generators: [of(1, {})] }),
    ];
    assertEquals(timesOf(quietOnly, 0, 1).generators, [of(0, {})]);
    const allIdle = [of(0, { idle: true, quietMs: 4 }), of(1, { idle: true, quietMs: 6 })];
    assertEquals(timesOf(allIdle.map((one) => part({ generators: [one] })), 0, 1).generators, [
      of(0, { idle: true, quietMs: 4 }),
    ]);
  });

  it("take of a merge what the part furthest back has heard, and of shards all", () => {
    const heard = (of: string, at: number) => ({
      ...{ index: 0, origin: of, branches: input(at, false), ended: 0 },
    });
    const parts = [
      part({ merges: [heard("sum@0", 5), heard("src/a", 3)] }),
      part({ merges: [heard("sum@1", 4)] }),
    ];
    assertEquals(timesOf(parts, 2, 3).merges, [heard("src/a", 3), heard("sum@2", 4)]);
  });

  it("have the oldest clock, and all groups that have completed", () => {
    const parts = [part({ watermark: 9, completed: [0] }), part({ watermark: 4, completed: [1] })];
    const { watermark, completed } = timesOf(parts, 0, 1);
    assertEquals([watermark, completed], [4, [0, 1]]);
  });

  it("tell a sink nothing that not all its writers have been told", () => {
    const feed = (worker: number, at: number, idle: boolean): FeedTime => ({
      ...{ index: 0, at, idle, splits: undefined },
      channels: input(at, idle, origin(`sum@${worker}`, at, idle)),
      sink: { at: at - 1, idle: false, feed: { at, idle, aligned: true, spoken: true } },
    });
    const parts = [part({ feeds: [feed(0, 5, false)] }), part({ feeds: [feed(1, 3, true)] })];
    assertEquals(timesOf(parts, 1, 3).feeds, [{
      ...feed(1, 3, false),
      channels: input(3, false, origin("sum@1", 5)),
      sink: { at: 2, idle: false, feed: { at: 5, idle: false, aligned: true, spoken: true } },
      spread: false,
    }]);
  });

  it("keep what shards told a sink for whoever reads them; a worker without shards does not count", () => {
    const split = (name: string, at: number) => ({
      ...{ name, at, idle: false, known: "spoken" as const },
    });
    const feed = (at: number, ...names: string[]): FeedTime => ({
      ...{ index: 0, at, idle: false, channels: input(-Infinity, false), sink: undefined },
      splits: { at, saidIdle: false, splits: names.map((name) => split(name, at)) },
    });
    const parts = [feed(5, "src/a"), feed(3, "src/b"), feed(-Infinity)]
      .map((of) => part({ name: "src", feeds: [of] }));
    const expected = {
      ...feed(3),
      splits: { at: 3, saidIdle: false, splits: [split("src/a", 5), split("src/b", 3)] },
    };
    assertEquals(timesOf(parts, 1, 2).feeds, [{ ...expected, spread: true }]);
    assertEquals(timesOf(parts, 0, 1).feeds, [{ ...expected, spread: false }]);
  });
});
