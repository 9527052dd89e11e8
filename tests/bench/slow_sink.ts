/**
 * Runs the slow-sink job on two Web Workers and prints resident memory as it goes:
 * `deno run -A tests/bench/slow_sink.ts`. Takes about 200 seconds.
 *
 * @module
 */

import { memoryUsage } from "node:process";
import { silentLogger, startJob } from "../../mod.ts";
import { WRITTEN_MESSAGE } from "./jobs/slow_sink.ts";

const EVERY_SECONDS = 20;

let written = 0;
let seconds = 0;
const { outcome } = startJob(new URL("./jobs/slow_sink.ts", import.meta.url).href, {
  workers: 2,
  logger: {
    ...silentLogger,
    info: (message, fields = {}) => {
      if (message === WRITTEN_MESSAGE) written += Number(fields["rows"]);
    },
  },
  onStatus: ({ sources, sinks }) => {
    if (seconds++ % EVERY_SECONDS !== 0) return;
    const read = sources["rows"]?.records ?? 0;
    const out = sinks["slow"]?.rows ?? 0;
    const rss = Math.round(memoryUsage.rss() / 2 ** 20);
    print(`${seconds} s: read ${read}, written ${out}, inside ${read - out}, resident ${rss} MB`);
  },
});
const { kind } = await outcome;
print(`${kind}: ${written} distinct records written`);
Deno.exit(kind === "finished" ? 0 : 1);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}
