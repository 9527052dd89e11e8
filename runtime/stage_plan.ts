/**
 * Stages: a topology cut at its sources and keyBys. Every worker cuts the same topology in the same way, so that a
 * number is enough to name an edge between them.
 *
 * @module
 */

import type { ErrorPolicy } from "./dead_letter.ts";
import type { Job } from "./job.ts";
import { consumersOf, type NodeId, type NodeOf, type Output, type Topology } from "./topology.ts";

/** Key groups of a stage whose job doesn't say: Flink's default for small parallelism. */
export const MAX_PARALLELISM = 128;

/** The way from one stage, through a keyBy, to an input of a keyed stage. */
export interface Edge {
  /** Its number: the place in the plan's list. */
  readonly id: number;
  readonly from: string;
  readonly to: string;
  /** Which input of the keyed stage: 0, or 1 for the right side of a connected stream. */
  readonly input: number;
  readonly keyBy: NodeId;
}

/** The operators between two cuts. */
export interface Stage {
  /** The name of its source or keyed operator. */
  readonly name: string;
  readonly head: NodeOf<"source"> | NodeOf<"keyed">;
  readonly inputs: readonly Edge[];
  readonly outputs: readonly Edge[];
}

/** What a host needs to know of a job: plain data. */
export interface JobPlan {
  readonly job: string;
  readonly maxParallelism: number;
  readonly onError: ErrorPolicy;
  readonly sources: readonly { name: string; kind: string; of: string; bounded: boolean }[];
  readonly sinks: readonly { name: string; kind: string; of: string }[];
  readonly stages: readonly { name: string; kind: "source" | "keyed" }[];
  readonly edges: readonly Edge[];
}

/** Cuts a topology into stages, sources first, in order of building. */
export function stagesOf(topology: Topology): readonly Stage[] {
  const heads = topology.nodes.filter((node) => node.kind === "source" || node.kind === "keyed");
  const edges: Edge[] = [];
  for (const head of heads) {
    const seen = new Set<string>();
    for (const { keyBy, to, input } of cutsBehind(topology, { node: head.id, port: "main" })) {
      // A stream merged with itself reaches the same cut twice, over one edge.
      const cut = `${keyBy} ${to} ${input}`;
      if (seen.has(cut)) continue;
      seen.add(cut);
      edges.push({ id: edges.length, from: head.name, to, input, keyBy });
    }
  }
  return heads.map((head) => ({
    name: head.name,
    head,
    inputs: edges.filter((edge) => edge.to === head.name),
    outputs: edges.filter((edge) => edge.from === head.name),
  }));
}

function* cutsBehind(
  topology: Topology,
  output: Output,
): Generator<{ keyBy: NodeId; to: string; input: number }> {
  for (const { node } of consumersOf(topology, output)) {
    switch (node.kind) {
      case "keyBy":
        for (const keyed of topology.nodes) {
          if (keyed.kind !== "keyed") continue;
          for (const [input, id] of keyed.inputs.entries()) {
            if (id === node.id) yield { keyBy: id, to: keyed.name, input };
          }
        }
        break;
      case "flatMapJson":
        yield* cutsBehind(topology, { node: node.id, port: "main" });
        yield* cutsBehind(topology, { node: node.id, port: "invalid" });
        break;
      case "pipe":
      case "eventTime":
      case "merge":
      case "mapAsync":
        yield* cutsBehind(topology, { node: node.id, port: "main" });
        break;
      case "source":
      case "keyed":
      case "sink":
        break;
    }
  }
}

/** The plan of a job, for hosts and for people. */
export function planOf(job: Job, topology: Topology): JobPlan {
  const stages = stagesOf(topology);
  return {
    job: job.name,
    maxParallelism: job.maxParallelism ?? MAX_PARALLELISM,
    onError: job.onError ?? "resume",
    sources: Object.entries(job.sources).map(([name, source]) => ({
      name,
      kind: source.kind,
      of: source.name,
      bounded: source.bounded,
    })),
    sinks: Object.entries(job.sinks).map(([name, sink]) => ({
      name,
      kind: sink.kind,
      of: sink.name,
    })),
    stages: stages.map(({ name, head }) => ({ name, kind: head.kind })),
    edges: stages.flatMap((stage) => stage.outputs),
  };
}
