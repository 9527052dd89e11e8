/**
 * The memory that all key tables of a thread are in. A batch is written to its areas, looked up in one call, and the
 * slots are read from them; between calls nothing in the areas is of any worth.
 *
 * @module
 */

import * as wasm from "./key_table.wasm";

/**
 * Memory that the key tables of a thread may take together: what the module's own limit is. About 70 bytes a key, up to
 * 46 bytes of the key itself included.
 */
export const KEY_TABLE_MEMORY_BYTES_MAX = 2 ** 31;

/** What `key_table.wasm` exports. */
export type KeyTableModule = typeof wasm;

/** Views of the areas: for `rowsMax` rows, and for `bytesMax` bytes of keys, seen in three ways. */
export interface KeyAreas {
  readonly bytes: Uint8Array;
  readonly units: Uint16Array;
  readonly numbers: Float64Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly groups: Uint16Array;
  readonly slots: Uint32Array;
}

/** An instance of the module, and views of its memory. */
export class KeyMemory {
  readonly module: KeyTableModule;
  /** Rows of one call. */
  readonly rowsMax: number;
  /** Bytes of the keys of one call, and so of any key. */
  readonly bytesMax: number;
  #areas: KeyAreas;

  constructor(module: KeyTableModule) {
    this.module = module;
    this.rowsMax = module.rowsMax();
    this.bytesMax = module.bytesMax();
    this.#areas = this.#viewed();
  }

  /**
   * Views of the areas, good until the next call that may take memory: then the memory's old buffer is gone.
   *
   * @example What is written is looked up
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { threadKeyMemory } from "./key_memory.ts";
   * assertEquals(threadKeyMemory.areas.bytes.length, threadKeyMemory.bytesMax);
   * ```
   */
  get areas(): KeyAreas {
    if (this.#areas.bytes.length === 0) this.#areas = this.#viewed();
    return this.#areas;
  }

  #viewed(): KeyAreas {
    const { module, rowsMax, bytesMax } = this;
    const { buffer } = module.memory;
    const bytes = module.bytesStart();
    return {
      bytes: new Uint8Array(buffer, bytes, bytesMax),
      units: new Uint16Array(buffer, bytes, bytesMax / 2),
      numbers: new Float64Array(buffer, bytes, bytesMax / 8),
      starts: new Uint32Array(buffer, module.startsStart(), rowsMax),
      ends: new Uint32Array(buffer, module.endsStart(), rowsMax),
      groups: new Uint16Array(buffer, module.groupsStart(), rowsMax),
      slots: new Uint32Array(buffer, module.slotsStart(), rowsMax),
    };
  }
}

/** The memory of this thread's tables. */
export const threadKeyMemory = new KeyMemory(wasm);
