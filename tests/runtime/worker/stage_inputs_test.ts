import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { GateTime } from "../../../runtime/time/gate_watermark.ts";
import type { WatermarkEvent } from "../../../runtime/time/watermark.ts";
import { RowBatch } from "../../../runtime/transport/row_batch.ts";
import { InboundChannel } from "../../../runtime/worker/channel.ts";
import { StageInputs } from "../../../runtime/worker/stage_inputs.ts";

/** One input with two channels, and as many more inputs with one as asked; what is said to the stage is written down. */
function inputs(
  more = 0,
  start: { watermark?: number; restored?: GateTime; announced?: number } = {},
) {
  const log: string[] = [];
  let now = 0;
  const names = ["a", "b", ...Array.from({ length: more }, (_, index) => `more${index}`)];
  const channels = new Map(names.map((name) => [name, new InboundChannel(() => {})]));
  const channel = (name: string) => channels.get(name) ?? new InboundChannel(() => {});
  const nameOf = (of: InboundChannel) => names.find((name) => channels.get(name) === of);
  const inputOf = (name: string) => Math.max(0, names.indexOf(name) - 1);
  const stage = new StageInputs({
    inputs: Array.from({ length: more + 1 }, (_, input) => ({
      channels: names.filter((name) => inputOf(name) === input).map(channel),
      origins: {
        splits: new Map(),
        channels: names.filter((name) => inputOf(name) === input).map((name) => `${name}@0`),
      },
      restored: input === 0 ? start.restored : undefined,
    })),
    watermark: start.watermark ?? -Infinity,
    now: () => now,
    listener: {
      rows: (rows, input, from) => log.push(`${rows.length} rows of ${nameOf(from)} at ${input}`),
      time: (event) => log.push(event.kind === "advance" ? `time ${event.at}` : event.kind),
      barrier: (epoch, alignMs) => log.push(`barrier ${epoch} after ${alignMs} ms`),
      ended: (final) => log.push(`ended ${final}`),
    },
  });
  stage.announced(start.announced ?? 2);
  const rowsOf = (count: number) => {
    const batch = new RowBatch();
    for (let row = 0; row < count; row++) batch.values.push(row);
    return batch;
  };
  return {
    log,
    stage,
    pass: (ms: number) => now += ms,
    rows: (from: string, count: number) =>
      stage.take(channel(from), { kind: "rows", input: inputOf(from), rows: rowsOf(count) }),
    time: (from: string, event: WatermarkEvent) =>
      stage.take(channel(from), {
        kind: "watermark",
        input: inputOf(from),
        origin: `${from}@0`,
        event,
      }),
    barrier: (from: string, epoch: number) => stage.take(channel(from), { kind: "barrier", epoch }),
    end: (from: string, final = true) =>
      stage.take(channel(from), { kind: "end", input: inputOf(from), final }),
  };
}

describe("StageInputs of workers that come and go", () => {
  const more = new InboundChannel(() => {});
  const from = [{
    channels: [more],
    origins: [{ name: "a@1", siblings: ["a@0", "a@1"] }],
  }];

  it("wait for one that has joined, at the next barrier and with their clock", () => {
    const { log, stage, time, barrier } = inputs();
    for (const name of ["a", "b"]) time(name, { kind: "advance", at: 5 });
    for (const name of ["a", "b"]) barrier(name, 1);
    stage.join(from);
    stage.release();
    for (const name of ["a", "b"]) barrier(name, 2);
    assertEquals(log, ["time 5", "barrier 1 after 0 ms"]);
    stage.take(more, { kind: "barrier", epoch: 2 });
    stage.release();
    for (const name of ["a", "b"]) time(name, { kind: "advance", at: 9 });
    assertEquals(log, ["time 5", "barrier 1 after 0 ms", "barrier 2 after 0 ms"]);
    const event: WatermarkEvent = { kind: "advance", at: 7 };
    stage.take(more, { kind: "watermark", input: 0, origin: "a@1", event });
    assertEquals(log.slice(3), ["time 7"]);
  });

  it("wait no more for one that has left, whatever it had not said", () => {
    const { log, stage, time, barrier, end } = inputs();
    for (const name of ["a", "b"]) barrier(name, 1);
    stage.join(from);
    stage.release();
    for (const name of ["a", "b"]) time(name, { kind: "advance", at: 9 });
    stage.left(from);
    for (const name of ["a", "b"]) time(name, { kind: "advance", at: 12 });
    for (const name of ["a", "b"]) barrier(name, 2);
    stage.release();
    for (const name of ["a", "b"]) end(name);
    assertEquals(log.slice(1), [
      "time 9",
      "time 12",
      "barrier 2 after 0 ms",
      "time Infinity",
      "ended true",
    ]);
  });

  it("take what one that has left had sent, also behind a barrier that is still under way", () => {
    const { log, stage, rows, barrier } = inputs();
    for (const name of ["a", "b"]) barrier(name, 1);
    stage.join(from);
    stage.release();
    // Two epochs that were given up: the worker has let both pass before it left.
    stage.take(more, { kind: "barrier", epoch: 2 });
    const batch = new RowBatch();
    batch.values.push(1);
    stage.take(more, { kind: "rows", input: 0, rows: batch });
    stage.take(more, { kind: "barrier", epoch: 3 });
    stage.left(from);
    stage.announced(3);
    for (const name of ["a", "b"]) barrier(name, 2);
    rows("b", 2);
    stage.release();
    assertEquals(log.slice(1), [
      "barrier 2 after 0 ms",
      "1 rows of undefined at 0",
      "2 rows of b at 0",
    ]);
    for (const name of ["a", "b"]) barrier(name, 3);
    stage.release();
    stage.announced(4);
    for (const name of ["a", "b"]) barrier(name, 4);
    assertEquals(log.slice(4), ["barrier 3 after 0 ms", "barrier 4 after 0 ms"]);
  });

  it("end with the last that is left, also if that is the one that leaves", () => {
    const { log, stage, barrier, end } = inputs();
    for (const name of ["a", "b"]) barrier(name, 1);
    stage.join(from);
    stage.release();
    for (const name of ["a", "b"]) end(name);
    assertEquals(log.includes("ended true"), false);
    stage.left(from);
    assertEquals(log.at(-1), "ended true");
  });
});

describe("StageInputs", () => {
  it("brings the stage nothing from behind a barrier before its snapshot, rows, time and ends alike", () => {
    const { log, stage, rows, time, barrier, end, pass } = inputs();
    time("b", { kind: "advance", at: 5 });
    barrier("a", 1);
    rows("a", 3);
    time("a", { kind: "advance", at: 9 });
    end("a");
    rows("b", 2);
    pass(7);
    barrier("b", 1);
    rows("b", 1);
    assertEquals(log, ["2 rows of b at 0", "barrier 1 after 7 ms"]);
    stage.release();
    assertEquals(log.slice(2), ["3 rows of a at 0", "time 5", "1 rows of b at 0"]);
  });

  it("is not moved on by a watermark that is held", () => {
    const { stage, time, barrier } = inputs();
    time("a", { kind: "advance", at: 3 });
    time("b", { kind: "advance", at: 4 });
    barrier("a", 1);
    time("a", { kind: "advance", at: 8 });
    assertEquals([stage.watermark, stage.times[0]?.channels.at], [3, 3]);
    barrier("b", 1);
    stage.release();
    assertEquals(stage.watermark, 4);
  });

  it("comes to the next epoch when its barrier has been held behind this one's", () => {
    const { log, stage, rows, barrier } = inputs();
    barrier("a", 1);
    rows("a", 1);
    barrier("a", 2);
    rows("a", 2);
    barrier("b", 1);
    stage.release();
    rows("b", 3);
    assertEquals(log, ["barrier 1 after 0 ms", "1 rows of a at 0", "3 rows of b at 0"]);
    barrier("b", 2);
    stage.release();
    assertEquals(log.slice(3), ["barrier 2 after 0 ms", "2 rows of a at 0"]);
  });

  it("holds again, in order, what comes behind a barrier that was held by all", () => {
    const { log, stage, rows, barrier } = inputs();
    for (const channel of ["a", "b"]) barrier(channel, 1);
    rows("a", 1);
    barrier("a", 2);
    barrier("b", 2);
    rows("b", 4);
    rows("a", 3);
    stage.release();
    assertEquals(log.slice(1), ["1 rows of a at 0", "barrier 2 after 0 ms"]);
    stage.release();
    assertEquals(log.slice(3), ["4 rows of b at 0", "3 rows of a at 0"]);
  });

  it("waits for the supervisor's word of an epoch that barriers have overtaken", () => {
    const { log, stage, rows, time, barrier, pass } = inputs(0, { announced: 1 });
    barrier("a", 2);
    rows("a", 1);
    pass(3);
    barrier("b", 2);
    time("b", { kind: "idle" });
    rows("b", 2);
    assertEquals(log, []);
    pass(4);
    stage.announced(2);
    assertEquals(log, ["barrier 2 after 7 ms"]);
    stage.release();
    assertEquals(log.slice(1), ["1 rows of a at 0", "2 rows of b at 0"]);
  });

  it("passes an epoch that was given up, though the next one is announced", () => {
    const { log, stage, barrier } = inputs(0, { announced: 1 });
    barrier("a", 1);
    stage.announced(2);
    assertEquals(log, []);
    barrier("b", 1);
    stage.release();
    for (const channel of ["a", "b"]) barrier(channel, 2);
    assertEquals(log, ["barrier 1 after 0 ms", "barrier 2 after 0 ms"]);
  });

  it("takes the end of a channel for its barrier, and ends with the last one", () => {
    const { log, barrier, end, stage } = inputs();
    barrier("a", 1);
    end("b");
    assertEquals(log, ["barrier 1 after 0 ms"]);
    stage.release();
    barrier("a", 2);
    stage.release();
    end("a");
    assertEquals(log.slice(1), ["barrier 2 after 0 ms", "time Infinity", "ended true"]);
  });

  it("lets no time pass at an end that is a stop, and says so", () => {
    const { log, end } = inputs(1);
    end("a", false);
    end("b");
    end("more0");
    assertEquals(log, ["ended false"]);
  });

  it("aligns all inputs, and its time is that of the slowest", () => {
    const { log, stage, time, barrier } = inputs(1);
    for (const channel of ["a", "b"]) {
      time(channel, { kind: "advance", at: 7 });
      barrier(channel, 1);
    }
    assertEquals([log, stage.count], [[], 2]);
    time("more0", { kind: "advance", at: 6 });
    barrier("more0", 1);
    assertEquals(log, ["time 6", "barrier 1 after 0 ms"]);
    assertEquals(stage.times.map(({ channels }) => channels.at), [7, 6]);
  });

  it("says when it falls idle and comes back, coming back before time moves on", () => {
    const { log, time } = inputs();
    time("a", { kind: "idle" });
    time("b", { kind: "idle" });
    time("a", { kind: "active" });
    time("a", { kind: "advance", at: 3 });
    assertEquals(log, ["idle", "active", "time 3"]);
  });

  it("goes on from the times of a checkpoint: what was heard then is not waited for again", () => {
    const before = inputs();
    before.time("a", { kind: "advance", at: 10 });
    before.time("b", { kind: "advance", at: 20 });
    const [restored] = before.stage.times;
    if (restored === undefined) throw new Error("There is no first input");
    const { stage, log, time } = inputs(0, { watermark: 10, restored });
    assertEquals(stage.watermark, 10);
    time("a", { kind: "advance", at: 10 });
    assertEquals(log, []);
    time("a", { kind: "advance", at: 30 });
    assertEquals(log, ["time 20"]);
  });
});
