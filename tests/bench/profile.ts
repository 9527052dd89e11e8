/**
 * Where Penstock's time goes: the samples of a CPU profile, by what the engine was at. A function's own time counts for
 * the file that it stands in. What has no file of its own, as WebAssembly, generated code, the runtime's and V8's
 * functions, counts for the file that called it.
 *
 * @module
 */

import { markdownTable } from "./markdown_table.ts";

/** What the engine can be at. */
export const STEPS = [
  "decode",
  "route",
  "mailbox",
  "state",
  "handler",
  "encode",
  "sink",
  "collector",
  "other",
] as const;
/** One of them. */
export type Step = typeof STEPS[number];

/** The part of a V8 CPU profile that is looked at. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    /** Ids of the nodes that it called. */
    readonly children?: readonly number[];
  }[];
  /** The node of each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** Files, and folders, by step: the first that a URL contains counts. */
const FILES: readonly (readonly [string, Step])[] = [
  ["/tests/bench/jobs/checksum_sink.ts", "sink"],
  ["/tests/bench/checksum.ts", "sink"],
  ["/tests/bench/jobs/", "handler"],
  ["/rxjs/", "handler"],
  ["/runtime/worker/sink_port.ts", "sink"],
  ["/operators/json_encoder", "encode"],
  ["/operators/", "decode"],
  ["/connectors/raw_record.ts", "decode"],
  ["/zod/", "decode"],
  ["/runtime/state/key_group.ts", "route"],
  ["/runtime/state/", "state"],
  ["/runtime/transport/", "route"],
  ["/runtime/worker/edge_output.ts", "route"],
  ["/runtime/worker/channel.ts", "route"],
  ["/runtime/worker/exchange.ts", "route"],
  ["/runtime/worker/keyed_operator.ts", "handler"],
  ["/runtime/worker/keyed_stage.ts", "mailbox"],
  ["/runtime/worker/partition_actor.ts", "mailbox"],
  ["/runtime/worker/turn_queue.ts", "mailbox"],
  ["/runtime/worker/source_stage.ts", "mailbox"],
];
/** What the engine's input costs the benchmark: it is no part of the engine. */
const INPUT_FILES = [
  "/tests/bench/jobs/replay.ts",
  "/tests/bench/jobs/shard_blocks.ts",
  "/tests/bench/jobs/file_index.ts",
];
/** Code that runs on somebody's behalf. */
const CALLED_FOR = /^(?:$|wasm:|ext:|node:)|\/runtime\/clock\.ts$/;
/** Frames that V8 makes up. */
const COLLECTOR = "(garbage collector)";
const NOTHING = /^\((?:root|idle)\)$/;
/** This part of the samples is warm-up, modules' loading included, as in what is measured. */
const WARM_UP_SHARE = 1 / 3;

/** What a node's own time counts for; undefined is not counted. */
type Counted = Step | undefined;

/** Each step's share of the time that was spent on records; shares sum up to 1, or to 0 if there are no samples. */
export function stepShares(profile: CpuProfile): Readonly<Record<Step, number>> {
  const stepOfNode = countedOf(profile);
  const counted = profile.samples.flatMap((node, index) => {
    const step = stepOfNode.get(node);
    return step === undefined ? [] : [{ step, micros: profile.timeDeltas[index] ?? 0 }];
  });
  const all = counted.reduce((sum, { micros }) => sum + micros, 0);
  const shares = emptyShares();
  let before = 0;
  let total = 0;
  for (const { step, micros } of counted) {
    before += micros;
    if (before <= all * WARM_UP_SHARE) continue;
    shares[step] += micros;
    total += micros;
  }
  for (const step of STEPS) shares[step] /= Math.max(1, total);
  return shares;
}

function countedOf({ nodes }: CpuProfile): ReadonlyMap<number, Counted> {
  const nodeOf = new Map(nodes.map((node) => [node.id, node]));
  const isChild = new Set(nodes.flatMap(({ children = [] }) => children));
  const counted = new Map<number, Counted>();
  // Stacks of a deep recursion would be too deep for one of ours.
  const open: { readonly id: number; readonly caller: Counted }[] = nodes
    .filter(({ id }) => !isChild.has(id))
    .map(({ id }) => ({ id, caller: "other" }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = nodeOf.get(next.id);
    if (node === undefined) continue;
    const step = countedFor(node.callFrame, next.caller);
    counted.set(node.id, step);
    // What is called from nothing, from the outermost frame that is, is called for nobody.
    const caller = NOTHING.test(node.callFrame.functionName) ? "other" : step;
    for (const id of node.children ?? []) open.push({ id, caller });
  }
  return counted;
}

function countedFor(
  { functionName, url }: CpuProfile["nodes"][number]["callFrame"],
  caller: Counted,
): Counted {
  if (NOTHING.test(functionName)) return undefined;
  if (functionName === COLLECTOR) return "collector";
  if (INPUT_FILES.some((file) => url.includes(file))) return undefined;
  for (const [part, step] of FILES) if (url.includes(part)) return step;
  return CALLED_FOR.test(url) ? caller : "other";
}

function emptyShares(): Record<Step, number> {
  return {
    decode: 0,
    route: 0,
    mailbox: 0,
    state: 0,
    handler: 0,
    encode: 0,
    sink: 0,
    collector: 0,
    other: 0,
  };
}

/** The shares as a Markdown table, a row for each run that was profiled. */
export function shareTable(
  rows: readonly {
    readonly workload: string;
    readonly engine: string;
    readonly shares: Readonly<Record<Step, number>>;
  }[],
): string {
  return markdownTable(
    ["where time goes", "engine", ...STEPS],
    rows.map(({ workload, engine, shares }) => [
      workload,
      engine,
      ...STEPS.map((step) => `${Math.round(shares[step] * 100)} %`),
    ]),
    2,
  );
}
