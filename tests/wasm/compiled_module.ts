/**
 * Compiles WebAssembly modules from their sources. `deno task build:wasm` runs this file, which writes what comes out beside
 * the sources; tests compile them again and compare, or change them first to see that a mistake in them is found.
 *
 * @module
 */

import { loadAssemblyScript } from "../deps.ts";

/** A module that is committed with its source: the files in `assembly/` beside it, of which `index.ts` says what is exported. */
export interface WasmSource {
  /** For people. */
  readonly name: string;
  /** What is committed. */
  readonly wasm: URL;
  readonly options: readonly string[];
}

/** `v128` in an exported function is meant: it is exported to other files of the source only. */
const OPTIONS = "-O3 --runtime stub --enable simd --noAssert --disableWarning 112".split(" ");

/** The module behind `operators/decoder/column_decoder.ts`. */
export const DECODER: WasmSource = {
  name: "decoder",
  wasm: new URL("../../operators/decoder/decoder.wasm", import.meta.url),
  options: OPTIONS,
};

/** The module behind `runtime/state/key_table.ts`: room for a batch from the start, at most 2 GiB in all. */
export const KEY_TABLE: WasmSource = {
  name: "key table",
  wasm: new URL("../../runtime/state/key_table/key_table.wasm", import.meta.url),
  options: [...OPTIONS, "--initialMemory", "276", "--maximumMemory", "32768"],
};

/** Whether there is a compiler: it is downloaded when first used. Without one, tests that compile are ignored. */
export function hasCompiler(): Promise<boolean> {
  return loadAssemblyScript().then(() => true, () => false);
}

/** A change of a source: `from` must be there exactly once. */
export interface SourceChange {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * The WebAssembly module of a source with these changes.
 *
 * @throws {SyntaxError} if it does not compile, or has warnings
 * @throws {RangeError} if a change does not fit
 */
export async function compiledModule(
  { name, wasm, options }: WasmSource,
  changes: readonly SourceChange[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const { main } = await loadAssemblyScript();
  const sources = await changedSources(new URL("assembly/", wasm), changes);
  let compiled: Uint8Array | undefined;
  const { error, stderr } = await main(["index.ts", "-o", "index.wasm", ...options], {
    readFile: (name) => sources.get(name) ?? null,
    writeFile: (_name, contents) => compiled = contents,
    listFiles: () => [],
  });
  const said = stderr.toString();
  if (error !== null || compiled === undefined || said !== "") {
    throw new SyntaxError(`Cannot compile the ${name}: ${error?.message ?? ""}\n${said}`);
  }
  return new Uint8Array(compiled);
}

async function changedSources(
  folder: URL,
  changes: readonly SourceChange[],
): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    sources.set(name, await Deno.readTextFile(new URL(name, folder)));
  }
  for (const { file, from, to } of changes) {
    const source = sources.get(file) ?? "";
    const [before, after, more] = source.split(from);
    if (before === undefined || after === undefined || more !== undefined) {
      throw new RangeError(`Cannot change ${file}: expected ${JSON.stringify(from)} in it once`);
    }
    sources.set(file, before + to + after);
  }
  return sources;
}

if (import.meta.main) {
  for (const source of [DECODER, KEY_TABLE]) {
    await Deno.writeFile(source.wasm, await compiledModule(source));
  }
}
