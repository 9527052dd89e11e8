/**
 * Where Penstock's time goes: the samples of a CPU profile, by what the engine was at. A function's own time counts for
 * the file that it stands in; builtins such as `JSON.parse` count for who called them.
 *
 * @module
 */

/** What the engine can be at. */
export const STEPS = [
  "decode",
  "route",
  "mailbox",
  "handler",
  "encode",
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
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Files by step; the first that a URL contains counts. `undefined`: before the run, not counted. */
const FILES: readonly (readonly [string, Step | undefined])[] = [
  ["/tests/bench/jobs/replay.ts", undefined],
  ["/tests/bench/jobs/checksum_sink.ts", "encode"],
  ["/tests/bench/checksum.ts", "encode"],
  ["/tests/bench/jobs/", "handler"],
  ["/runtime/worker/sink_port.ts", "encode"],
  ["/operators/", "decode"],
  ["/connectors/raw_record.ts", "decode"],
  ["zod", "decode"],
  ["text_encoding", "decode"],
  ["/runtime/worker/edge_output.ts", "route"],
  ["/runtime/worker/channel.ts", "route"],
  ["/runtime/state/key_group.ts", "route"],
  ["/runtime/transport/", "route"],
  ["/runtime/worker/keyed_operator.ts", "handler"],
  ["/runtime/state/", "handler"],
  ["/runtime/worker/keyed_stage.ts", "mailbox"],
  ["/runtime/worker/partition_actor.ts", "mailbox"],
  ["/runtime/worker/turn_queue.ts", "mailbox"],
  ["/runtime/worker/source_stage.ts", "mailbox"],
];
/** What happens while the inputs are loaded, by name: there is no file to it. */
const LOADING = /^(op_fs_|searchBytes|bidirectionalIndexOf|FastBuffer|op_encode$|encode$|\(idle\))/;

/** Each step's share of the time that was spent on records; shares sum up to 1. */
export function stepShares(profile: CpuProfile): Readonly<Record<Step, number>> {
  const stepOfNode = new Map(profile.nodes.map(({ id, callFrame }) => [id, stepOf(callFrame)]));
  const micros: Record<Step, number> = {
    decode: 0,
    route: 0,
    mailbox: 0,
    handler: 0,
    encode: 0,
    collector: 0,
    other: 0,
  };
  let total = 0;
  for (const [index, node] of profile.samples.entries()) {
    const step = stepOfNode.get(node);
    if (step === undefined) continue;
    const delta = profile.timeDeltas[index] ?? 0;
    micros[step] += delta;
    total += delta;
  }
  for (const step of STEPS) micros[step] /= Math.max(1, total);
  return micros;
}

function stepOf({ functionName, url }: CpuProfile["nodes"][number]["callFrame"]): Step | undefined {
  if (functionName === "(garbage collector)") return "collector";
  if (LOADING.test(functionName)) return undefined;
  for (const [part, step] of FILES) if (url.includes(part)) return step;
  return "other";
}

/** The shares as a Markdown table, a row a workload. */
export function shareTable(
  rows: readonly { workload: string; shares: Readonly<Record<Step, number>> }[],
): string {
  const head = `| where penstock's time goes | ${STEPS.join(" | ")} |`;
  const rule = `|---|${STEPS.map(() => "---").join("|")}|`;
  const lines = rows.map(({ workload, shares }) =>
    `| ${workload} | ${STEPS.map((step) => `${Math.round(shares[step] * 100)} %`).join(" | ")} |`
  );
  return [head, rule, ...lines].join("\n");
}
