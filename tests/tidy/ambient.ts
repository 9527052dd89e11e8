/**
 * Rules about what code may touch besides its arguments: time, randomness, the outside world and third-party packages each
 * come in by named doors, so that everything else runs the same in a test as in production.
 *
 * @module
 */

import { importsOf } from "./imports.ts";
import { type Finding, findingAt, findingsOf, isIn, type SourceFile } from "./source_file.ts";

/** Where time may be read and timers set, and why. */
const TIME_PLACES: ReadonlyMap<string, string> = new Map([
  ["runtime/clock.ts", "the door itself"],
  ["tests/std/time.ts", "replaces the machine's time for code outside our control"],
  ["tests/std/time_test.ts", "tests that"],
  ["tests/bench/measure.ts", "the benchmark's stopwatch, outside of what it measures"],
]);

/** Where randomness may be drawn, and why. */
const RANDOM_PLACES: ReadonlyMap<string, string> = new Map([
  ["runtime/random.ts", "the door itself"],
  ["tests/bench/columns_bench.ts", "sample ids in a measurement; nothing depends on them"],
]);

/** Where the outside world may be reached, and why. */
const IO_PLACES: ReadonlyMap<string, string> = new Map([
  ["deps.ts", "types of what packages hand out"],
  ["connectors/", "sources and sinks are I/O"],
  ["runtime/main.ts", "the command line"],
  ["runtime/penstock.ts", "the command line"],
  ["runtime/start.ts", "wires a job to the process that runs it"],
  ["runtime/ports/", "threads, the terminal and sockets"],
  ["runtime/cpu_time.ts", "the door to CPU time"],
  ["runtime/heap_memory.ts", "the door to the heap's size"],
  ["runtime/checkpoint/sqlite_store.ts", "a store is I/O: a file"],
  ["runtime/checkpoint/s3_client.ts", "a store is I/O: the SDK's settings in the environment"],
  ["tests/", "tests and the benchmark work on files and processes"],
  ["examples/", "what users write"],
]);

/** Where third-party packages may be named, and why. */
const PACKAGE_PLACES: ReadonlyMap<string, string> = new Map([
  ["deps.ts", "the door itself"],
  ["tests/std/", "stands in for packages"],
  ["tests/types/", "jobs as users write them"],
  ["tests/scenarios/", "jobs as users write them"],
  ["examples/", "jobs as users write them"],
]);
/** What only tests use, and jobs as users write them. */
const TEST_PACKAGE_PLACE = /^tests\/(?:.*\/)?(?:deps\.ts$|jobs\/)/;

const GLOBAL = "(?<![.\\w$#])(?:globalThis\\.)?";
const TIME = new RegExp(
  `${GLOBAL}(?:Date\\.now\\b|new Date(?:\\(\\s*\\)|(?=\\s*[;,)]))|performance\\.now\\b|Temporal\\.Now\\b|` +
    `AbortSignal\\.timeout\\b|process\\.(?:hrtime|uptime)\\b|(?:setTimeout|setInterval|setImmediate)\\s*\\()`,
  "g",
);
const RANDOM = new RegExp(
  `${GLOBAL}(?:Math\\.random\\b|crypto\\.(?:getRandomValues|randomUUID)\\b|random(?:Bytes|Int|UUID)\\s*\\()`,
  "g",
);
const IO = new RegExp(
  `${GLOBAL}(?:Deno\\.(?!errors\\b|build\\b|version\\b|(?:Test|Bench)Context\\b|PermissionOptions\\b)\\w+|` +
    `fetch\\s*\\(|process\\.\\w+|new (?:Worker|WebSocket|EventSource)\\b|(?:local|session)Storage\\b)`,
  "g",
);
const IO_MODULE =
  /^node:(?:child_process|cluster|dgram|dns|fs|http|https|http2|net|os|process|readline|sqlite|tls|worker_threads)(?:\/|$)/;

/** Time is read, and timers are set, through a `Clock`. */
export function ambientTime(file: SourceFile): Finding[] {
  if (isIn(file.path, TIME_PLACES.keys())) return [];
  const message = (found: string) => `${found} is ambient time: take a Clock (runtime/clock.ts)`;
  return [
    ...findingsOf(file, TIME, message),
    ...importing(file, /^node:(?:timers|perf_hooks)(?:\/|$)/, message),
  ];
}

/** Randomness is drawn through a `Random`. */
export function ambientRandomness(file: SourceFile): Finding[] {
  if (isIn(file.path, RANDOM_PLACES.keys())) return [];
  return findingsOf(
    file,
    RANDOM,
    (found) => `${found} is ambient randomness: take a Random (runtime/random.ts)`,
  );
}

/** Files, network, processes, threads and the environment are reached in few places. */
export function ambientIo(file: SourceFile): Finding[] {
  if (isIn(file.path, IO_PLACES.keys())) return [];
  const message = (found: string) =>
    `${found} reaches outside: take what it gives as an argument, or name this place in tests/tidy/ambient.ts`;
  return [...findingsOf(file, IO, message), ...importing(file, IO_MODULE, message)];
}

/** Third-party packages are named, with their exact versions, in one place. */
export function thirdParty(file: SourceFile): Finding[] {
  if (isIn(file.path, PACKAGE_PLACES.keys()) || TEST_PACKAGE_PLACE.test(file.path)) return [];
  return importing(
    file,
    /^(?:npm|jsr|https?):/,
    (found) =>
      `${found} is imported here: export it from deps.ts (tests: tests/deps.ts) and import that`,
  );
}

/** A package has an exact version wherever it is named, so that every machine gets the same. */
export function exactVersions(file: SourceFile): Finding[] {
  return importsOf(file)
    .filter(({ specifier }) =>
      /^(?:npm|jsr):/.test(specifier) &&
      !/^\w+:\/?(?:@[^/]+\/)?[^/@]+@\d+\.\d+\.\d+[^/]*(?:\/|$)/.test(specifier)
    )
    .map(({ specifier, index }) =>
      findingAt(file, index, `${specifier} has no exact version: write @x.y.z`)
    );
}

function importing(
  file: SourceFile,
  pattern: RegExp,
  message: (found: string) => string,
): Finding[] {
  return importsOf(file)
    .filter(({ specifier }) => pattern.test(specifier))
    .map(({ specifier, index }) => findingAt(file, index, message(specifier)));
}
