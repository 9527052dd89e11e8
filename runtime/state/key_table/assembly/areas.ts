/**
 * Where a batch stands in memory while it is looked up: columns of `ROWS_MAX` rows, then the bytes of the keys. The room
 * is there from the start; what is never written costs nothing.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

/** Rows of a call. */
export const ROWS_MAX: u32 = 16384;
/** Bytes of a call's keys. Kinesis takes records of up to 10 MiB, so that no key of one is longer. */
export const BYTES_MAX: u32 = 16 << 20;

/** Behind the module's own data, which is a mask and no more. */
const AREAS: usize = 1 << 16;
/** Columns written and read in step would wait for each other if they lay a multiple of 4 KiB apart. */
const APART_BYTES: usize = 320;

/** Where each key starts, u32: counted from an address that the call is given. */
export const STARTS: usize = AREAS;
/** Where each key ends, u32. */
export const ENDS: usize = STARTS + 4 * ROWS_MAX + APART_BYTES;
/** The key group of each key, u16. */
export const GROUPS: usize = ENDS + 4 * ROWS_MAX + APART_BYTES;
/** The hash of each key, u32. */
export const HASHES: usize = GROUPS + 2 * ROWS_MAX + APART_BYTES;
/** The slot of each key, u32: the answer. */
export const SLOTS: usize = HASHES + 4 * ROWS_MAX + APART_BYTES;

/** The bytes of the keys; up to 64 more are read. */
export const BYTES: usize = 1 << 20;
