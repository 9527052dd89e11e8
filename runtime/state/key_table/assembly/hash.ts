/**
 * Multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast", 2014): the sum of 32-bit words, each
 * times a random 64-bit number of its own, of which the upper half is the hash. Any two keys collide with a chance of
 * 2^-32, whatever they are, as long as the numbers are not known; and the products do not wait for each other.
 *
 * The words of a key are its kind and length, then its bytes eight at a time; the last eight may overlap those before.
 * Keys longer than a block are hashed block by block, each with the hash so far as its first word.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

/** Bytes hashed in one go. */
const BLOCK_BYTES: u32 = 128;
/** Random numbers of a table, u64 each: one to start with, one for the first word, and one for each four bytes. */
export const SEEDS: u32 = 2 + BLOCK_BYTES / 4;

const MASK = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

@inline
/** The address of a mask for the first `length` of 16 bytes. */
export function maskOf(length: u32): usize {
  return MASK + 16 - length;
}

/** Two words, those of the eight bytes `word`, times their numbers. */
@inline
function product(word: u64, seeds: usize): u64 {
  return load<u64>(seeds) * (word & 0xffffffff) + load<u64>(seeds, 8) * (word >> 32);
}

@inline
/** The hash of a key of eight bytes, which `word` has. */
export function hashWord(seeds: usize, word: u64, head: u32): u32 {
  const sum = load<u64>(seeds) + load<u64>(seeds, 8) * (head as u64) + product(word, seeds + 16);
  return (sum >> 32) as u32;
}

/** The hash of a key; `head` is its kind and length. Reads up to 8 bytes behind a key that is shorter than that. */
export function hashBytes(seeds: usize, at: usize, length: u32, head: u32): u32 {
  if (length <= 8) return hashWord(seeds, load<u64>(at) & load<u64>(maskOf(length)), head);
  let left = length;
  let first = head;
  for (; left > BLOCK_BYTES; left -= BLOCK_BYTES, at += BLOCK_BYTES) {
    first = hashBlock(seeds, at, BLOCK_BYTES, first);
  }
  return hashBlock(seeds, at, left, first);
}

/** The key is at least 8 bytes long, of which all but those of the block are before `at`. */
@inline
function hashBlock(seeds: usize, at: usize, length: usize, first: u32): u32 {
  let sum = load<u64>(seeds) + load<u64>(seeds, 8) * (first as u64);
  const last = at + length - 8;
  seeds += 16;
  for (; at < last; at += 8, seeds += 16) sum += product(load<u64>(at), seeds);
  return ((sum + product(load<u64>(last), seeds)) >> 32) as u32;
}
