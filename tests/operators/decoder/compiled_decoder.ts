/**
 * Compiles the decoder's source. `deno task build:decoder` runs this file, which writes what comes out beside the source;
 * tests compile it again and compare, or change it first to see that a mistake in it is found.
 *
 * @module
 */

import { loadAssemblyScript } from "../../deps.ts";

const FOLDER = new URL("../../../operators/decoder/", import.meta.url);
/** What is committed. */
export const DECODER_WASM = new URL("decoder.wasm", FOLDER);

/** `v128` in an exported function is meant: it is exported to other files of the source only. */
const OPTIONS = "-O3 --runtime stub --enable simd --noAssert --disableWarning 112".split(" ");

/** Whether there is a compiler: it is downloaded when first used. Without one, tests that compile are ignored. */
export function hasCompiler(): Promise<boolean> {
  return loadAssemblyScript().then(() => true, () => false);
}

/** A change of the source: `from` must be there exactly once. */
export interface SourceChange {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * The WebAssembly module of the source with these changes.
 *
 * @throws {SyntaxError} if it does not compile, or has warnings
 * @throws {RangeError} if a change does not fit
 */
export async function compiledDecoder(
  changes: readonly SourceChange[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const { main } = await loadAssemblyScript();
  const sources = await changedSources(changes);
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await main(["decoder.ts", "-o", "decoder.wasm", ...OPTIONS], {
    readFile: (name) => sources.get(name) ?? null,
    writeFile: (_name, contents) => wasm = contents,
    listFiles: () => [],
  });
  const said = stderr.toString();
  if (error !== null || wasm === undefined || said !== "") {
    throw new SyntaxError(`Cannot compile the decoder: ${error?.message ?? ""}\n${said}`);
  }
  return new Uint8Array(wasm);
}

async function changedSources(changes: readonly SourceChange[]): Promise<Map<string, string>> {
  const folder = new URL("assembly/", FOLDER);
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

if (import.meta.main) await Deno.writeFile(DECODER_WASM, await compiledDecoder());
