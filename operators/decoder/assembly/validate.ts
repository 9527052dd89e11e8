/**
 * Goes past JSON that nobody wants, and accepts exactly what RFC 8259 and UTF-8 allow. Every function takes the address
 * where it starts and returns the one after what it went past, or 0 if that is not what stands there.
 *
 * Nothing here knows where the text ends: a NUL byte stands behind it, which no rule of JSON allows anywhere, so that
 * every loop ends there. Reads of 16 bytes may go beyond; what they find there never counts.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

/** A double quote. */
export const QUOTE: u32 = 0x22;
/** `\`: begins an escape. */
export const BACKSLASH: u32 = 0x5c;
/** Between members and between elements. */
export const COMMA: u32 = 0x2c;
/** Between a name and its value. */
export const COLON: u32 = 0x3a;
/** Begins a negative number or exponent. */
export const MINUS: u32 = 0x2d;
/** Begins an object. */
export const OPEN_OBJECT: u32 = 0x7b;
/** Ends an object. */
export const CLOSE_OBJECT: u32 = 0x7d;
/** Begins an array. */
export const OPEN_ARRAY: u32 = 0x5b;
/** Ends an array. */
export const CLOSE_ARRAY: u32 = 0x5d;
/** The word `true` as a little-endian number. */
export const TRUE: u32 = 0x65757274;
/** The first four letters of `false`. */
export const FALS: u32 = 0x736c6166;
/** The word `null`. */
export const NULL: u32 = 0x6c6c756e;

/** Brackets that may be open in a value that is gone past: one bit each says which. */
const DEPTH_MAX: i32 = 64;

@inline
/** After spaces, tabs and line ends. */
export function blanksEnd(at: usize): usize {
  return load<u8>(at) > 0x20 ? at : someBlanksEnd(at);
}

function someBlanksEnd(at: usize): usize {
  let byte: u32 = load<u8>(at);
  while (byte <= 0x20 && (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09)) {
    at++;
    byte = load<u8>(at);
  }
  return at;
}

@inline
/** Which of 16 bytes end a run of plain ones in a string: quotes, backslashes, controls and all that is not ASCII. */
export function specials(bytes: v128): i32 {
  // With this bit flipped, quotes are next to the controls, which stay among themselves. Compared with their sign,
  // bytes beyond ASCII are below both.
  const flipped = v128.xor(bytes, i8x16.splat(0x02));
  const low = i8x16.lt_s(flipped, i8x16.splat(0x21));
  return i8x16.bitmask(v128.or(low, i8x16.eq(bytes, i8x16.splat(0x5c))));
}

@inline
/** Up to the first quote, backslash or control. */
export function charactersEnd(at: usize): usize {
  while (true) {
    const found = specials(v128.load(at));
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (load<u8>(at) < 0x80) return at;
    const length = characterLength(at);
    if (length == 0) return 0;
    at += length;
  }
}

/** After the closing quote; `at` is after the opening one. */
export function stringEnd(at: usize): usize {
  while (true) {
    at = charactersEnd(at);
    if (at == 0) return 0;
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) return at + 1;
    if (byte != BACKSLASH) return 0;
    at = escapeEnd(at);
    if (at == 0) return 0;
  }
}

function escapeEnd(at: usize): usize {
  switch (load<u8>(at, 1)) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 2;
    case 0x75:
      return hex(at + 2) < 0 ? 0 : at + 6;
    default:
      return 0;
  }
}

/** The number that four hexadecimal digits stand for, or -1. */
export function hex(at: usize): i32 {
  let value: i32 = 0;
  for (let index: usize = 0; index < 4; index++) {
    const byte: u32 = load<u8>(at + index);
    let digit = byte - 0x30;
    if (digit > 9) {
      digit = (byte | 0x20) - 0x61;
      if (digit > 5) return -1;
      digit += 10;
    }
    value = (value << 4) | (digit as i32);
  }
  return value;
}

function isContinuation(byte: u32): bool {
  return (byte & 0xc0) == 0x80;
}

/** Bytes of the character beyond ASCII that starts here (the Unicode Standard, table 3-7), or 0 if there is none. */
export function characterLength(at: usize): usize {
  const first: u32 = load<u8>(at);
  if (first < 0xc2 || first > 0xf4) return 0;
  const second: u32 = load<u8>(at, 1);
  if (!isContinuation(second)) return 0;
  if (first < 0xe0) return 2;
  if (!isContinuation(load<u8>(at, 2))) return 0;
  if (first < 0xf0) {
    if (first == 0xe0 && second < 0xa0) return 0;
    if (first == 0xed && second > 0x9f) return 0;
    return 3;
  }
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return isContinuation(load<u8>(at, 3)) ? 4 : 0;
}

@inline
/** Which of 16 bytes are no digits; a bit more is always set. */
export function otherThanDigits(bytes: v128): u32 {
  const offsets = i8x16.sub(bytes, i8x16.splat(0x30));
  return (i8x16.bitmask(i8x16.gt_u(offsets, i8x16.splat(9))) as u32) | 0x10000;
}

@inline
function digitsEnd(at: usize): usize {
  const start = at;
  while (true) {
    const count = ctz(otherThanDigits(v128.load(at)));
    at += count;
    if (count < 16) return at == start ? 0 : at;
  }
}

/** After a number. */
export function numberEnd(at: usize): usize {
  if (load<u8>(at) == MINUS) at++;
  if (load<u8>(at) == 0x30) at++;
  else {
    at = digitsEnd(at);
    if (at == 0) return 0;
  }
  if (load<u8>(at) == 0x2e) {
    at = digitsEnd(at + 1);
    if (at == 0) return 0;
  }
  if (((load<u8>(at) as u32) | 0x20) == 0x65) {
    at++;
    const sign: u32 = load<u8>(at);
    if (sign == 0x2b || sign == MINUS) at++;
    at = digitsEnd(at);
  }
  return at;
}

function scalarEnd(at: usize, byte: u32): usize {
  if (byte == QUOTE) return stringEnd(at + 1);
  return byte - 0x30 <= 9 || byte == MINUS ? numberEnd(at) : wordEnd(at);
}

/** After `true`, `false` or `null`. */
export function wordEnd(at: usize): usize {
  const word = load<u32>(at);
  if (word == TRUE || word == NULL) return at + 4;
  return word == FALS && load<u8>(at, 4) == 0x65 ? at + 5 : 0;
}

/** After a member's colon and the blanks behind it; `at` is where its name starts. */
function memberValue(at: usize): usize {
  if (load<u8>(at) != QUOTE) return 0;
  at = stringEnd(at + 1);
  return at == 0 ? 0 : colonEnd(at);
}

@inline
/** After a colon with blanks on both sides. */
export function colonEnd(at: usize): usize {
  at = blanksEnd(at);
  return load<u8>(at) == COLON ? blanksEnd(at + 1) : 0;
}

/** After any value. Brackets beyond `DEPTH_MAX` count as none. */
export function valueEnd(at: usize): usize {
  let depth: i32 = 0;
  // A bit for each open bracket, the innermost lowest: 1 for an object.
  let open: u64 = 0;
  while (true) {
    const byte: u32 = load<u8>(at);
    if (byte == OPEN_OBJECT || byte == OPEN_ARRAY) {
      const isObject = byte == OPEN_OBJECT;
      at = blanksEnd(at + 1);
      if (load<u8>(at) == (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) at++;
      else {
        if (depth == DEPTH_MAX) return 0;
        depth++;
        open = (open << 1) | (isObject as u64);
        if (isObject) {
          at = memberValue(at);
          if (at == 0) return 0;
        }
        continue;
      }
    } else {
      at = scalarEnd(at, byte);
      if (at == 0) return 0;
    }
    while (true) {
      if (depth == 0) return at;
      at = blanksEnd(at);
      const next: u32 = load<u8>(at);
      at++;
      if (next == COMMA) break;
      if (next != ((open & 1) != 0 ? CLOSE_OBJECT : CLOSE_ARRAY)) return 0;
      depth--;
      open >>= 1;
    }
    at = blanksEnd(at);
    if ((open & 1) != 0) {
      at = memberValue(at);
      if (at == 0) return 0;
    }
  }
}
