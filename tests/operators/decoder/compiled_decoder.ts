/**
 * The decoder's module, compiled from its source, with changes if one wants to see that a mistake in it is found.
 *
 * @module
 */

import { compiledModule, DECODER, type SourceChange } from "../../wasm/compiled_module.ts";

export { hasCompiler, type SourceChange } from "../../wasm/compiled_module.ts";

/** What is committed. */
export const DECODER_WASM = DECODER.wasm;

/**
 * The WebAssembly module of the source with these changes.
 *
 * @throws {SyntaxError} if it does not compile, or has warnings
 * @throws {RangeError} if a change does not fit
 */
export function compiledDecoder(
  changes: readonly SourceChange[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  return compiledModule(DECODER, changes);
}
