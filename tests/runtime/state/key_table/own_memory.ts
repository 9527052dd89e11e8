/**
 * Memories for key tables beside the thread's own: to fill them up, or with a module that was changed.
 *
 * @module
 */

import { KeyMemory, type KeyTableModule } from "../../../../runtime/state/key_table/key_memory.ts";
import { compiledModule, KEY_TABLE, type SourceChange } from "../../../wasm/compiled_module.ts";

/** A memory of its own, with the committed module. */
export async function ownMemory(): Promise<KeyMemory> {
  return memoryOf(await Deno.readFile(KEY_TABLE.wasm));
}

/** A memory with a module whose source was changed: needs a compiler. */
export async function changedMemory(changes: readonly SourceChange[]): Promise<KeyMemory> {
  return memoryOf(await compiledModule(KEY_TABLE, changes));
}

async function memoryOf(bytes: Uint8Array<ArrayBuffer>): Promise<KeyMemory> {
  const { instance: { exports } } = await WebAssembly.instantiate(bytes);
  if (!isKeyTable(exports)) throw new TypeError("Cannot use the module: it is no key table");
  return new KeyMemory(exports);
}

/** A module of the kind that `key_table.wasm` is. */
function isKeyTable(exports: object): exports is KeyTableModule {
  return "byteSlots" in exports && "numberSlots" in exports && "memory" in exports;
}
