/**
 * Decodes a record by the templates that were learned from those before it.
 *
 * @module
 */

import { CELL_FALSE, CELL_NULL, CELL_TRUE, CELL_VALUE, rows, texts } from "./batch";
import { copyCharacters, copyEnd, copyString } from "./copy_string";
import { readNumber } from "./read_number";
import { Action, firstStep, fits, Step } from "./template";
import {
  charactersEnd,
  FALS,
  numberEnd,
  QUOTE,
  specials,
  stringEnd,
  TRUE,
  valueEnd,
  wordEnd,
} from "./validate";

/** No template fits. */
export const MISSED: u32 = 3;

/** Where the strings of the row end that was decoded last. */
export let followedEnd: usize = 0;

/**
 * Fills the columns of a row, whose strings go to `to`, and returns what becomes of it. Of a record that is cut off it
 * reads on behind the end, up to a NUL at the latest; what it makes of that does not fit.
 */
export function follow(at: usize, end: usize, row: usize, to: usize): u32 {
  followedEnd = to;
  let step = firstStep;
  while (step != null) {
    if (!fits(step, v128.load(at))) {
      step = step.other;
      continue;
    }
    let next = at + step.length;
    switch (step.action) {
      case Action.BYTES:
        break;
      case Action.SKIP_STRING:
        next = skippedString(next, step.closing);
        break;
      case Action.STRING:
        next = decodedString(step, next, row, end);
        break;
      case Action.NUMBER:
        next = readNumber(next, step.values + (row << 3));
        if (next != 0) store<u8>(step.cells + row, CELL_VALUE);
        break;
      case Action.SKIP_NUMBER:
        next = numberEnd(next);
        break;
      case Action.SKIP_WORD:
        next = wordEnd(next);
        break;
      case Action.SKIP_REST:
        next = skippedRest(next, end);
        break;
      case Action.BOOLEAN:
        next = decodedBoolean(step, next, row);
        break;
      case Action.NULL:
        store<u8>(step.cells + row, CELL_NULL);
        break;
      case Action.END:
        if (next == end) return step.cells as u32;
        next = 0;
    }
    if (next == 0) step = step.other;
    else {
      at = next;
      step = step.next;
    }
  }
  return MISSED;
}

@inline
/** To what closes a string. */
function skippedString(at: usize, closing: u32): usize {
  let found = specials(v128.load(at));
  while (found == 0) {
    at += 16;
    found = specials(v128.load(at));
  }
  at += ctz(found);
  return load<u8>(at) == closing ? at : skippedRestOfString(at, closing);
}

/** To what closes a string with more than plain ASCII in it, from where that begins. */
function skippedRestOfString(at: usize, closing: u32): usize {
  if (closing != QUOTE) return charactersEnd(at);
  at = stringEnd(at);
  return at == 0 ? 0 : at - 1;
}

@inline
/** To what closes a string, which becomes one of the row. */
function decodedString(step: Step, at: usize, row: usize, end: usize): usize {
  const start = followedEnd;
  let to = start;
  let bytes = v128.load(at);
  v128.store(to, bytes);
  let found = specials(bytes);
  // What is copied must be of this record: there is no room for more.
  while (found == 0 && at < end) {
    at += 16;
    to += 16;
    bytes = v128.load(at);
    v128.store(to, bytes);
    found = specials(bytes);
  }
  at += ctz(found);
  to += ctz(found);
  if (at >= end) return 0;
  if (load<u8>(at) != step.closing) {
    at = copiedRestOfString(at, to, step.closing, end);
    if (at == 0) return 0;
    to = copyEnd;
  }
  const span = step.values + (row << 2);
  store<u32>(span, start - texts);
  store<u32>(span + (rows << 2), to - texts);
  store<u8>(step.cells + row, CELL_VALUE);
  followedEnd = to;
  return at;
}

/** To what closes a string with more than plain ASCII in it, from where that begins, copied. */
function copiedRestOfString(at: usize, to: usize, closing: u32, end: usize): usize {
  const behind = endRecord(end);
  if (closing != QUOTE) at = copyCharacters(at, to);
  else {
    at = copyString(at, to);
    if (at != 0) at--;
  }
  store<u8>(end, behind);
  return at;
}

function decodedBoolean(step: Step, at: usize, row: usize): usize {
  const word = load<u32>(at);
  if (word != TRUE && word != FALS) return 0;
  store<u8>(step.cells + row, word == TRUE ? CELL_TRUE : CELL_FALSE);
  return wordEnd(at);
}

/** After the rest of an array or object, whose bracket is just before. */
function skippedRest(at: usize, end: usize): usize {
  if (at >= end) return 0;
  const behind = endRecord(end);
  at = valueEnd(at - 1);
  store<u8>(end, behind);
  return at;
}

/** Puts a NUL behind a record and returns what was there, since it may belong to the next one. */
function endRecord(end: usize): u8 {
  const behind = load<u8>(end);
  store<u8>(end, 0);
  return behind;
}
