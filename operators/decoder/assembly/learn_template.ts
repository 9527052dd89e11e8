/**
 * Makes a template of a record: while it is decoded the long way, each value is noted, and what the program does with
 * it. Whatever is between the values is the template's bytes.
 *
 * Of a text in another the template is made as it stands there, with a backslash before each quote, so that it need not
 * be unescaped first.
 *
 * @module
 */

import { cellColumn, numberColumn, spanColumn } from "./batch";
import { Action, addStep, beginTemplate } from "./template";
import {
  BACKSLASH,
  blanksEnd,
  COLON,
  MINUS,
  numberEnd,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  stringEnd,
  wordEnd,
} from "./validate";

@unmanaged
/** A value of a record. */
class Note {
  start: usize;
  end: usize;
  action: Action;
  /** The value is a string, and its text the one that the path goes on in. */
  isText: bool;
  // As in a step.
  cells: usize;
  values: usize;
}

/** Values of a record that is learned. */
const NOTES_MAX: usize = 256;

const notes = memory.data(256 * 24, 16);
let notesEnd: usize = notes;
/** Whether values are noted. */
export let isLearning: bool = false;
/** Where the notes on the text in the text begin. */
let innerNotes: usize = 0;
/** Where that text was unescaped to; 0 before. */
let innerStart: usize = 0;

/** Notes values from now on. */
export function beginNotes(): void {
  notesEnd = notes;
  innerStart = 0;
  isLearning = true;
}

/** Notes no more. */
export function endNotes(): void {
  isLearning = false;
}

function note(start: usize, end: usize, action: Action, cells: usize, values: usize): void {
  if (notesEnd == notes + NOTES_MAX * offsetof<Note>()) {
    isLearning = false;
    return;
  }
  const note = changetype<Note>(notesEnd);
  note.start = start;
  note.end = end;
  note.action = action;
  note.isText = false;
  note.cells = cells;
  note.values = values;
  notesEnd += offsetof<Note>();
}

/** Notes a string, without its quotes. */
export function noteString(start: usize, end: usize, cells: u32, values: u32): void {
  note(start, end, Action.STRING, cellColumn(cells), spanColumn(values));
}

/** Notes a number. */
export function noteNumber(start: usize, end: usize, cells: u32, values: u32): void {
  note(start, end, Action.NUMBER, cellColumn(cells), numberColumn(values));
}

/** Notes `true` or `false`. */
export function noteBoolean(start: usize, end: usize, cells: u32): void {
  note(start, end, Action.BOOLEAN, cellColumn(cells), 0);
}

/** Notes a `null` that ends here. */
export function noteNull(end: usize, cells: u32): void {
  note(end, end, Action.NULL, cellColumn(cells), 0);
}

/** Notes that this string, without its quotes, is the text in which the path goes on. */
export function noteText(start: usize, end: usize): void {
  note(start, end, Action.BYTES, 0, 0);
  if (isLearning) changetype<Note>(notesEnd - offsetof<Note>()).isText = true;
}

/** Says that what is noted now is of the text in the text, unescaped. */
export function noteInner(start: usize): void {
  innerStart = start;
  innerNotes = notesEnd;
}

/** Notes a value that is not wanted. */
export function noteSkipped(start: usize, end: usize): void {
  const byte: u32 = load<u8>(start);
  if (byte == QUOTE) note(start + 1, end - 1, Action.SKIP_STRING, 0, 0);
  else if (byte == OPEN_ARRAY || byte == OPEN_OBJECT) {
    if (innerStart == 0) note(start + 1, end, Action.SKIP_REST, 0, 0);
    else noteScalars(start, end);
  } else if (byte <= 0x39) note(start, end, Action.SKIP_NUMBER, 0, 0);
  else note(start, end, Action.SKIP_WORD, 0, 0);
}

/** Notes what is in an array or an object. */
function noteScalars(at: usize, end: usize): void {
  while (at < end) {
    const start = at;
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) {
      at = stringEnd(at + 1);
      if (load<u8>(blanksEnd(at)) != COLON) noteSkipped(start, at);
    } else if (byte == MINUS || byte - 0x30 <= 9) {
      at = numberEnd(at);
      noteSkipped(start, at);
    } else if (byte == 0x66 || byte == 0x6e || byte == 0x74) {
      at = wordEnd(at);
      noteSkipped(start, at);
    } else at++;
  }
}

/** Up to where the record's bytes are in the template. */
let learned: usize = 0;

/** Adds the template of a record that was noted. If there is no room, what was added of it is of no use, and no harm. */
export function learn(start: usize, end: usize, status: u32): void {
  const outerEnd = innerStart == 0 ? notesEnd : innerNotes;
  beginTemplate();
  learned = start;
  for (let at = notes; at < outerEnd; at += offsetof<Note>()) {
    const note = changetype<Note>(at);
    const isAdded = note.isText
      ? addInner(note.start, outerEnd)
      : addValue(note, note.start, note.end, QUOTE);
    if (!isAdded) return;
  }
  if (addBytes(end)) addStep(learned, (end - learned) as u32, Action.END, 0, status, 0);
}

/** Adds what was noted of the text in the text, which starts at `outer`, from `firstNote` on. */
function addInner(outer: usize, firstNote: usize): bool {
  let inner = innerStart;
  for (let at = firstNote; at < notesEnd; at += offsetof<Note>()) {
    const note = changetype<Note>(at);
    const start = outerAddress(outer, note.start - inner);
    if (start == 0) return false;
    const end = outerAddress(start, note.end - note.start);
    if (end == 0 || !addValue(note, start, end, BACKSLASH)) return false;
    inner = note.end;
    outer = end;
  }
  return true;
}

/** Where so many bytes of the unescaped text end in the escaped one; 0 if it has an escape that may be of several. */
function outerAddress(at: usize, bytes: usize): usize {
  while (bytes > 0) {
    if (load<u8>(at) == BACKSLASH) {
      at++;
      if (load<u8>(at) == 0x75) return 0;
    }
    at++;
    bytes--;
  }
  return at;
}

/** Adds a value that is in the record where this says, and all before it. */
function addValue(note: Note, start: usize, end: usize, closing: u32): bool {
  if (!addBytes(start)) return false;
  const length = (start - learned) as u32;
  if (!addStep(learned, length, note.action, closing, note.cells, note.values)) return false;
  learned = end;
  return true;
}

/** Adds bytes up to the last 16 before this. */
function addBytes(end: usize): bool {
  while (end - learned > 16) {
    if (!addStep(learned, 16, Action.BYTES, 0, 0, 0)) return false;
    learned += 16;
  }
  return true;
}
