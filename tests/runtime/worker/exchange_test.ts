import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../../connectors/memory/memory.ts";
import { defineJob } from "../../../runtime/job.ts";
import type { Edge } from "../../../runtime/stage_plan.ts";
import { runJob } from "../../../runtime/testing/run_job.ts";
import { RowBatch } from "../../../runtime/transport/row_batch.ts";
import { Exchange } from "../../../runtime/worker/exchange.ts";
import type { Link, PeerMessage } from "../../../runtime/worker/protocol.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

const EDGE: Edge = { id: 0, from: "in", to: "sum", input: 0, keyBy: 1 };

/** Worker 0 of two, with what it posts to worker 1. */
function exchange(mayWait = false) {
  const posted: PeerMessage[][] = [];
  let hear: (messages: readonly PeerMessage[]) => void = () => {};
  let closed = 0;
  const link: Link = {
    post: (messages) => posted.push(structuredClone([...messages])),
    onMessage: (listener) => hear = listener,
    close: () => void closed++,
  };
  const failures = new RecordedFailures();
  const exchange = new Exchange({
    ...{ worker: 0, slots: 2, links: [undefined, link], edges: [EDGE], decoders: [], failures },
    moved: () => {},
    mayWait: () => mayWait,
  });
  exchange.open([]);
  return {
    exchange,
    posted,
    failures,
    hear: (message: PeerMessage) => hear([message]),
    closed: () => closed,
  };
}

const types = (posted: readonly (readonly PeerMessage[])[]) =>
  posted.map((messages) =>
    messages.map((message) =>
      message.type === "rows" ? `${message.rows.length} rows` : message.type
    ).join(", ")
  );

function rowsOf(length: number): RowBatch {
  const batch = new RowBatch();
  batch.values.push(...new Array(length).fill(0));
  batch.keys.push(...new Array(length).fill("a"));
  return batch;
}

describe("Exchange", () => {
  it("posts rows, watermarks and the end to another worker, in order", () => {
    const { exchange: running, posted } = exchange();
    const channel = running.outbound(EDGE)[1];
    channel?.add({ id: 1 }, "a", 0, cursorAt(1), 0);
    channel?.watermark("in/s0", { kind: "idle" });
    channel?.add({ id: 2 }, "a", 0, cursorAt(2), 0);
    running.flush();
    channel?.end(true);
    assertEquals(types(posted), ["1 rows", "watermark", "1 rows", "end"]);
  });

  it("sends what may wait together, in order, with the next flush or before what may not", () => {
    const { exchange: running, posted } = exchange(true);
    const channel = running.outbound(EDGE)[1];
    const credit = running.inbound(EDGE)[1];
    channel?.addRows(rowsOf(3));
    credit?.handled(1, 10);
    channel?.addRows(rowsOf(2));
    running.handOver();
    assertEquals(types(posted), []);
    running.flush();
    assertEquals(types(posted), ["3 rows, 2 rows, credit"]);
    channel?.addRows(rowsOf(1));
    channel?.watermark("in/s0", { kind: "idle" });
    running.flush();
    assertEquals(types(posted).slice(1), ["1 rows, watermark"]);
  });

  it("makes dead letters of rows that can't be sent, sends the others, and waits for no credit of theirs", () => {
    const { exchange: running, posted, failures } = exchange();
    const channel = running.outbound(EDGE)[1];
    for (const [row, value] of [() => {}, { id: 1 }, Symbol("x"), { id: 2 }].entries()) {
      channel?.add(value, `k${row}`, 0, cursorAt(row, { timestamp: 50 + row }), 0);
    }
    running.flush();
    assertEquals(types(posted), ["2 rows"]);
    assertEquals(
      failures.letters.map((
        { operator, origin, key, timestamp },
      ) => [operator, origin, key, timestamp]),
      [["in/keyBy", "in/s0@0", "k0", 50], ["in/keyBy", "in/s0@2", "k2", 52]],
    );
    channel?.add(() => {}, "k", 0, cursorAt(5), 0);
    running.flush();
    assertEquals([types(posted), failures.letters.length], [["2 rows"], 3]);
  });

  it("refuses messages for an edge or a stage that is not there", () => {
    const { hear } = exchange();
    for (const edge of [0, 7]) {
      assertThrows(
        () => hear({ type: "end", edge, final: true }),
        Error,
        `Cannot take a message for edge ${edge} from worker 1: there is no such edge`,
      );
    }
  });

  it("lets go of its links", () => {
    const { exchange: running, closed } = exchange();
    running.close();
    assertEquals(closed(), 1);
  });

  it("hands everything to a stage on the same worker as it is, and sends it to others (through runJob)", async () => {
    const job = defineJob({
      name: "demo",
      sources: { numbers: memory.source(Array.from({ length: 40 }, (_, n) => n)) },
      sinks: { out: memory.sink<number>() },
      build({ numbers }, { out }) {
        const pass = { state: {}, onEvent: ({ n }: { n: number; call: () => number }) => [n] };
        numbers.pipe((n) => n).mapAsync("wrap", (n) => Promise.resolve({ n, call: () => n }))
          .keyBy(({ n }) => n).process("unwrap", pass).to(out);
      },
    });
    const alone = await runJob(job);
    const inOrder = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);
    const all = Array.from({ length: 40 }, (_, n) => n);
    assertEquals([inOrder(alone.output("out")), alone.deadLetters], [all, []]);
    const shared = await runJob(job, {}, { workers: 3 });
    const lost = shared.deadLetters.map(({ key }) => Number(key));
    assertEquals(inOrder([...shared.output("out"), ...lost]), all);
    assertEquals(lost.length > 0 && lost.length < 40, true);
  });
});
