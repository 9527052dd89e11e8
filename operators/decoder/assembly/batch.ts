/**
 * The batch that is decoded: where its columns are, and how far they are filled.
 *
 * @module
 */

// What a cell holds: `../row_constructor.ts` reads these.
/** The word `null`. */
export const CELL_NULL: u32 = 1;
/** A string or a number, which is in the column of its kind. */
export const CELL_VALUE: u32 = 2;
/** The word `false`. */
export const CELL_FALSE: u32 = 3;
/** The word `true`. */
export const CELL_TRUE: u32 = 4;

/** Strings up to this length are decoded many at a time, by the chunk in which they start. */
const CHUNK_BITS: u32 = 10;
const CHUNK_BYTES: u32 = 1 << CHUNK_BITS;

/** The program that runs. */
export let program: usize = 0;
/** Rows of the batch, and of each column. */
export let rows: usize = 0;
/** Where a text goes that stands in another. */
export let scratch: usize = 0;
let numbers: usize = 0;
let spans: usize = 0;
let spanColumns: usize = 0;
let cells: usize = 0;
let chunks: usize = 0;
/** Where the strings of all columns go. */
export let texts: usize = 0;

/** The first address that is free for use. */
export function memoryStart(): usize {
  return (__heap_base + 63) & ~63;
}

/** Says where everything is; columns are of `rowCount` rows and zeroed. */
export function place(
  programAt: usize,
  rowCount: usize,
  numbersAt: usize,
  spansAt: usize,
  spanColumnCount: usize,
  cellsAt: usize,
  chunksAt: usize,
  textsAt: usize,
  scratchAt: usize,
): void {
  program = programAt;
  rows = rowCount;
  numbers = numbersAt;
  spans = spansAt;
  spanColumns = spanColumnCount;
  cells = cellsAt;
  chunks = chunksAt;
  texts = textsAt;
  scratch = scratchAt;
}

/** Where a column of cells is. */
export function cellColumn(column: usize): usize {
  return cells + column * rows;
}

/** Where a column of numbers is. */
export function numberColumn(column: usize): usize {
  return numbers + ((column * rows) << 3);
}

/** Where a column of strings has their starts; the ends come right behind. */
export function spanColumn(column: usize): usize {
  return spans + ((column * rows) << 3);
}

/** Tells which bytes the strings of each chunk take up: from the first one's start to the last one's end. */
export function markChunks(row: usize, rowStart: usize, rowEnd: usize): void {
  if (rowStart == rowEnd) return;
  const first = (rowStart - texts) as u32;
  const behind = (rowEnd - texts) as u32;
  // Mostly all of a row are in one chunk.
  if (first >> CHUNK_BITS == (behind - 1) >> CHUNK_BITS) {
    markChunk(first, behind);
    return;
  }
  for (let column: usize = 0; column < spanColumns; column++) {
    const span = spanColumn(column) + (row << 2);
    const start = load<u32>(span);
    const end = load<u32>(span + (rows << 2));
    if (end != start && end - start <= CHUNK_BYTES) markChunk(start, end);
  }
}

function markChunk(start: u32, end: u32): void {
  const chunk = chunks + (((start >> CHUNK_BITS) << 3) as usize);
  const last = load<u32>(chunk, 4);
  if (last == 0 || start < load<u32>(chunk)) store<u32>(chunk, start);
  if (end > last) store<u32>(chunk, end, 4);
}
