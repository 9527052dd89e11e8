/**
 * Third-party packages that only tests use, each with an exact version and what it spares us.
 *
 * @module
 */

/** Fake timers: replaces `Date`, `setTimeout` and their kin, and puts them back; behind `@std/testing/time`. */
// @ts-types="npm:@types/sinonjs__fake-timers@15.0.1"
export { default as FakeTimers } from "npm:@sinonjs/fake-timers@15.5.0";

/** Property tests: generates documents and paths, and shrinks what fails to something readable. */
export * as fc from "npm:fast-check@4.10.2";

/** Another implementation of RFC 9535, to compare ours with. */
export { query as queryRfc9535 } from "npm:jsonpath-rfc9535@1.3.0";

/** Schema libraries that jobs are written with: their types and their results must fit ours. */
export { z } from "npm:zod@4.6.7";
export * as zm from "npm:zod@4.6.7/mini";
export * as v from "npm:valibot@1.5.0";
export { type as arktype } from "npm:arktype@2.2.9";

/** The compiler of the decoder's source, named by a variable: whoever only type-checks need not download it. */
const ASSEMBLYSCRIPT = "npm:assemblyscript@0.28.19/asc";

/** AssemblyScript: turns the decoder's source into WebAssembly. Its version decides about the bytes. */
export function loadAssemblyScript(): Promise<{
  readonly main: (options: readonly string[], files: {
    readonly readFile: (name: string) => string | null;
    readonly writeFile: (name: string, contents: Uint8Array) => void;
    readonly listFiles: (folder: string) => readonly string[];
  }) => Promise<{
    readonly error: Error | null;
    readonly stderr: { toString(): string };
  }>;
}> {
  return import(ASSEMBLYSCRIPT);
}

/** The S3 emulator, named by a variable like the compiler above. */
const FAUXQS = "npm:fauxqs@2.4.1";

/** fauxqs: an in-process S3, spares us a service of our own to be wrong against. It ignores `If-None-Match`. */
export function loadFauxqs(): Promise<{
  readonly startFauxqs: (options: { readonly port: number; readonly logger: boolean }) => Promise<{
    readonly port: number;
    readonly createBucket: (name: string) => void;
    readonly stop: () => Promise<void>;
  }>;
}> {
  return import(FAUXQS);
}
