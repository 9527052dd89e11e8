import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SinkBatch, SinkMark, SinkWriter } from "../../../connectors/sink.ts";
import { BATCH_ROWS_MAX } from "../../../runtime/limits.ts";
import { Valve } from "../../../runtime/worker/gate.ts";
import { SinkPort } from "../../../runtime/worker/sink_port.ts";
import { turns } from "../../connectors/event_loop.ts";
import { cursorAt } from "./engine_parts.ts";

/** A port over a writer that is full after each batch if asked to be, until `makeRoom()`. */
function port(options: { full?: boolean; throws?: Error; marks?: boolean } = {}) {
  const log: string[] = [];
  const failed: unknown[] = [];
  const waiting: PromiseWithResolvers<void>[] = [];
  const writer: SinkWriter<unknown> = {
    write({ length, values, originAt }: SinkBatch<unknown>) {
      if (options.throws !== undefined) throw options.throws;
      log.push(values.slice(0, length).map((value, row) => `${value}:${originAt(row)}`).join(" "));
      if (!options.full) return undefined;
      const room = Promise.withResolvers<void>();
      waiting.push(room);
      return room.promise;
    },
    flush: () => Promise.resolve(void log.push("flushed")),
    close: () => Promise.resolve(void log.push("closed")),
    pending: () => 2,
    ...options.marks
      ? { mark: (mark: SinkMark) => void log.push("at" in mark ? `until ${mark.at}` : mark.kind) }
      : {},
  };
  const sink = new SinkPort({
    name: "out",
    writer,
    failed: (error) => failed.push(error),
    written: (epoch, name, prepared) => log.push(`${name} ${epoch} ${prepared}`),
  });
  const next = (...values: number[]) => {
    for (const value of values) sink.next(value, cursorAt(value));
  };
  return { sink, next, log, failed, waiting };
}

function sinkPort(writer: SinkWriter<unknown>): SinkPort {
  return new SinkPort({ name: "out", writer, failed() {}, written() {} });
}

/** A port fed by stages `a` and `b`, each with a valve; `prepare` answers when the test says so, or at once. */
function fed(options: { transactional?: boolean; slow?: boolean; stages?: string[] } = {}) {
  const { transactional = true, slow = false, stages = ["a", "b"] } = options;
  const log: string[] = [];
  const failed: unknown[] = [];
  const prepared: PromiseWithResolvers<string>[] = [];
  const writer: SinkWriter<unknown> = {
    write: ({ length, values }) => void log.push(`rows ${values.slice(0, length)}`),
    flush: () => Promise.resolve(void log.push("flushed")),
    close: () => Promise.resolve(),
    pending: () => 0,
    ...transactional
      ? {
        prepare(epoch) {
          log.push(`prepare ${epoch}`);
          const answer = Promise.withResolvers<string>();
          prepared.push(answer);
          if (!slow) answer.resolve(`files of ${epoch}`);
          return answer.promise;
        },
        commit: (epoch) => Promise.resolve(void log.push(`commit ${epoch}`)),
      }
      : {},
  };
  const sink = new SinkPort({
    name: "out",
    writer,
    failed: (error) => failed.push(error),
    written: (epoch, name, of) => log.push(`written ${name} ${epoch}: ${of}`),
  });
  const valves = new Map(stages.map((stage) => [stage, new Valve(() => {})]));
  for (const [stage, valve] of valves) sink.join(stage, [valve]);
  const next = (...values: number[]) => {
    for (const value of values) sink.next(value, cursorAt(value));
  };
  const blocked = () => [...valves].flatMap(([stage, { blocked }]) => blocked ? [stage] : []);
  return { sink, log, failed, prepared, next, blocked };
}

describe("SinkPort at barriers", () => {
  it("hands over everything before the last barrier, and says then that it is written", async () => {
    const { sink, log, next, blocked } = fed({ transactional: false });
    sink.expect(1);
    next(1);
    sink.barrier("a", 1);
    next(2);
    await turns(1);
    assertEquals([log, blocked()], [[], []], "rows may go on: they are written more than once");
    sink.barrier("b", 1);
    await turns(1);
    assertEquals(log, ["rows 1,2", "flushed", "written out 1: undefined"]);
  });

  it("does not mix epochs in a transaction: a stage waits behind its barrier for the others", async () => {
    const { sink, log, next, blocked } = fed();
    sink.expect(1);
    next(1);
    sink.barrier("a", 1);
    assertEquals(blocked(), ["a"]);
    next(2);
    sink.barrier("b", 1);
    assertEquals(blocked(), ["a", "b"]);
    await turns(1);
    assertEquals([log, blocked()], [["rows 1,2", "prepare 1", "written out 1: files of 1"], []]);
    next(3);
    sink.flush();
    await sink.commit(1);
    assertEquals(log.slice(3), ["rows 3", "commit 1"]);
  });

  it("lets stages go on as soon as rows belong to the next epoch, though they are not stored yet", async () => {
    const { sink, log, blocked, prepared } = fed({ slow: true });
    sink.expect(1);
    for (const stage of ["a", "b"]) sink.barrier(stage, 1);
    await turns(1);
    assertEquals([log, blocked()], [["prepare 1"], []]);
    prepared[0]?.resolve("files");
    await turns(1);
    assertEquals(log.slice(1), ["written out 1: files"]);
  });

  it("takes two epochs one after the other, and keeps who has come to the second waiting", async () => {
    const { sink, log, blocked } = fed();
    sink.expect(1);
    sink.expect(2);
    sink.barrier("a", 1);
    sink.barrier("b", 1);
    // Before its rows are handed over `b` comes to the next one.
    sink.barrier("b", 2);
    await turns(1);
    assertEquals([log, blocked()], [["prepare 1", "written out 1: files of 1"], ["b"]]);
    sink.barrier("a", 2);
    await turns(1);
    assertEquals([log.slice(2), blocked()], [["prepare 2", "written out 2: files of 2"], []]);
  });

  it("waits for no barrier of a stage that has ended", async () => {
    const { sink, log, next } = fed();
    sink.expect(1);
    next(1);
    sink.barrier("a", 1);
    sink.leave("b");
    await turns(1);
    assertEquals(log, ["rows 1", "prepare 1", "written out 1: files of 1"]);
    sink.leave("a");
    sink.expect(2);
    await turns(1);
    assertEquals(log.slice(3), ["prepare 2", "written out 2: files of 2"]);
  });

  it("takes an end that comes after the stage's own barrier for nothing more", async () => {
    const { sink, log } = fed();
    sink.expect(1);
    sink.barrier("a", 1);
    sink.leave("a");
    await turns(1);
    assertEquals(log, []);
    sink.barrier("b", 1);
    await turns(1);
    assertEquals(log, ["prepare 1", "written out 1: files of 1"]);
  });

  it("finishes an epoch without barriers where no stage feeds it", async () => {
    const { sink, log, next } = fed({ stages: [] });
    next(1);
    await sink.finishEpoch(4);
    assertEquals(log, ["rows 1", "prepare 4", "written out 4: files of 4"]);
  });

  it("fails when its writer can't prepare, and has nothing to commit where it is not transactional", async () => {
    const { sink, failed, prepared } = fed({ slow: true });
    sink.expect(1);
    for (const stage of ["a", "b"]) sink.barrier(stage, 1);
    await turns(1);
    const error = new Error("disk full");
    prepared[0]?.reject(error);
    await turns(1);
    assertEquals(failed, [error]);
    await fed({ transactional: false }).sink.commit(1);
  });
});

describe("SinkPort", () => {
  it("hands rows over in batches, with the origin of each", () => {
    const { sink, next, log } = port();
    next(1, 2);
    assertEquals([log, sink.rows, sink.pending], [[], 0, 4]);
    sink.flush();
    sink.flush();
    assertEquals([log, sink.rows, sink.pending], [["1:in/s0@1 2:in/s0@2"], 2, 2]);
  });

  it("gives each row its time and its id, which counts what leaves for a record", () => {
    const rows: string[] = [];
    const sink = sinkPort({
      write({ length, idAt, timestampAt }) {
        for (let row = 0; row < length; row++) rows.push(`${idAt(row)} ${timestampAt(row)}`);
        return undefined;
      },
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      pending: () => 0,
    });
    const cursor = cursorAt(1, { timestamp: 50 });
    for (const value of ["a", "b"]) sink.next(value, cursor);
    sink.next("c", cursorAt(2));
    sink.flush();
    assertEquals(rows, ["in/s0@1#0 50", "in/s0@1#1 50", "in/s0@2#0 -Infinity"]);
  });

  it("finishes a writer that is transactional, and others not", async () => {
    const log: string[] = [];
    const writer: SinkWriter<unknown> = {
      write: () => undefined,
      flush: () => Promise.resolve(void log.push("flushed")),
      finish: () => Promise.resolve(void log.push("finished")),
      close: () => Promise.resolve(),
      pending: () => 0,
    };
    const sink = sinkPort(writer);
    await sink.drain();
    await sink.finish();
    assertEquals(log, ["flushed", "finished"]);
    await port().sink.finish();
  });

  it("hands a full batch over by itself", () => {
    const { sink, next, log } = port();
    next(...Array.from({ length: BATCH_ROWS_MAX + 1 }, (_, row) => row));
    assertEquals([log.length, sink.rows], [1, BATCH_ROWS_MAX]);
  });

  it("closes its gate while the writer wants no more, and goes on by itself when it does", async () => {
    const { sink, next, log, waiting } = port({ full: true });
    next(1);
    sink.flush();
    next(2, 3);
    sink.flush();
    assertEquals([log, sink.gate.closed], [["1:in/s0@1"], true]);
    waiting[0]?.resolve();
    await turns(1);
    assertEquals([log, sink.gate.closed], [["1:in/s0@1", "2:in/s0@2 3:in/s0@3"], true]);
    waiting[1]?.resolve();
    await turns(1);
    assertEquals([log.length, sink.gate.closed], [2, false]);
  });

  it("drains: waits for room as often as it takes, then flushes the writer", async () => {
    const { sink, next, log, waiting } = port({ full: true });
    next(1);
    sink.flush();
    next(2);
    let drained = false;
    const draining = sink.drain().then(() => drained = true);
    await turns(1);
    assertEquals([log, drained], [["1:in/s0@1"], false]);
    for (const room of [0, 1]) {
      waiting[room]?.resolve();
      await turns(1);
    }
    await draining;
    await sink.close();
    assertEquals(log, ["1:in/s0@1", "2:in/s0@2", "flushed", "closed"]);
  });

  it("fails when the writer throws or can't make room, and hands the rows over once only", async () => {
    const error = new Error("broken");
    const throwing = port({ throws: error });
    throwing.next(1);
    throwing.sink.flush();
    throwing.sink.flush();
    assertEquals([throwing.failed, throwing.sink.pending], [[error], 2]);

    const rejecting = port({ full: true });
    rejecting.next(1);
    rejecting.sink.flush();
    rejecting.waiting[0]?.reject(error);
    await turns(1);
    assertEquals([rejecting.failed, rejecting.sink.gate.closed], [[error], true]);
  });

  it("gives the event time of each row", () => {
    const times: number[] = [];
    const writer: SinkWriter<unknown> = {
      write({ length, timestampAt }) {
        for (let row = 0; row < length; row++) times.push(timestampAt(row));
        return undefined;
      },
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      pending: () => 0,
    };
    const sink = sinkPort(writer);
    sink.next("a", Object.assign(cursorAt(1), { timestamp: 7 }));
    sink.next("b", Object.assign(cursorAt(2), { timestamp: -Infinity }));
    sink.flush();
    assertEquals(times, [7, -Infinity]);
  });

  it("tells of watermarks between the rows, behind a closed gate too", async () => {
    const { sink, next, log, waiting } = port({ full: true, marks: true });
    const feed = sink.feed("stage", false);
    next(1);
    feed?.take("stage@0", { kind: "advance", at: 5 });
    assertEquals(log, ["1:in/s0@1", "until 5"]);
    next(2);
    feed?.take("stage@0", { kind: "advance", at: 6 });
    next(3);
    feed?.take("stage@0", { kind: "idle" });
    sink.flush();
    assertEquals(log.length, 2);
    waiting[0]?.resolve();
    await turns(1);
    assertEquals(log.slice(2), ["2:in/s0@2", "until 6"]);
    waiting[1]?.resolve();
    await turns(1);
    assertEquals(log.slice(4), ["3:in/s0@3", "idle"]);
  });

  it("combines what several stages tell, and says once that all is over", () => {
    const { sink, log } = port({ marks: true });
    const [one, other] = [sink.feed("one", false), sink.feed("other", true)];
    one?.take("one@0", { kind: "advance", at: 5 });
    assertEquals(log, []);
    other?.take("other/0", { kind: "advance", at: 3 });
    other?.take("other/0", { kind: "idle" });
    assertEquals(log, ["until 3", "until 5"]);
    one?.finish();
    other?.finish();
    other?.finish();
    assertEquals(log.slice(2), ["until Infinity"]);
  });

  it("goes on from what feeds had told it at a checkpoint", () => {
    const names = ["one", "other"];
    const first = port({ marks: true });
    const [one, other] = names.map((name) => first.sink.feed(name, false));
    one?.take("one@0", { kind: "advance", at: 5 });
    other?.take("other@0", { kind: "advance", at: 3 });
    one?.take("one@0", { kind: "idle" });
    other?.take("other@0", { kind: "idle" });
    assertEquals(first.log, ["until 3", "until 5", "idle"]);
    const kept = [one, other].flatMap((feed) => feed === undefined ? [] : [feed.snapshot()]);
    const next = port({ marks: true });
    const [again, more] = names.map((name, index) => {
      const of = kept[index];
      return next.sink.feed(name, false, of && { ...of, index, spread: false });
    });
    again?.take("one@0", { kind: "active" });
    more?.take("other@0", { kind: "advance", at: 9 });
    again?.take("one@0", { kind: "advance", at: 7 });
    one?.take("one@0", { kind: "active" });
    const until = first.log.length - 1;
    other?.take("other@0", { kind: "advance", at: 9 });
    one?.take("one@0", { kind: "advance", at: 7 });
    assertEquals(next.log, first.log.slice(until));
    assertEquals(next.log, ["active", "until 7"]);
  });

  it("asks nobody for watermarks that its writer does not want", () => {
    assertEquals(port().sink.feed("stage", false), undefined);
  });
});
