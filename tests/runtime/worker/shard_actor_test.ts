/**
 * Where a shard actor stands, by itself and over a restart; what comes of its rows is tested with its stage
 * (`source_stage_test.ts`).
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { stub } from "@std/testing/mock";
import { memory } from "../../../connectors/memory/memory.ts";
import type { Sink, SinkMark } from "../../../connectors/sink.ts";
import type { ReadContext, ShardBatch, ShardMark, Source } from "../../../connectors/source.ts";
import { Observable, type Subscriber } from "../../../deps.ts";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../../runtime/job.ts";
import {
  BATCH_BYTES_MAX,
  SHARD_BATCHES_MAX,
  SHARD_ROWS_MIN,
  TURN_ROWS_MAX,
} from "../../../runtime/limits.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { buildTopology } from "../../../runtime/stream_builder.ts";
import { JobDriver } from "../../../runtime/testing/job_driver.ts";
import { ScriptedSource, type ScriptedStep } from "../../../runtime/testing/scripted_source.ts";
import { Gate } from "../../../runtime/worker/gate.ts";
import { ShardActor } from "../../../runtime/worker/shard_actor.ts";
import { StageOutputs } from "../../../runtime/worker/stage_outputs.ts";
import { TurnQueue } from "../../../runtime/worker/turn_queue.ts";
import { turns } from "../../connectors/event_loop.ts";
import { map } from "../deps.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

/** Rows `first` to `first + length`, whose positions are their numbers, up to `position`. */
function batchOf(
  first: number,
  length: number,
  position = first + length - 1,
  marks: readonly ShardMark[] = [],
): ShardBatch<number> {
  return {
    length,
    bytes: length,
    position: String(position),
    marks,
    valueAt: (row) => first + row,
    positionAt: (row) => String(first + row),
    timestampAt: () => -Infinity,
  };
}

/** A shard that delivers what a test gives it; what its stage handles is written down. */
function shard(after?: string) {
  const clock = new HandClock();
  const queue = new TurnQueue(clock, () => {});
  const failures = new RecordedFailures();
  const cursor = cursorAt(0);
  const handled: number[] = [];
  const ended: string[] = [];
  const halted = new Gate();
  let reader: Subscriber<ShardBatch<number>> | undefined;
  let context: ReadContext | undefined;
  let from: string | undefined;
  const source: Source<number> = {
    kind: "made",
    name: "made",
    bounded: true,
    shards: () => Promise.resolve([]),
    read: (_shard, after, given) => {
      from = after;
      context = given;
      return new Observable((subscriber) => void (reader = subscriber));
    },
  };
  const job = defineJob({
    name: "demo",
    sources: { in: source },
    sinks: { out: memory.sink<number>() },
    build({ in: numbers }, { out }) {
      numbers.pipe(map((n) => {
        handled.push(n);
        return n;
      })).to(out);
    },
  });
  const outputs = new StageOutputs("in", 0, {
    topology: buildTopology(job, { params: undefined, logger: silentLogger }),
    clock,
    queue,
    failures,
    outside: { enter() {}, leave() {} },
    cursor,
    edges: new Map(),
    sinks: new Map(),
    deadLetters: undefined,
    halted,
    restored: undefined,
  }, () => actor.line());
  const actor: ShardActor = new ShardActor({
    name: "in",
    shard: "s0",
    after,
    outputs,
    queue,
    cursor,
    failures,
    took() {},
    ended: (phase) => ended.push(phase),
  });
  actor.read(source, {
    clock,
    random: () => 0,
    logger: silentLogger,
    aws: {},
    startedAt: 0,
    signal: new AbortController().signal,
  });
  return {
    actor,
    outputs,
    handled,
    ended,
    failures,
    block: (closed: boolean) => halted.set(closed),
    deliver: (...batches: ShardBatch<number>[]) => batches.forEach((of) => reader?.next(of)),
    complete: () => reader?.complete(),
    turn: () => clock.runDeferred(),
    context: () => context,
    from: () => from,
  };
}

const BUSY_MS = 10;

/** What a sink is given, marks and rows in one list. After each row it wants no more for a while. */
function logged(log: string[]): Sink<number> {
  const written = (mark: SinkMark) => "at" in mark ? `until ${mark.at}` : mark.kind;
  return {
    guarantee: "at least once",
    kind: "log",
    name: "log",
    open: ({ clock }) =>
      Promise.resolve({
        write({ length, values }) {
          for (const value of values.slice(0, length)) log.push(String(value));
          return new Promise((resolve) => void clock.setTimer(BUSY_MS, resolve));
        },
        mark: (mark) => void log.push(written(mark)),
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
        pending: () => 0,
      }),
  };
}

describe("ShardActor", () => {
  it("reads from where it is told, and stands there until it has handled something", () => {
    const fresh = shard();
    assertEquals([fresh.from(), fresh.actor.position], [undefined, undefined]);
    const { actor, from, deliver, turn, handled } = shard("41");
    assertEquals([from(), actor.position], ["41", "41"]);
    deliver(batchOf(42, 3));
    assertEquals(actor.position, "41", "delivered, but not handled");
    turn();
    assertEquals([actor.position, handled], ["44", [42, 43, 44]]);
  });

  it("stands behind the last row of a turn within a batch, and goes on behind it", () => {
    const { actor, deliver, handled } = shard();
    deliver(batchOf(0, TURN_ROWS_MAX + 10));
    assertEquals(actor.takeTurn(), TURN_ROWS_MAX);
    assertEquals([actor.position, handled.length], [String(TURN_ROWS_MAX - 1), TURN_ROWS_MAX]);
    actor.takeTurn();
    assertEquals([actor.position, handled.length], [
      String(TURN_ROWS_MAX + 9),
      TURN_ROWS_MAX + 10,
    ]);
  });

  it("stands behind its batch, which may end behind its last row", () => {
    const { actor, deliver, turn } = shard();
    deliver(batchOf(0, 3, 8));
    turn();
    assertEquals(actor.position, "8");
  });

  it("moves on by a batch without rows, but not before those that wait", () => {
    const { actor, deliver, turn } = shard("1");
    deliver(batchOf(0, 0, 5));
    assertEquals(actor.position, "5");
    deliver(batchOf(6, 2), batchOf(0, 0, 20));
    assertEquals(actor.position, "5");
    turn();
    assertEquals(actor.position, "20");
  });

  it("does not move on by a batch of nothing but a mark before it has taken that", () => {
    const { actor, deliver, turn } = shard("1");
    deliver(batchOf(0, 0, 5, [{ beforeRow: 0, event: { kind: "advance", at: 3 }, position: "4" }]));
    assertEquals(actor.position, "1");
    turn();
    assertEquals(actor.position, "5");
  });

  it("passes a mark on when the rows before it are handled, in small batches too", () => {
    const { outputs, deliver, turn, handled } = shard();
    const passedAfter: number[] = [];
    using _ = stub(outputs, "watermark", () => void passedAfter.push(handled.length));
    const mark = (beforeRow: number) =>
      ({ beforeRow, event: { kind: "idle" }, position: "" }) as const;
    deliver(batchOf(0, 3, 2, [mark(2)]), batchOf(3, 2, 4, [mark(0), mark(2)]), batchOf(5, 2));
    turn();
    assertEquals([passedAfter, handled], [[2, 3, 5], [0, 1, 2, 3, 4, 5, 6]]);
  });

  it("stands still while its stage is blocked", () => {
    const { actor, deliver, turn, block, handled } = shard("1");
    deliver(batchOf(2, 2));
    block(true);
    turn();
    assertEquals([actor.position, handled], ["1", []]);
    block(false);
    turn();
    assertEquals([actor.position, handled], ["3", [2, 3]]);
  });

  it("asks for more only when there is room", async () => {
    const { context, deliver, turn } = shard();
    let asked = 0;
    const ask = () => context()?.demand.next().then(() => asked++);
    ask();
    await turns(1);
    for (let batch = 0; batch < SHARD_BATCHES_MAX; batch++) deliver(batchOf(batch, SHARD_ROWS_MIN));
    ask();
    await turns(1);
    assertEquals(asked, 1);
    turn();
    turn();
    await turns(1);
    assertEquals(asked, 2);
  });

  it("has room for the rows of two turns in small batches, if they are not large in bytes", async () => {
    for (const [bytes, most] of [[1, SHARD_ROWS_MIN / 8], [BATCH_BYTES_MAX / 4, 4]] as const) {
      const { context, deliver, turn, handled } = shard();
      let asked = 0;
      const ask = () => context()?.demand.next().then(() => asked++);
      for (let batch = 0; batch <= most; batch++) {
        ask();
        await turns(1);
        assertEquals(asked, Math.min(batch + 1, most));
        if (batch < most) deliver({ ...batchOf(8 * batch, 8), bytes });
      }
      turn();
      await turns(1);
      assertEquals([asked, handled.length], [most + 1, 8 * most]);
    }
  });

  it("handles small batches in one turn, stops in the midst of one, and goes on there", () => {
    const { actor, deliver, handled } = shard();
    deliver(batchOf(0, 3, 9), batchOf(10, TURN_ROWS_MAX - 5), batchOf(2000, 6, 2009));
    assertEquals(actor.takeTurn(), TURN_ROWS_MAX);
    assertEquals([actor.position, handled.length], ["2001", TURN_ROWS_MAX]);
    assertEquals(actor.takeTurn(), 4);
    const expected = [
      ...[0, 1, 2],
      ...Array.from({ length: TURN_ROWS_MAX - 5 }, (_, n) => 10 + n),
      ...[2000, 2001, 2002, 2003, 2004, 2005],
    ];
    assertEquals([actor.position, handled], ["2009", expected]);
  });

  it("ends behind what was delivered, at the shard's end and when it is stopped", () => {
    const read = shard();
    read.deliver(batchOf(0, 2));
    read.complete();
    assertEquals(read.ended, []);
    read.turn();
    assertEquals([read.ended, read.handled, read.actor.position], [["ending"], [0, 1], "1"]);

    const stopped = shard();
    stopped.deliver(batchOf(0, 2));
    stopped.actor.stop(false);
    stopped.deliver(batchOf(2, 2));
    stopped.turn();
    assertEquals([stopped.ended, stopped.handled, stopped.actor.position], [
      ["stopping"],
      [0, 1],
      "1",
    ]);
  });

  it("goes on behind the last row or mark that was handled, in the midst of a batch too", async () => {
    const idle = { event: { kind: "idle" } } as const;
    const active = { event: { kind: "active" } } as const;
    const at = (at: number) => ({ event: { kind: "advance", at } }) as const;
    const steps: readonly ScriptedStep<number>[] = [
      ...[at(1), idle, active, { value: 1 }, idle, active, idle, active, { value: 2 }],
      ...[{ value: 3 }, at(5), idle, active, at(6), { value: 4 }, idle],
    ];
    const start = () => {
      const log: string[] = [];
      const job = defineJob({
        name: "marks",
        sources: { source: new ScriptedSource<number>({ shards: [] }) },
        sinks: { out: logged(log) },
        build: ({ source }, { out }) => source.to(out),
      });
      const source = new ScriptedSource<number>({ shards: ["a"] });
      source.push("a", ...steps);
      return { log, job: { ...job, sources: { source } } };
    };
    const wait = async (driver: JobDriver, times: number) => {
      for (let i = 0; i < times; i++) await driver.advanceTo(driver.now + BUSY_MS);
    };
    const { job, log: whole } = start();
    await wait(await JobDriver.start(job), steps.length);
    const cuts = new Set<number>();
    for (let times = 0; times <= 6; times++) {
      const { job, log } = start();
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { checkpoints });
      await wait(first, times);
      await first.checkpoint();
      await first.leave();
      const before = log.splice(0);
      const second = await JobDriver.start(job, { checkpoints, startTime: first.now });
      await wait(second, steps.length);
      const cut = whole.length - log.length;
      cuts.add(cut);
      // What the first run still did behind its checkpoint comes again, in the second one.
      assertEquals([...before.slice(0, cut), ...log], whole, `left after ${times}`);
    }
    // The first two lie between marks. Of splits, idleness that came twice would be said twice.
    assertEquals([...cuts], [4, 9, 14]);
  });
});
