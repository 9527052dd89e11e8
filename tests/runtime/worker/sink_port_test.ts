import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SinkBatch, SinkMark, SinkWriter } from "../../../connectors/sink.ts";
import { BATCH_ROWS_MAX } from "../../../runtime/limits.ts";
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
