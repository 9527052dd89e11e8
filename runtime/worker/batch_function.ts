/**
 * What a source stage does with rows of batches as a whole, where its first operator can decode batches: as columns
 * through the cut behind it if that is possible, else row by row. The outcome is the same as of handing the operator one
 * record after the other.
 *
 * @module
 */

import { rawColumnsOf } from "../../connectors/raw_record.ts";
import type { ShardBatch } from "../../connectors/source.ts";
import type { ColumnDecoder } from "../../operators/decoder/column_decoder.ts";
import { type DecodedBatch, REFUSED, RowStatus } from "../../operators/decoder/decoded_batch.ts";
import type { PickedRows } from "../../operators/decoder/picked_rows.ts";
import type { Emit } from "../../operators/fused.ts";
import { type ColumnarCut, columnarCut, type DecodingNode } from "../columnar_cut.ts";
import type { EventTimeGenerator } from "../time/event_time.ts";
import type { NodeId, NodeOf, Topology } from "../topology.ts";
import { DecodedRows } from "../transport/decoded_rows.ts";
import { type BatchPiece, JoinedPieces, recordRanges } from "./batch_pieces.ts";
import type { BroadcastOutput } from "./broadcast_output.ts";
import { EdgeOutput } from "./edge_output.ts";
import type { Valve } from "./gate.ts";
import type { RecordCursor } from "./record_cursor.ts";

/**
 * Handles rows of one shard in order, until the valve closes. Returns how many.
 *
 * @param one handles one row as a record; the cursor is there
 */
export type BatchFunction = (pieces: readonly BatchPiece[], one: HandleRow) => number;

/** Handles a row of a batch as a record. */
export type HandleRow = (batch: ShardBatch<unknown>, row: number) => void;

/** Batches for which columns are not tried again after one that had an undecided record. */
const BATCHES_BY_ROW = 16;

/** What decodes batches of a stage, and what comes after it. */
export interface Decoding {
  readonly node: DecodingNode;
  readonly after: Emit<unknown>;
}

/** The function of a source stage for one shard. */
export function batchFunction(
  { decoding, topology, edges, cursor, valve, generator }: {
    decoding: Decoding | undefined;
    topology: Topology;
    /** By the node of the cut. */
    edges: ReadonlyMap<NodeId, EdgeOutput | BroadcastOutput>;
    cursor: RecordCursor;
    valve: Valve;
    /** The shard's own, of an eventTime node. */
    generator: (node: NodeOf<"eventTime">) => EventTimeGenerator;
  },
): BatchFunction {
  if (decoding === undefined) return rowByRow({ cursor, valve });
  const { node: { node, decoder }, after } = decoding;
  const otherwise = decodedRowByRow({ decoder, after, cursor, valve });
  for (const [keyBy, edge] of edges) {
    const cut = columnarCut(topology, keyBy);
    if (cut?.decodedBy !== node.id || !(edge instanceof EdgeOutput)) continue;
    const generators = cut.times.map(({ node }) => generator(node));
    return throughCut({ cut, edge, generators, otherwise });
  }
  return otherwise;
}

/** Goes row by row. */
export const rowByRow = (surroundings: { cursor: RecordCursor; valve: Valve }): BatchFunction =>
  pieceByPiece(surroundings.cursor, plainRows(surroundings));

/** Handles rows of one batch until the valve closes; returns the row to go on with. */
type PieceFunction = (piece: BatchPiece, one: HandleRow) => number;

function pieceByPiece(cursor: RecordCursor, handle: PieceFunction): BatchFunction {
  return (pieces, one) => {
    let handled = 0;
    for (const piece of pieces) {
      const { batch, origin, from, to } = piece;
      cursor.origin = origin;
      cursor.bytes = batch.bytes / batch.length;
      const row = handle(piece, one);
      handled += row - from;
      if (row < to) break;
    }
    return handled;
  };
}

const plainRows = (
  { cursor, valve }: { cursor: RecordCursor; valve: Valve },
): PieceFunction =>
({ batch, from, to }, one) => {
  let row = from;
  for (; row < to && !valve.blocked; row++) {
    cursor.row = row;
    cursor.left = 0;
    cursor.timestamp = batch.timestampAt(row);
    one(batch, row);
  }
  return row;
};

/** Decodes a batch at once, and then goes on row by row. */
export function decodedRowByRow(
  { decoder, after, cursor, valve }: {
    decoder: ColumnDecoder<unknown>;
    /** What comes after the operator. */
    after: Emit<unknown>;
    cursor: RecordCursor;
    valve: Valve;
  },
): BatchFunction {
  const plain = plainRows({ cursor, valve });
  /** Rows that back-pressure has left. */
  let left:
    | { batch: unknown; first: number; to: number; decoded: DecodedBatch<unknown> }
    | undefined;
  return pieceByPiece(cursor, (piece, one) => {
    const { batch, from, to } = piece;
    const records = rawColumnsOf(batch);
    if (records === undefined) return plain(piece, one);
    const at = left?.batch === batch && left.first <= from && to <= left.to
      ? left
      : { batch, first: from, to, decoded: decoder.decode(records, from, to) };
    const { first, decoded } = at;
    let row = from;
    for (; row < to && !valve.blocked; row++) {
      const status = decoded.statusAt(row - first);
      if (status === RowStatus.NOTHING) continue;
      cursor.row = row;
      cursor.left = 0;
      cursor.timestamp = batch.timestampAt(row);
      const value = status === RowStatus.ACCEPTED ? decoded.rowAt(row - first) : REFUSED;
      if (value !== REFUSED) after(value);
      else one(batch, row);
    }
    left = row < to ? at : undefined;
    return row;
  });
}

/** Decodes rows as one and sends them through the cut as columns. */
export function throughCut(
  { cut, edge, generators, otherwise }: {
    cut: ColumnarCut;
    edge: EdgeOutput;
    /** Of the cut's eventTime nodes. */
    generators: readonly EventTimeGenerator[];
    /** Where a record is undecided. */
    otherwise: BatchFunction;
  },
): BatchFunction {
  let batchesByRow = 0;
  const send = (joined: JoinedPieces, picked: PickedRows, worker: number) => {
    setTimestamps(joined, picked, cut, generators);
    const { origin } = joined;
    const bytes = joined.rowBytes * picked.columns.rows;
    const { isShared } = edge;
    edge.nextRows(worker, DecodedRows.of(cut.decoder, picked, { origin, bytes, isShared }));
  };
  return (pieces, one) => {
    const ranges = recordRanges(pieces);
    if (ranges === undefined) return otherwise(pieces, one);
    const picked = batchesByRow-- > 0 ? undefined : cut.decoder.decode(ranges, edge.routing);
    if (picked === undefined) {
      if (batchesByRow < 0) batchesByRow = BATCHES_BY_ROW;
      return otherwise(pieces, one);
    }
    const joined = new JoinedPieces(pieces);
    for (let worker = 0; worker < picked.length; worker++) {
      const rows = picked[worker];
      if (rows !== undefined) send(joined, rows, worker);
    }
    return joined.length;
  };
}

/** The time of each row: from the last eventTime, or the source's. */
function setTimestamps(
  joined: JoinedPieces,
  { columns: { rows, numbers }, sourceRows, timestamps }: PickedRows,
  { times }: ColumnarCut,
  generators: readonly EventTimeGenerator[],
): void {
  let last: Float64Array<ArrayBuffer> | undefined;
  for (const [index, { column }] of times.entries()) {
    last = numbers.subarray(column * rows, (column + 1) * rows);
    generators[index]?.seeAll(last);
  }
  if (last !== undefined) return timestamps.set(last);
  for (let row = 0; row < rows; row++) timestamps[row] = joined.timestampAt(sourceRows[row] ?? 0);
}
