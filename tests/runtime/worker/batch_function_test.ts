import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RawBatch } from "../../../connectors/raw_record.ts";
import type { ShardBatch } from "../../../connectors/source.ts";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import { fields } from "../../../operators/fields.ts";
import { EventTimeGenerator } from "../../../runtime/time/event_time.ts";
import { OutboundChannel } from "../../../runtime/worker/channel.ts";
import { decodedRowByRow, throughCut } from "../../../runtime/worker/batch_function.ts";
import { EdgeChannels } from "../../../runtime/worker/edge_channels.ts";
import { EdgeOutput } from "../../../runtime/worker/edge_output.ts";
import { type BatchPiece, JoinedPieces } from "../../../runtime/worker/batch_pieces.ts";
import { Gate, Valve } from "../../../runtime/worker/gate.ts";
import { batchOf } from "../../operators/decoder/batch_of.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

const Row = fields({ id: "string" });
const good = (id: string) => `{"row":{"id":"${id}"}}`;

function rawBatch(payloads: readonly string[]) {
  const { arena, starts, ends } = batchOf(payloads);
  const all = <T>(of: (row: number) => T) => payloads.map((_, row) => of(row));
  return new RawBatch({
    shardId: "s0",
    arena,
    starts,
    ends,
    partitionKeys: all(() => ""),
    sequenceNumbers: all(String),
    arrivals: all((row) => 100 + row),
    position: "",
  });
}

const pieceOf = (batch: ShardBatch<unknown>, from = 0, to = batch.length): BatchPiece => ({
  batch,
  origin: { shard: "in/s0", positionAt: (row) => batch.positionAt(row) },
  from,
  to,
});

function decoderOf() {
  const decoder = ColumnDecoder.of(["$.row"], Row);
  assert(decoder !== undefined);
  return decoder;
}

/** Goes through batches; the valve closes at the values that are given. */
function rows(closesAt: readonly unknown[] = []) {
  const heard: string[] = [];
  const cursor = cursorAt(0);
  const valve = new Valve(() => {});
  const gate = new Gate();
  gate.join(valve);
  const run = decodedRowByRow({
    decoder: decoderOf(),
    after: (value) => {
      const { id } = Object(value);
      heard.push(`${cursor.row}/${cursor.timestamp} ${id}`);
      if (closesAt.includes(id)) gate.set(true);
    },
    cursor,
    valve,
  });
  const one = (batch: ShardBatch<unknown>, row: number) => {
    heard.push(`${cursor.row}/${cursor.timestamp} record ${batch.positionAt(row)}`);
  };
  return {
    heard,
    gate,
    run: (batch: ShardBatch<unknown>, from: number, to: number) =>
      from + run([pieceOf(batch, from, to)], one),
    runAll: (...batches: readonly ShardBatch<unknown>[]) =>
      run(batches.map((batch) => pieceOf(batch)), one),
  };
}

describe("decodedRowByRow()", () => {
  it("hands on accepted rows as values, undecided ones as records, and others not at all", () => {
    const { run, heard } = rows();
    const batch = rawBatch([good("a"), "{}", '{"row":{}}', good("b")]);
    assertEquals(run(batch, 0, 4), 4);
    assertEquals(heard, ["0/100 a", "2/102 record 2", "3/103 b"]);
  });

  it("goes through several batches, up to where the valve closes", () => {
    const { runAll, heard } = rows(["c"]);
    assertEquals(runAll(rawBatch([good("a")]), rawBatch(["b", "c", "d"].map(good))), 3);
    assertEquals(heard, ["0/100 a", "0/100 b", "1/101 c"]);
  });

  it("stops when the valve closes, and goes on where it stopped", () => {
    const { run, heard, gate } = rows(["b", "c"]);
    const batch = rawBatch(["a", "b", "c", "d"].map(good));
    assertEquals(run(batch, 0, 4), 2);
    assertEquals(run(batch, 2, 4), 2, "still closed");
    gate.set(false);
    assertEquals(run(batch, 2, 4), 3);
    gate.set(false);
    assertEquals([run(batch, 3, 4), heard], [4, ["0/100 a", "1/101 b", "2/102 c", "3/103 d"]]);
  });

  it("takes batches one after the other, and pieces of one", () => {
    const { run, heard } = rows();
    const [first, second] = [["a", "b", "c"], ["d", "e"]].map((ids) => rawBatch(ids.map(good)));
    assert(first !== undefined && second !== undefined);
    for (const [batch, from, to] of [[first, 0, 2], [first, 2, 3], [second, 0, 2]] as const) {
      assertEquals(run(batch, from, to), to);
    }
    assertEquals(heard.map((line) => line.split(" ")[1]), ["a", "b", "c", "d", "e"]);
  });

  it("goes row by row through batches of anything else", () => {
    const { run, heard } = rows();
    const batch: ShardBatch<unknown> = {
      length: 2,
      bytes: 0,
      position: "",
      valueAt: (row) => row,
      positionAt: String,
      timestampAt: (row) => row,
    };
    assertEquals([run(batch, 0, 2), heard], [2, ["0/0 record 0", "1/1 record 1"]]);
  });
});

describe("throughCut()", () => {
  it("lets event time see the times of all rows, and gives them to the rows", () => {
    const decoder = ColumnDecoder.of(["$"], fields({ id: "string", at: "number" }))?.keyedBy([
      "id",
    ]);
    assert(decoder !== undefined);
    const times: number[] = [];
    const channel = new OutboundChannel({
      rows: (rows) => {
        for (let row = 0; row < rows.length; row++) times.push(rows.timestampAt(row));
        return rows.length;
      },
      watermark() {},
      barrier() {},
      end() {},
    });
    const cursor = cursorAt(0);
    const edge = new EdgeOutput({
      operator: "in/keyBy",
      key: () => "",
      routing: [0, 0],
      channels: new EdgeChannels([[channel]], 1),
      cursor,
      failures: new RecordedFailures(),
    });
    const node = {
      kind: "eventTime",
      id: 1,
      input: { node: 0, port: "main" },
      timestamp: () => 0,
      outOfOrdernessMs: 10,
      watermark: "bounded",
      emitEveryMs: undefined,
      idleAfterMs: undefined,
    } as const;
    const generator = new EventTimeGenerator(10);
    const run = throughCut({
      cut: { decoder, decodedBy: 0, times: [{ node, column: 0 }] },
      edge,
      generators: [generator],
      otherwise: () => 0,
    });
    const batch = rawBatch([5, 99, 7].map((at) => JSON.stringify({ id: "a", at })));
    assertEquals(run([pieceOf(batch)], () => {}), 3);
    assertEquals([times, generator.take()], [[5, 99, 7], [{ kind: "advance", at: 88 }]]);
  });

  it("sends columns, and rows for a while once a record is undecided", () => {
    const sent: string[] = [];
    const cursor = cursorAt(0);
    const decoder = decoderOf().keyedBy(["id"]);
    assert(decoder !== undefined);
    const channel = (worker: number) =>
      new OutboundChannel({
        rows: (rows) => {
          const times = Array.from({ length: rows.length }, (_, row) => rows.timestampAt(row));
          sent.push(`${worker} ${rows.kind} ${times} ${rows.bytes}`);
          return rows.length;
        },
        watermark() {},
        barrier() {},
        end() {},
      });
    const edge = new EdgeOutput({
      operator: "in/keyBy",
      key: (value) => Object(value).id,
      routing: [0, 1],
      channels: new EdgeChannels([[channel(0), channel(1)]], 2),
      cursor,
      failures: new RecordedFailures(),
    });
    const otherwise = (pieces: readonly BatchPiece[]) => {
      sent.push("row by row");
      return new JoinedPieces(pieces).length;
    };
    const run = throughCut({
      cut: { decoder, decodedBy: 0, times: [] },
      edge,
      generators: [],
      otherwise,
    });
    const good3 = rawBatch(["a", "b", "d"].map(good));
    const take = (...batches: readonly RawBatch[]) =>
      run(batches.map((batch) => pieceOf(batch)), () => {});
    assertEquals(take(good3), 3);
    const bytes = (rows: number) => rows * good("a").length;
    assertEquals(sent, [`0 columns 101,102 ${bytes(2)}`, `1 columns 100 ${bytes(1)}`]);
    sent.length = 0;
    assertEquals(take(good3, rawBatch([good("a")]), good3), 7);
    assertEquals(sent, [
      `0 columns 101,102,101,102 ${bytes(4)}`,
      `1 columns 100,100,100 ${bytes(3)}`,
    ]);
    sent.length = 0;
    assertEquals(take(rawBatch([good("a"), "broken"])), 2);
    for (let batch = 0; batch < 40; batch++) take(good3);
    const byRow = sent.filter((line) => line === "row by row").length;
    assert(byRow > 1 && byRow < 40, `${byRow} batches row by row`);
    assertEquals(sent.slice(0, byRow), new Array(byRow).fill("row by row"), "then columns again");
  });
});
