/**
 * Runs a program (`../program.ts`) over a batch of JSON records and fills columns. A record is decoded wholly and
 * exactly or not at all: whatever this is not sure of becomes `FALLBACK`.
 *
 * AssemblyScript, not TypeScript; `deno task build:decoder` compiles it. Nothing is allocated: where things are in memory
 * is decided by `../column_decoder.ts`.
 *
 * @module
 */

import { copyEnd, copyString } from "./copy_string";
import { numberRead, readNumber } from "./read_number";
import {
  blanksEnd,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  colonEnd,
  COMMA,
  FALS,
  NULL,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  stringEnd,
  TRUE,
  valueEnd,
} from "./validate";

// What became of a row: `../decoded_batch.ts` reads these.
const FALLBACK: u32 = 0;
const NOTHING: u32 = 1;
const ACCEPTED: u32 = 2;

// What a cell holds: `../row_constructor.ts` reads these.
const CELL_NULL: u32 = 1;
const CELL_VALUE: u32 = 2;
const CELL_FALSE: u32 = 3;
const CELL_TRUE: u32 = 4;

// Kinds of nodes: `../program.ts` writes these. Offsets count from the program's start.
/** `kind, count, role, 0, required: u64, 0, 0`, then `count` names of 32 bytes. */
const NODE_OBJECT: i32 = 1;
/** `kind, index, node` */
const NODE_ELEMENT: i32 = 2;
/** `kind`: a string that holds the next level's text. */
const NODE_TEXT: i32 = 3;
/** `kind, cell column, span column, may be null`, and likewise: */
const NODE_STRING: i32 = 4;
const NODE_NUMBER: i32 = 5;
const NODE_BOOLEAN: i32 = 6;
/** `kind, 0, 0, 0`, then a name: the string must be this one. */
const NODE_LITERAL: i32 = 7;

/** An object on the way of a path: something else in its place means that nothing is selected. */
const ROLE_PATH: i32 = 0;
/** The outermost object of the fields. */
const ROLE_ROOT: i32 = 2;

// A name: its first 16 bytes, then which of them count, its length, where the rest is, and the member's node; the
// closing quote is part of it.
const NAME_MASK: usize = 16;
const NAME_LENGTH: usize = 20;
const NAME_REST: usize = 24;
const NAME_NODE: usize = 28;
const NAME_BYTES: usize = 32;
const OBJECT_BYTES: usize = 32;

/** Strings up to this length are decoded many at a time, by the chunk in which they start. */
const CHUNK_BITS: u32 = 10;
const CHUNK_BYTES: u32 = 1 << CHUNK_BITS;

let program: usize = 0;
let rows: usize = 0;
let numbers: usize = 0;
let spans: usize = 0;
let spanColumns: usize = 0;
let cells: usize = 0;
let chunks: usize = 0;
let texts: usize = 0;
let scratch: usize = 0;

let row: usize = 0;
/** Where the next string of the batch goes. */
let textEnd: usize = 0;
/** Where the next level's text goes. */
let scratchEnd: usize = 0;
/** Whether the path of this level has selected its node. */
let isReached: bool = false;
let innerStart: usize = 0;
let innerEnd: usize = 0;

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

/**
 * Decodes all rows: row i is at `arena + bounds[2i]` up to `arena + bounds[2i + 1]`. Returns how many bytes of texts
 * there are.
 */
export function decode(arena: usize, bounds: usize, statuses: usize): usize {
  textEnd = texts;
  for (row = 0; row < rows; row++) {
    const start = arena + load<u32>(bounds + (row << 3));
    const end = arena + load<u32>(bounds + (row << 3), 4);
    // The byte behind the record may belong to the next one.
    const behind = load<u8>(end);
    store<u8>(end, 0);
    const committed = textEnd;
    const status = decodeRecord(start, end);
    store<u8>(end, behind);
    if (status == ACCEPTED) markChunks();
    else textEnd = committed;
    store<u8>(statuses + row, status);
  }
  return textEnd - texts;
}

function decodeRecord(start: usize, end: usize): u32 {
  const levels = load<i32>(program);
  scratchEnd = scratch;
  for (let level: i32 = 0; level < levels; level++) {
    isReached = false;
    let at = decodeValue(program + load<u32>(program + ((level + 1) << 2)), blanksEnd(start));
    if (at == 0) return FALLBACK;
    at = blanksEnd(at);
    if (at != end) return FALLBACK;
    if (!isReached) return NOTHING;
    start = innerStart;
    end = innerEnd;
  }
  return ACCEPTED;
}

/** Tells which bytes the strings of each chunk take up: from the first one's start to the last one's end. */
function markChunks(): void {
  for (let column: usize = 0; column < spanColumns; column++) {
    const span = spanAt(column);
    const start = load<u32>(span);
    const end = load<u32>(span + (rows << 2));
    if (end == start || end - start > CHUNK_BYTES) continue;
    const chunk = chunks + (((start >> CHUNK_BITS) << 3) as usize);
    const last = load<u32>(chunk, 4);
    if (last == 0 || start < load<u32>(chunk)) store<u32>(chunk, start);
    if (end > last) store<u32>(chunk, end, 4);
  }
}

/** The row's start in a span column; the column of ends comes right behind that of starts. */
function spanAt(column: usize): usize {
  return spans + (((column << 1) * rows + row) << 2);
}

function setCell(node: usize, kind: u32): void {
  store<u8>(cells + load<usize>(node, 4) * rows + row, kind);
}

function decodeValue(node: usize, at: usize): usize {
  const byte: u32 = load<u8>(at);
  const kind = load<i32>(node);
  if (kind == NODE_OBJECT) {
    if (byte == OPEN_OBJECT) return decodeObject(node, at + 1);
    return load<i32>(node, 8) == ROLE_PATH ? valueEnd(at) : 0;
  }
  if (kind == NODE_STRING) {
    if (byte == QUOTE) return decodeString(node, at + 1);
    return decodeNull(node, at);
  }
  if (kind == NODE_NUMBER) {
    const end = readNumber(at);
    if (end == 0) return decodeNull(node, at);
    store<f64>(numbers + ((load<usize>(node, 8) * rows + row) << 3), numberRead);
    setCell(node, CELL_VALUE);
    return end;
  }
  if (kind == NODE_BOOLEAN) return decodeBoolean(node, at);
  if (kind == NODE_TEXT) return byte == QUOTE ? decodeText(at + 1) : 0;
  if (kind == NODE_LITERAL) {
    if (byte != QUOTE || !isName(node + 16, v128.load(at + 1), at + 1)) return 0;
    return at + 1 + load<u32>(node + 16 + NAME_LENGTH);
  }
  return decodeElement(node, at);
}

function decodeString(node: usize, at: usize): usize {
  const start = textEnd;
  const end = copyString(at, start);
  if (end == 0) return 0;
  textEnd = copyEnd;
  const span = spanAt(load<u32>(node, 8));
  store<u32>(span, start - texts);
  store<u32>(span + (rows << 2), textEnd - texts);
  setCell(node, CELL_VALUE);
  return end;
}

function decodeNull(node: usize, at: usize): usize {
  if (load<u32>(at) != NULL || load<u32>(node, 12) == 0) return 0;
  setCell(node, CELL_NULL);
  return at + 4;
}

function decodeBoolean(node: usize, at: usize): usize {
  const word = load<u32>(at);
  if (word == TRUE) {
    setCell(node, CELL_TRUE);
    return at + 4;
  }
  if (word == FALS && load<u8>(at, 4) == 0x65) {
    setCell(node, CELL_FALSE);
    return at + 5;
  }
  return decodeNull(node, at);
}

/** Unescapes the next level's text, and puts behind it the NUL byte that ends it. */
function decodeText(at: usize): usize {
  const end = copyString(at, scratchEnd);
  if (end == 0) return 0;
  isReached = true;
  innerStart = scratchEnd;
  innerEnd = copyEnd;
  store<u8>(innerEnd, 0);
  scratchEnd = innerEnd + 1;
  return end;
}

function decodeElement(node: usize, at: usize): usize {
  if (load<u8>(at) != OPEN_ARRAY) return valueEnd(at);
  at = blanksEnd(at + 1);
  if (load<u8>(at) == CLOSE_ARRAY) return at + 1;
  const index = load<u32>(node, 4);
  const element = program + load<u32>(node, 8);
  let count: u32 = 0;
  while (true) {
    at = count == index ? decodeValue(element, at) : valueEnd(at);
    count++;
    if (at == 0) return 0;
    at = blanksEnd(at);
    const byte: u32 = load<u8>(at);
    if (byte == CLOSE_ARRAY) return at + 1;
    if (byte != COMMA) return 0;
    at = blanksEnd(at + 1);
  }
}

/** `at` is after the opening brace. */
function decodeObject(node: usize, at: usize): usize {
  const names = node + OBJECT_BYTES;
  const namesEnd = names + (load<u32>(node, 4) as usize) * NAME_BYTES;
  // Members mostly come in the order of the fields: the search begins behind the last one found.
  let expected = names;
  let seen: u64 = 0;
  if (load<i32>(node, 8) == ROLE_ROOT) isReached = true;
  at = blanksEnd(at);
  if (load<u8>(at) == CLOSE_OBJECT) return load<u64>(node, 16) == 0 ? at + 1 : 0;
  while (true) {
    if (load<u8>(at) != QUOTE) return 0;
    at++;
    const name = findName(names, expected, namesEnd, at);
    if (name == 0) {
      at = otherNameEnd(at);
      if (at == 0) return 0;
      at = colonEnd(at);
      if (at == 0) return 0;
      at = valueEnd(at);
    } else {
      const bit = (1 as u64) << (((name - names) / NAME_BYTES) as u64);
      // The last of several counts; that is left to JSON.parse.
      if ((seen & bit) != 0) return 0;
      seen |= bit;
      expected = name + NAME_BYTES;
      at = colonEnd(at + load<u32>(name + NAME_LENGTH));
      if (at == 0) return 0;
      at = decodeValue(program + load<u32>(name + NAME_NODE), at);
    }
    if (at == 0) return 0;
    at = blanksEnd(at);
    const byte: u32 = load<u8>(at);
    if (byte == CLOSE_OBJECT) {
      const required = load<u64>(node, 16);
      return (seen & required) == required ? at + 1 : 0;
    }
    if (byte != COMMA) return 0;
    at = blanksEnd(at + 1);
  }
}

function findName(names: usize, expected: usize, namesEnd: usize, at: usize): usize {
  const first = v128.load(at);
  for (let name = expected; name < namesEnd; name += NAME_BYTES) {
    if (isName(name, first, at)) return name;
  }
  for (let name = names; name < expected; name += NAME_BYTES) {
    if (isName(name, first, at)) return name;
  }
  return 0;
}

/** Whether the name, closing quote included, stands at `at`, where `first` was read. */
function isName(name: usize, first: v128, at: usize): bool {
  const mask = load<u32>(name + NAME_MASK);
  if (((i8x16.bitmask(i8x16.eq(first, v128.load(name))) as u32) & mask) != mask) return false;
  const length = load<u32>(name + NAME_LENGTH) as usize;
  if (length <= 16) return true;
  const rest = program + load<u32>(name + NAME_REST);
  for (let index: usize = 16; index < length; index++) {
    if (load<u8>(at + index) != load<u8>(rest + index - 16)) return false;
  }
  return true;
}

/** After a name that is none of those wanted. One with escapes might be: 0. */
function otherNameEnd(at: usize): usize {
  const end = stringEnd(at);
  if (end == 0) return 0;
  for (let index = at; index < end; index += 16) {
    let found = i8x16.bitmask(i8x16.eq(v128.load(index), i8x16.splat(0x5c))) as u32;
    // Backslashes behind the name don't count.
    if (end - index < 16) found &= (1 << ((end - index) as u32)) - 1;
    if (found != 0) return 0;
  }
  return end;
}
