/**
 * Stages: a topology cut at its sources and keyBys. Every worker cuts the same topology in the same way, so that a
 * number is enough to name an edge between them.
 *
 * @module
 */

import type { OperatorFunction } from "../deps.ts";
import { choiceOf, type DecodingChoice } from "../operators/decoding_choice.ts";
import { excerpt } from "../operators/excerpt.ts";
import { columnarCut } from "./columnar_cut.ts";
import type { ErrorPolicy } from "./dead_letter.ts";
import type { Job } from "./job.ts";
import {
  consumersOf,
  type Node,
  type NodeId,
  type NodeOf,
  type Output,
  type Topology,
} from "./topology.ts";

/** How much of a key function's text a plan quotes, in UTF-16 code units. */
export const KEY_CHARS_MAX = 60;
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

/** An edge, with what people want to know of it. */
export interface PlannedEdge extends Edge {
  /** The beginning of the key function's text. */
  readonly key: string;
  /** Whether decoded records pass as columns; else each is made a value first. */
  readonly as: "columns" | "rows";
}

/** How a source, or a `flatMapJson` in one stage, decodes records. */
export interface PlannedDecoding extends DecodingChoice {
  /** As dead letters name it: `<source>`, `<stage>/pipe` or `<stage>/flatMapJson`. */
  readonly operator: string;
}

/** What a host needs to know of a job: plain data. */
export interface JobPlan {
  readonly job: string;
  readonly maxParallelism: number;
  readonly onError: ErrorPolicy;
  readonly sources: readonly { name: string; kind: string; of: string; bounded: boolean }[];
  readonly sinks: readonly { name: string; kind: string; of: string }[];
  readonly stages: readonly { name: string; kind: "source" | "keyed" }[];
  readonly edges: readonly PlannedEdge[];
  /** Each source with a schema, and each `flatMapJson` in each stage that it is part of. */
  readonly decoding: readonly PlannedDecoding[];
}

/** Cuts a topology into stages, sources first, in order of building. */
export function stagesOf(topology: Topology): readonly Stage[] {
  const heads = topology.nodes.filter((node) => node.kind === "source" || node.kind === "keyed");
  const edges: Edge[] = [];
  for (const head of heads) {
    for (const node of stageNodes(topology, head.id)) {
      if (node.kind !== "keyBy") continue;
      for (const { to, input } of inputsFedBy(topology, node.id)) {
        edges.push({ id: edges.length, from: head.name, to, input, keyBy: node.id });
      }
    }
  }
  return heads.map((head) => ({
    name: head.name,
    head,
    inputs: edges.filter((edge) => edge.to === head.name),
    outputs: edges.filter((edge) => edge.from === head.name),
  }));
}

/** The inputs of keyed operators that a keyBy feeds. */
function inputsFedBy(topology: Topology, keyBy: NodeId): { to: string; input: number }[] {
  return topology.nodes.flatMap((node) => {
    if (node.kind !== "keyed") return [];
    return node.inputs.flatMap((id, input) => id === keyBy ? [{ to: node.name, input }] : []);
  });
}

/** The nodes of a stage behind its head, up to keyBys and sinks; each once, though several ways may lead there. */
function stageNodes(topology: Topology, head: NodeId): ReadonlySet<Node> {
  const found = new Set<Node>();
  const follow = (output: Output) => {
    for (const { node } of consumersOf(topology, output)) {
      if (found.has(node)) continue;
      found.add(node);
      follow({ node: node.id, port: "main" });
      follow({ node: node.id, port: "invalid" });
    }
  };
  follow({ node: head, port: "main" });
  return found;
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
    edges: stages.flatMap((stage) => stage.outputs)
      .map((edge) => plannedEdge(topology, edge)),
    decoding: stages.flatMap((stage) => decodingOf(topology, stage)),
  };
}

function plannedEdge(topology: Topology, edge: Edge): PlannedEdge {
  const node = topology.nodes[edge.keyBy];
  if (node?.kind !== "keyBy") return { ...edge, key: "", as: "rows" };
  // Not `key.toString()`, which may have been replaced.
  const text = Function.prototype.toString.call(node.key);
  const key = excerpt(text.replace(/\s+/g, " "), KEY_CHARS_MAX);
  return { ...edge, key, as: columnarCut(topology, node.id) === undefined ? "rows" : "columns" };
}

function decodingOf(topology: Topology, { name, head }: Stage): PlannedDecoding[] {
  const carriers: [operator: string, carrier: object][] = [];
  if (head.kind === "source") carriers.push([name, head.source]);
  for (const node of stageNodes(topology, head.id)) {
    for (const operator of operatorsOf(node)) carriers.push([`${name}/${node.kind}`, operator]);
  }
  return carriers.flatMap(([operator, carrier]) => {
    const choice = choiceOf(carrier);
    return choice === undefined ? [] : [{ operator, ...choice }];
  });
}

/** The operators of a node that may decode. Those inside of other operators can't be seen. */
function operatorsOf(node: Node): readonly OperatorFunction<unknown, unknown>[] {
  if (node.kind === "pipe") return node.operators;
  return node.kind === "flatMapJson" ? [node.operator] : [];
}
