/**
 * Many moves of key groups in one run, under load: half of them to and fro between two workers, sixteen at a time.
 * `deno task bench moves [--moves 10000]`: memory on the way, how long groups stand still, whether a row is lost or doubled.
 *
 * Each move makes garbage that has lived for long: the keys of the groups that left. V8 lets such garbage come together
 * until the heap's bound is near, and that follows the machine's memory. So the benchmark runs in a process of its own
 * whose heaps have a bound: what grows there is no garbage.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../../runtime/clock.ts";
import { MOVED_GROUPS_MAX } from "../../runtime/limits.ts";
import { markdownTable } from "./markdown_table.ts";
import { countLine, RescaleRun } from "./rescale_run.ts";

const KEYS = 20_000;
const MOVES = 10_000;
/** Memory is looked at so often. */
const LOOKS = 10;
/** Bound of the old generation of each worker, MB: some ten times what lives in it. */
const HEAP_MB_MAX = 200;

/** Runs the benchmark, in another process; returns its exit code. */
export async function manyMovesBench(args: readonly string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-lock", `--v8-flags=--max-old-space-size=${HEAP_MB_MAX}`],
      fileURLToPath(import.meta.url),
      ...args,
    ],
  }).spawn().status;
  return code;
}

async function manyMoves(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { moves: { type: "string" } } });
  const moves = Number(values.moves ?? MOVES);
  const run = new RescaleRun(KEYS, { workers: 2, parallelism: 2 });
  await run.loaded();
  const lines: string[][] = [];
  const pauses: number[] = [];
  const began = systemClock.monotonic();
  let from = 0;
  for (let moved = 0; moved < moves;) {
    const groups = run.supervisor.routing
      .flatMap((worker, group) => worker === from ? [group] : []).slice(0, MOVED_GROUPS_MAX);
    const to = 1 - from;
    const figures = await run.supervisor.move(groups.map((group) => ({ group, from, to })));
    pauses.push(figures?.pauseMs ?? 0);
    const before = Math.floor(moved * LOOKS / moves);
    moved += groups.length;
    from = to;
    if (Math.floor(moved * LOOKS / moves) > before) {
      lines.push(line(moved, began, pauses.splice(0)));
    }
  }
  const count = await run.end();
  print(markdownTable(["moves", "s", "MB resident", "stop, ms: p50", "most"], lines, 1));
  print(`\n${countLine(count)}`);
  return count.lost === 0 && count.doubled === 0 && count.isRight ? 0 : 1;
}

function line(moved: number, began: number, pauses: readonly number[]): string[] {
  const sorted = pauses.toSorted((a, b) => a - b);
  return [
    String(moved),
    ((systemClock.monotonic() - began) / 1000).toFixed(1),
    (Deno.memoryUsage().rss / 1e6).toFixed(0),
    (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0),
    (sorted.at(-1) ?? 0).toFixed(0),
  ];
}

if (import.meta.main) {
  const encoder = new TextEncoder();
  const print = (text: string) => void Deno.stdout.writeSync(encoder.encode(text + "\n"));
  Deno.exit(await manyMoves(Deno.args, print));
}
