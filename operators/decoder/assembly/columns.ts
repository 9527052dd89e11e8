/**
 * What is done with columns once they are filled: key groups of a column of keys, and picking out each worker's rows.
 *
 * Key groups are Apache Flink's (`MathUtils.murmurHash` of Java's `String.hashCode`), as in `runtime/state/key_group.ts`,
 * on the key's text: UTF-16 code units of a string, decimal digits of a whole number.
 *
 * @module
 */

/** A row that was not accepted has no group. */
const NO_GROUP: u32 = 0xffff;
/** A number whose text is not simply its digits. */
const UNKNOWN_GROUP: u32 = 0xfffe;

const ACCEPTED: u32 = 2;
/** Below it whole numbers are exact, and their text is their digits. */
const WHOLE_MAX: f64 = 9007199254740992;
const DIGITS_MAX: usize = 17;
const CHUNK_BITS: u32 = 10;
const CHUNK_BYTES: u32 = 1 << CHUNK_BITS;

const digits = memory.data(32);

/** Groups of a column of strings: `starts` is where the column of starts is, that of ends comes right behind it. */
export function stringGroups(
  texts: usize,
  starts: usize,
  statuses: usize,
  rows: usize,
  maxParallelism: u32,
  groups: usize,
): void {
  const ends = starts + (rows << 2);
  for (let row: usize = 0; row < rows; row++) {
    let group = NO_GROUP;
    if (load<u8>(statuses + row) == ACCEPTED) {
      const hash = textHash(
        texts + load<u32>(starts + (row << 2)),
        texts + load<u32>(ends + (row << 2)),
      );
      group = spread(hash) % maxParallelism;
    }
    store<u16>(groups + (row << 1), group);
  }
}

/** Groups of a column of numbers. Returns how many are left unknown. */
export function numberGroups(
  numbers: usize,
  statuses: usize,
  rows: usize,
  maxParallelism: u32,
  groups: usize,
): u32 {
  let unknown: u32 = 0;
  for (let row: usize = 0; row < rows; row++) {
    let group = NO_GROUP;
    if (load<u8>(statuses + row) == ACCEPTED) {
      const value = load<f64>(numbers + (row << 3));
      if (Math.abs(value) < WHOLE_MAX && Math.trunc(value) == value) {
        group = spread(numberHash(value as i64)) % maxParallelism;
      } else {
        group = UNKNOWN_GROUP;
        unknown++;
      }
    }
    store<u16>(groups + (row << 1), group);
  }
  return unknown;
}

/** Java's `String.hashCode`. Four letters at a time: 31 to the powers from 4 on. */
function textHash(at: usize, end: usize): u32 {
  let hash: u32 = 0;
  while (at < end) {
    while (at + 4 <= end) {
      const four = load<u32>(at);
      if ((four & 0x80808080) != 0) break;
      hash = hash * 923521 + (four & 0xff) * 29791 + ((four >> 8) & 0xff) * 961 +
        ((four >> 16) & 0xff) * 31 + (four >> 24);
      at += 4;
    }
    if (at == end) break;
    const byte: u32 = load<u8>(at);
    if (byte < 0x80) {
      hash = hash * 31 + byte;
      at++;
    } else if (byte < 0xe0) {
      hash = hash * 31 + (((byte & 0x1f) << 6) | (load<u8>(at, 1) & 0x3f));
      at += 2;
    } else if (byte < 0xf0) {
      hash = hash * 31 +
        (((byte & 0x0f) << 12) | ((load<u8>(at, 1) & 0x3f) << 6) | (load<u8>(at, 2) & 0x3f));
      at += 3;
    } else {
      const code = ((byte & 0x07) << 18) | ((load<u8>(at, 1) & 0x3f) << 12) |
        ((load<u8>(at, 2) & 0x3f) << 6) | (load<u8>(at, 3) & 0x3f);
      hash = hash * 31 + 0xd7c0 + (code >> 10);
      hash = hash * 31 + 0xdc00 + (code & 0x3ff);
      at += 4;
    }
  }
  return hash;
}

function numberHash(value: i64): u32 {
  let at = digits + DIGITS_MAX;
  let rest: u64 = value < 0 ? -value : value;
  do {
    at--;
    store<u8>(at, 0x30 + (rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) {
    at--;
    store<u8>(at, 0x2d);
  }
  return textHash(at, digits + DIGITS_MAX);
}

/** Flink's `MathUtils.murmurHash`. */
function spread(code: u32): u32 {
  let hash = rotl<u32>(code * 0xcc9e2d51, 15) * 0x1b873593;
  hash = rotl<u32>(hash, 13) * 5 + 0xe6546b64;
  hash ^= 4;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  hash ^= hash >> 16;
  if ((hash & 0x80000000) == 0) return hash;
  return hash == 0x80000000 ? 0 : 0 - hash;
}

/** How many workers a table of them names: one more than the largest. */
export function workersOf(routing: usize, groups: u32): u32 {
  let workers: u32 = 0;
  for (let group: usize = 0; group < (groups as usize); group++) {
    const worker: u32 = load<u16>(routing + (group << 1));
    if (worker >= workers) workers = worker + 1;
  }
  return workers;
}

/**
 * Sorts rows by the worker that `routing` has for their group: their numbers go to `selection`, worker by worker, in
 * order, and where those of each worker end to `ends`. Rows without a group are for nobody.
 */
export function deal(
  groups: usize,
  rowCount: usize,
  routing: usize,
  workers: usize,
  ends: usize,
  selection: usize,
): void {
  memory.fill(ends, 0, workers << 2);
  for (let row: usize = 0; row < rowCount; row++) {
    const group: u32 = load<u16>(groups + (row << 1));
    if (group == NO_GROUP) continue;
    const end = ends + ((load<u16>(routing + ((group << 1) as usize)) as usize) << 2);
    store<u32>(end, load<u32>(end) + 1);
  }
  // Now each has the number of its rows: then where they begin, and at last where they end.
  let start: u32 = 0;
  for (let worker: usize = 0; worker < workers; worker++) {
    const end = ends + (worker << 2);
    const dealt = load<u32>(end);
    store<u32>(end, start);
    start += dealt;
  }
  for (let row: usize = 0; row < rowCount; row++) {
    const group: u32 = load<u16>(groups + (row << 1));
    if (group == NO_GROUP) continue;
    const end = ends + ((load<u16>(routing + ((group << 1) as usize)) as usize) << 2);
    const at = load<u32>(end);
    store<u32>(selection + ((at << 2) as usize), row as u32);
    store<u32>(end, at + 1);
  }
}

// Where columns are that rows are picked from, and where those go that get them.
let rows: usize = 0;
let picked: usize = 0;
let count: usize = 0;

/** Says which rows are picked: `count` row numbers at `selection`, of columns of `rowCount` rows. */
export function pick(selection: usize, selected: usize, rowCount: usize): void {
  picked = selection;
  count = selected;
  rows = rowCount;
}

/** Copies the groups of the picked rows. */
export function pickGroups(from: usize, to: usize): void {
  for (let at: usize = 0; at < count; at++) {
    const row = load<u32>(picked + (at << 2)) as usize;
    store<u16>(to + (at << 1), load<u16>(from + (row << 1)));
  }
}

/** Copies the picked rows of columns of numbers. */
export function pickNumbers(from: usize, to: usize, columns: usize): void {
  for (let column: usize = 0; column < columns; column++) {
    for (let at: usize = 0; at < count; at++) {
      const row = load<u32>(picked + (at << 2)) as usize;
      store<f64>(to + (at << 3), load<f64>(from + (row << 3)));
    }
    from += rows << 3;
    to += count << 3;
  }
}

/** Copies the picked rows of columns of bytes. */
export function pickCells(from: usize, to: usize, columns: usize): void {
  for (let column: usize = 0; column < columns; column++) {
    for (let at: usize = 0; at < count; at++) {
      const row = load<u32>(picked + (at << 2)) as usize;
      store<u8>(to + at, load<u8>(from + row));
    }
    from += rows;
    to += count;
  }
}

/**
 * Copies the picked rows of columns of strings: their texts to `toTexts`, row by row, where they start and end to
 * `toSpans`, and the bytes that chunks of texts take up to `chunks`, which is zeroed. Returns how many bytes of texts
 * there are. Up to 16 bytes behind a text are read, and overwritten.
 */
export function pickTexts(
  texts: usize,
  spans: usize,
  toTexts: usize,
  toSpans: usize,
  chunks: usize,
  columns: usize,
): usize {
  let end: usize = 0;
  for (let at: usize = 0; at < count; at++) {
    const row = load<u32>(picked + (at << 2)) as usize;
    for (let column: usize = 0; column < columns; column++) {
      const from = spans + (((column << 1) * rows + row) << 2);
      const start = load<u32>(from) as usize;
      const bytes = (load<u32>(from + (rows << 2)) as usize) - start;
      for (let copied: usize = 0; copied < bytes; copied += 16) {
        v128.store(toTexts + end + copied, v128.load(texts + start + copied));
      }
      const to = toSpans + (((column << 1) * count + at) << 2);
      store<u32>(to, end as u32);
      markChunk(chunks, end as u32, (end + bytes) as u32);
      end += bytes;
      store<u32>(to + (count << 2), end as u32);
    }
  }
  return end;
}

/** Notes that a chunk has this string. Long ones are decoded alone. */
function markChunk(chunks: usize, start: u32, end: u32): void {
  if (end == start || end - start > CHUNK_BYTES) return;
  const chunk = chunks + (((start >> CHUNK_BITS) << 3) as usize);
  // Strings come in order: the first of a chunk is the first to find it empty.
  if (load<u32>(chunk, 4) == 0) store<u32>(chunk, start);
  store<u32>(chunk, end, 4);
}
