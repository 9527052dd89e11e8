/**
 * Memory in segments of one size, for all tables. What a table gives back serves the next, since a module's memory never
 * shrinks; segments of one size leave no gaps that nobody can use.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

const PAGE_BITS: usize = 16;
const SEGMENT_PAGES: i32 = 4;
/** Of a segment. */
export const SEGMENT_BYTES: usize = (SEGMENT_PAGES as usize) << PAGE_BITS;

/** The first segment given back; each one's first word is the address of the next. */
let givenBack: usize = 0;
/** Memory that no table has had yet. */
let fresh: usize = 0;
let freshEnd: usize = 0;

/** The address of a segment, which may have anything in it; 0 if there is no memory left. */
export function takeSegment(): usize {
  if (givenBack != 0) {
    const segment = givenBack;
    givenBack = load<usize>(segment);
    return segment;
  }
  if (fresh == freshEnd && !grow()) return 0;
  const segment = fresh;
  fresh += SEGMENT_BYTES;
  return segment;
}

/** Takes a segment back. */
export function giveSegment(segment: usize): void {
  store<usize>(segment, givenBack);
  givenBack = segment;
}

/** By an eighth at a time: each growth makes the caller's views useless. */
function grow(): bool {
  let pages = max(memory.size() >> 3, SEGMENT_PAGES) & -SEGMENT_PAGES;
  for (; pages > 0; pages = (pages >> 1) & -SEGMENT_PAGES) {
    const before = memory.grow(pages);
    if (before < 0) continue;
    fresh = (before as usize) << PAGE_BITS;
    freshEnd = fresh + ((pages as usize) << PAGE_BITS);
    return true;
  }
  return false;
}
