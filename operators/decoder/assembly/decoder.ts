/**
 * Runs a program (`../program.ts`) over a batch of JSON records and fills columns. A record is decoded wholly and
 * exactly or not at all: whatever this is not sure of becomes `FALLBACK`.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it. Nothing is allocated: where things are in memory
 * is decided by `../column_decoder.ts`.
 *
 * @module
 */

import {
  CELL_FALSE,
  CELL_NULL,
  CELL_TRUE,
  CELL_VALUE,
  cellColumn,
  markChunks,
  numberColumn,
  program,
  rows,
  scratch,
  spanColumn,
  texts,
} from "./batch";
import { copyEnd, copyString } from "./copy_string";
import { follow, followedEnd, MISSED } from "./follow_template";
import {
  beginNotes,
  endNotes,
  isLearning,
  learn,
  noteBoolean,
  noteInner,
  noteNull,
  noteNumber,
  noteSkipped,
  noteString,
  noteText,
} from "./learn_template";
import { readNumber } from "./read_number";
import { forget } from "./template";
import {
  blanksEnd,
  charactersEnd,
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
  wordEnd,
} from "./validate";

export { memoryStart, place } from "./batch";

// What became of a row: `../decoded_batch.ts` reads these.
const FALLBACK: u32 = 0;
const NOTHING: u32 = 1;
const ACCEPTED: u32 = 2;

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

/** Records of a batch that are learned in any case, and how many must have been alike for each one more. */
const LEARNED_FREELY: u32 = 8;
const FOLLOWED_PER_LEARNED: u32 = 8;
/** Records after which templates are no longer tried if few were alike, and what is few: one in so many. */
const TRIED_FREELY: u32 = 64;
const TRIED_PER_FOLLOWED: u32 = 4;

let row: usize = 0;
/** Where the next string of the batch goes. */
let textEnd: usize = 0;
/** Where the next level's text goes. */
let scratchEnd: usize = 0;
/** Whether the path of this level has selected its node. */
let isReached: bool = false;
let innerStart: usize = 0;
let innerEnd: usize = 0;

let learned: u32 = 0;
let followed: u32 = 0;

/**
 * Decodes all rows: row i is at `arena + bounds[2i]` up to `arena + bounds[2i + 1]`. Returns how many bytes of texts
 * there are. The byte behind the last row is overwritten.
 *
 * The first rows are learned (`learn_template.ts`), and those like one of them go the short way (`follow_template.ts`).
 */
export function decode(arena: usize, bounds: usize, statuses: usize): usize {
  endArena(arena, bounds);
  forget();
  learned = 0;
  followed = 0;
  textEnd = texts;
  for (row = 0; row < rows; row++) {
    const start = arena + load<u32>(bounds + (row << 3));
    const end = arena + load<u32>(bounds + (row << 3), 4);
    const committed = textEnd;
    let status = MISSED;
    if (row < TRIED_FREELY || followed * TRIED_PER_FOLLOWED >= (row as u32)) {
      status = follow(start, end, row, committed);
    }
    if (status == MISSED) {
      status = decodeAlone(start, end);
      if (status != ACCEPTED) textEnd = committed;
    } else {
      followed++;
      if (status == ACCEPTED) textEnd = followedEnd;
    }
    markChunks(row, committed, textEnd);
    store<u8>(statuses + row, status);
  }
  return textEnd - texts;
}

/** Puts a NUL behind all records, where whatever ran over the end of its own one ends. */
function endArena(arena: usize, bounds: usize): void {
  let last: u32 = 0;
  for (let at: usize = 0; at < rows; at++) {
    const end = load<u32>(bounds + (at << 3), 4);
    if (end > last) last = end;
  }
  store<u8>(arena + last, 0);
}

/** Decodes a row the long way, and learns it if others may follow. */
function decodeAlone(start: usize, end: usize): u32 {
  const learns = row + 1 < rows && load<i32>(program) <= 2 &&
    learned < LEARNED_FREELY + followed / FOLLOWED_PER_LEARNED;
  if (learns) beginNotes();
  // The byte behind the record may belong to the next one.
  const behind = load<u8>(end);
  store<u8>(end, 0);
  const status = decodeRecord(start, end);
  store<u8>(end, behind);
  if (isLearning) {
    endNotes();
    if (status != FALLBACK) {
      learned++;
      learn(start, end, status);
    }
  }
  return status;
}

function decodeRecord(start: usize, end: usize): u32 {
  const levels = load<i32>(program);
  scratchEnd = scratch;
  for (let level: i32 = 0; level < levels; level++) {
    isReached = false;
    if (isLearning && level > 0) noteInner(start);
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

/** Goes past a value that is not wanted. */
function skip(at: usize): usize {
  const end = load<u8>(at) == QUOTE ? stringEnd(at + 1) : valueEnd(at);
  if (isLearning && end != 0) noteSkipped(at, end);
  return end;
}

function setCell(node: usize, kind: u32): void {
  store<u8>(cellColumn(load<usize>(node, 4)) + row, kind);
}

function decodeValue(node: usize, at: usize): usize {
  const byte: u32 = load<u8>(at);
  const kind = load<i32>(node);
  if (kind == NODE_OBJECT) {
    if (byte == OPEN_OBJECT) return decodeObject(node, at + 1);
    return load<i32>(node, 8) == ROLE_PATH ? skip(at) : 0;
  }
  if (kind == NODE_STRING) {
    if (byte == QUOTE) return decodeString(node, at + 1);
    return decodeNull(node, at);
  }
  if (kind == NODE_NUMBER) {
    const end = readNumber(at, numberColumn(load<u32>(node, 8)) + (row << 3));
    if (end == 0) return decodeNull(node, at);
    setCell(node, CELL_VALUE);
    if (isLearning) noteNumber(at, end, load<u32>(node, 4), load<u32>(node, 8));
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
  const span = spanColumn(load<u32>(node, 8)) + (row << 2);
  store<u32>(span, start - texts);
  store<u32>(span + (rows << 2), textEnd - texts);
  setCell(node, CELL_VALUE);
  if (isLearning) noteString(at, end - 1, load<u32>(node, 4), load<u32>(node, 8));
  return end;
}

function decodeNull(node: usize, at: usize): usize {
  if (load<u32>(at) != NULL || load<u32>(node, 12) == 0) return 0;
  setCell(node, CELL_NULL);
  if (isLearning) noteNull(at + 4, load<u32>(node, 4));
  return at + 4;
}

function decodeBoolean(node: usize, at: usize): usize {
  const word = load<u32>(at);
  if (word != TRUE && word != FALS) return decodeNull(node, at);
  const end = wordEnd(at);
  if (end == 0) return 0;
  setCell(node, word == TRUE ? CELL_TRUE : CELL_FALSE);
  if (isLearning) noteBoolean(at, end, load<u32>(node, 4));
  return end;
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
  if (isLearning) noteText(at, end - 1);
  return end;
}

function decodeElement(node: usize, at: usize): usize {
  if (load<u8>(at) != OPEN_ARRAY) return skip(at);
  at = blanksEnd(at + 1);
  if (load<u8>(at) == CLOSE_ARRAY) return at + 1;
  const index = load<u32>(node, 4);
  const element = program + load<u32>(node, 8);
  let count: u32 = 0;
  while (true) {
    at = count == index ? decodeValue(element, at) : skip(at);
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
      at = skip(at);
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
  const end = charactersEnd(at);
  return end != 0 && load<u8>(end) == QUOTE ? end + 1 : 0;
}
