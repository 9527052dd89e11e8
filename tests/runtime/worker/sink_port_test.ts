import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SinkBatch, SinkWriter } from "../../../connectors/sink.ts";
import { BATCH_ROWS_MAX } from "../../../runtime/limits.ts";
import { SinkPort } from "../../../runtime/worker/sink_port.ts";
import { turns } from "../../connectors/event_loop.ts";
import { cursorAt } from "./engine_parts.ts";

/** A port over a writer that is full after each batch if asked to be, until `makeRoom()`. */
function port(options: { full?: boolean; throws?: Error } = {}) {
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
  };
  const sink = new SinkPort(writer, (error) => failed.push(error));
  const next = (...values: number[]) => {
    for (const value of values) sink.next(value, cursorAt(value));
  };
  return { sink, next, log, failed, waiting };
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
});
