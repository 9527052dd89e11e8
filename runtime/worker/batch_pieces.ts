/**
 * Rows of a shard that are handled in one go, though they came in several batches: answers of a stream may be small, and
 * what is decoded together, dealt out together and sent together costs hardly more than one batch.
 *
 * @module
 */

import { rawColumnsOf } from "../../connectors/raw_record.ts";
import { NO_TIMESTAMP, type ShardBatch } from "../../connectors/source.ts";
import type { RecordRange } from "../../operators/decoder/program_run.ts";
import type { Origin } from "../transport/origin.ts";

/** Rows of one batch, from one up to another: at least one. */
export interface BatchPiece {
  readonly batch: ShardBatch<unknown>;
  readonly origin: Origin;
  readonly from: number;
  readonly to: number;
}

/** What is to be known of pieces that are decoded as one: their rows are numbered through from 0. */
export class JoinedPieces {
  readonly length: number;
  /** Where each row came from. */
  readonly origin: Origin;
  /** Payload of a row, on average. */
  readonly rowBytes: number;
  readonly #pieces: readonly BatchPiece[];
  // The piece that was asked for last, and the number of its first row: the next row is mostly of it too.
  #piece = 0;
  #first = 0;

  constructor(pieces: readonly BatchPiece[]) {
    let [length, bytes] = [0, 0];
    for (const { batch, from, to } of pieces) {
      length += to - from;
      bytes += (to - from) * batch.bytes / batch.length;
    }
    this.length = length;
    this.rowBytes = bytes / length;
    this.#pieces = pieces;
    this.origin = {
      shard: pieces[0]?.origin.shard ?? "",
      positionAt: (row) => {
        const piece = this.#find(row);
        return piece?.batch.positionAt(piece.from + row - this.#first) ?? "";
      },
    };
  }

  /** The time that the source gives a row. */
  timestampAt(row: number): number {
    const piece = this.#find(row);
    return piece?.batch.timestampAt(piece.from + row - this.#first) ?? NO_TIMESTAMP;
  }

  #find(row: number): BatchPiece | undefined {
    if (row < this.#first) [this.#piece, this.#first] = [0, 0];
    for (;;) {
      const piece = this.#pieces[this.#piece];
      if (piece === undefined || row < this.#first + piece.to - piece.from) return piece;
      this.#first += piece.to - piece.from;
      this.#piece++;
    }
  }
}

/** The raw records of pieces; undefined if some batch has none. */
export function recordRanges(pieces: readonly BatchPiece[]): readonly RecordRange[] | undefined {
  const ranges: RecordRange[] = [];
  for (const { batch, from, to } of pieces) {
    const records = rawColumnsOf(batch);
    if (records === undefined) return undefined;
    ranges.push({ records, from, to });
  }
  return ranges;
}
