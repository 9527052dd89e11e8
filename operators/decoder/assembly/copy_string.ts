/**
 * Copies the insides of JSON strings, escapes resolved, as UTF-8. The copy is never longer than the original.
 *
 * @module
 */

import { BACKSLASH, characterLength, hex, QUOTE, specials } from "./validate";

/** Where the last copy ended. */
export let copyEnd: usize = 0;

/**
 * Copies up to the closing quote and returns the address after it, or 0: not a string, or half of a surrogate pair in
 * it, which UTF-8 can't hold. Up to 16 bytes behind the copy are overwritten.
 */
export function copyString(at: usize, to: usize): usize {
  while (true) {
    const bytes = v128.load(at);
    v128.store(to, bytes);
    const found = specials(bytes) as u32;
    if (found == 0) {
      at += 16;
      to += 16;
      continue;
    }
    const backslashes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x5c))) as u32;
    const quotes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x22))) as u32;
    if (found == (backslashes | quotes) && ((backslashes << 1) & 0xffff) == quotes) {
      // Escaped quotes alone, as in a text in a string: what is behind each backslash moves up. One at the end waits.
      const size: usize = 16 - (backslashes >> 15);
      let removed: usize = 0;
      for (let left = backslashes & 0x7fff; left != 0; left &= left - 1) {
        const kept = ctz(left) as usize;
        v128.store(to + kept - removed, v128.load(at + kept + 1));
        removed++;
      }
      at += size;
      to += size - removed;
      continue;
    }
    const plain = ctz(found) as usize;
    at += plain;
    to += plain;
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) {
      copyEnd = to;
      return at + 1;
    }
    if (byte == BACKSLASH) {
      at = copyEscape(at, to);
      if (at == 0) return 0;
      to = copyEnd;
    } else {
      const length = characterLength(at);
      if (length == 0) return 0;
      store<u32>(to, load<u32>(at));
      at += length;
      to += length;
    }
  }
}

/** Copies up to the first quote, backslash or control, and returns its address, or 0: not UTF-8. */
export function copyCharacters(at: usize, to: usize): usize {
  while (true) {
    const bytes = v128.load(at);
    v128.store(to, bytes);
    const found = specials(bytes);
    if (found == 0) {
      at += 16;
      to += 16;
      continue;
    }
    const plain = ctz(found) as usize;
    at += plain;
    to += plain;
    if (load<u8>(at) < 0x80) {
      copyEnd = to;
      return at;
    }
    const length = characterLength(at);
    if (length == 0) return 0;
    store<u32>(to, load<u32>(at));
    at += length;
    to += length;
  }
}

function copyEscape(at: usize, to: usize): usize {
  let byte: u32 = load<u8>(at, 1);
  switch (byte) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      break;
    case 0x62:
      byte = 0x08;
      break;
    case 0x66:
      byte = 0x0c;
      break;
    case 0x6e:
      byte = 0x0a;
      break;
    case 0x72:
      byte = 0x0d;
      break;
    case 0x74:
      byte = 0x09;
      break;
    case 0x75:
      return copyCode(at, to);
    default:
      return 0;
  }
  store<u8>(to, byte);
  copyEnd = to + 1;
  return at + 2;
}

/** A `\u` escape, or two that are one character. */
function copyCode(at: usize, to: usize): usize {
  const unit = hex(at + 2);
  if (unit < 0) return 0;
  at += 6;
  if ((unit & 0xf800) != 0xd800) {
    copyEnd = putCharacter(unit, to);
    return at;
  }
  if (unit >= 0xdc00 || load<u8>(at) != BACKSLASH || load<u8>(at, 1) != 0x75) return 0;
  const low = hex(at + 2);
  if (low < 0 || (low & 0xfc00) != 0xdc00) return 0;
  copyEnd = putCharacter(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), to);
  return at + 6;
}

function putCharacter(code: i32, to: usize): usize {
  if (code < 0x80) {
    store<u8>(to, code);
    return to + 1;
  }
  if (code < 0x800) {
    store<u8>(to, 0xc0 | (code >> 6));
    store<u8>(to, 0x80 | (code & 0x3f), 1);
    return to + 2;
  }
  if (code < 0x10000) {
    store<u8>(to, 0xe0 | (code >> 12));
    store<u8>(to, 0x80 | ((code >> 6) & 0x3f), 1);
    store<u8>(to, 0x80 | (code & 0x3f), 2);
    return to + 3;
  }
  store<u8>(to, 0xf0 | (code >> 18));
  store<u8>(to, 0x80 | ((code >> 12) & 0x3f), 1);
  store<u8>(to, 0x80 | ((code >> 6) & 0x3f), 2);
  store<u8>(to, 0x80 | (code & 0x3f), 3);
  return to + 4;
}
