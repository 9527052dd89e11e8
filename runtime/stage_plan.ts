/**
 * Stages: a topology cut at its sources, keyBys and broadcasts. Every worker cuts the same topology in the same way, so that a
 * number is enough to name an edge between them.
 *
 * @module
 */

import type { OperatorFunction } from "../deps.ts";
import { choiceOf, type DecodingChoice } from "../operators/decoding_choice.ts";
import { excerpt } from "../operators/excerpt.ts";
import { stepOf } from "../operators/fused.ts";
import { columnarCut } from "./columnar_cut.ts";
import { DEAD_LETTERS, type ErrorPolicy } from "./dead_letter.ts";
import type { Job } from "./job.ts";
import type { KeyHash } from "./state/key_group.ts";
import type { StateSpecs } from "./state/state.ts";
import {
  consumersOf,
  type Node,
  type NodeId,
  type NodeOf,
  type Output,
  outputsOf,
  type Topology,
} from "./topology.ts";

/** How much of a key function's text a plan quotes, in UTF-16 code units. */
export const KEY_CHARS_MAX = 60;
/** Key groups of a stage whose job doesn't say: Flink's default for small parallelism. */
export const MAX_PARALLELISM = 128;

/** What all edges have. */
interface EdgeEnds {
  /** Its number: the place in the plan's list. */
  readonly id: number;
  readonly from: string;
  readonly to: string;
  /** Which input of the keyed stage: 0, or 1 for the right side of a connected stream. */
  readonly input: number;
}

/** The way from one stage, through a keyBy, to an input of a keyed stage. */
export interface KeyByEdge extends EdgeEnds {
  readonly keyBy: NodeId;
}

/** The way from one stage to all workers' parts of a keyed one: every record goes to each. */
export interface BroadcastEdge extends EdgeEnds {
  /** The node that stands for it. */
  readonly broadcast: NodeId;
}

/** The way from one stage to an input of a keyed stage. */
export type Edge = KeyByEdge | BroadcastEdge;

/** The operators between two cuts. */
export interface Stage {
  /** The name of its source or keyed operator. */
  readonly name: string;
  readonly head: NodeOf<"source"> | NodeOf<"keyed">;
  readonly inputs: readonly Edge[];
  readonly outputs: readonly Edge[];
}

/** An edge, with what people want to know of it. */
export type PlannedEdge =
  | KeyByEdge & {
    /** The beginning of the key function's text. */
    readonly key: string;
    /** Whether decoded records pass as columns; else each is made a value first. */
    readonly as: "columns" | "rows";
  }
  | BroadcastEdge & { readonly as: "rows" };

/** How a source, or a `flatMapJson` in one stage, decodes records. */
export interface PlannedDecoding extends DecodingChoice {
  /** As dead letters name it: `<source>`, `<stage>/pipe` or `<stage>/flatMapJson`. */
  readonly operator: string;
}

/** A piece of declared state, as a plan and a checkpoint describe it. */
export interface PlannedState {
  readonly name: string;
  readonly kind: "value" | "list" | "map";
  readonly version: number;
  /** Of a value: the type of what it is before it is set, such as `"number"`; else `""`. */
  readonly holds: string;
}

/** The same, with whether the job can read older versions of it. */
export type EvolvingState = PlannedState & { readonly migrates: boolean };

/** A stage, with what it keeps. */
export interface PlannedStage {
  readonly name: string;
  readonly kind: "source" | "keyed";
  readonly states: readonly EvolvingState[];
  /** Of one with a broadcast input: the state of which every worker has a copy. */
  readonly broadcast?: readonly EvolvingState[];
  /** Of a keyed one: what its keys are hashed as. */
  readonly hash?: KeyHash;
  /** Of a keyed one: whether it handles timers. */
  readonly firesTimers?: boolean;
  /**
   * Whether it has RxJS operators of the user's, which may remember what is no state: that stays behind when a key group
   * moves, or a shard, so key groups of a keyed stage stay where they are, and shards of a source where they are read.
   */
  readonly remembers?: boolean;
  /** The names of its `mapAsync` operators. */
  readonly calls: readonly string[];
}

/** What a host needs to know of a job: plain data. */
export interface JobPlan {
  readonly job: string;
  readonly maxParallelism: number;
  readonly onError: ErrorPolicy;
  readonly sources: readonly { name: string; kind: string; of: string; bounded: boolean }[];
  readonly sinks: readonly { name: string; kind: string; of: string }[];
  /** Where dead letters go, under the name that no sink of the job has. */
  readonly deadLetters?: { readonly name: string; readonly kind: string; readonly of: string };
  readonly stages: readonly PlannedStage[];
  readonly edges: readonly PlannedEdge[];
  /** Each source with a schema, and each `flatMapJson` in each stage that it is part of. */
  readonly decoding: readonly PlannedDecoding[];
}

/** Cuts a topology into stages, sources first, in order of building. */
export function stagesOf(topology: Topology): readonly Stage[] {
  const heads = topology.nodes.filter((node) => node.kind === "source" || node.kind === "keyed");
  const edges: Edge[] = [];
  for (const head of heads) {
    for (const node of stageNodes(topology, head)) {
      if (node.kind !== "keyBy" && node.kind !== "broadcast") continue;
      const cut = node.kind === "keyBy" ? { keyBy: node.id } : { broadcast: node.id };
      for (const { to, input } of inputsFedBy(topology, node.id)) {
        edges.push({ id: edges.length, from: head.name, to, input, ...cut });
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

/** The inputs of keyed operators that a cut feeds. */
function inputsFedBy(topology: Topology, cut: NodeId): { to: string; input: number }[] {
  return topology.nodes.flatMap((node) => {
    if (node.kind !== "keyed") return [];
    return node.inputs.flatMap((id, input) => id === cut ? [{ to: node.name, input }] : []);
  });
}

/** The nodes of a stage behind its head, up to cuts and sinks; each once, though several ways may lead there. */
function stageNodes(topology: Topology, head: Node): ReadonlySet<Node> {
  const found = new Set<Node>();
  const follow = (output: Output) => {
    for (const { node } of consumersOf(topology, output)) {
      if (found.has(node)) continue;
      found.add(node);
      outputsOf(node).forEach(follow);
    }
  };
  outputsOf(head).forEach(follow);
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
    ...(job.deadLetters === undefined ? {} : {
      deadLetters: { name: DEAD_LETTERS, kind: job.deadLetters.kind, of: job.deadLetters.name },
    }),
    stages: stages.map((stage) => plannedStage(topology, stage)),
    edges: stages.flatMap((stage) => stage.outputs)
      .map((edge) => plannedEdge(topology, edge)),
    decoding: stages.flatMap((stage) => decodingOf(topology, stage)),
  };
}

function plannedStage(topology: Topology, { name, head }: Stage): PlannedStage {
  const nodes = [...stageNodes(topology, head)];
  const calls = nodes.flatMap((node) => node.kind === "mapAsync" ? [node.name] : []);
  if (head.kind === "source") {
    const kept = nodes.some(isRemembering) ? { remembers: true } : {};
    return { name, kind: "source", states: [], ...kept, calls };
  }
  const { operator, inputs: [input] } = head;
  const keyBy = input === undefined ? undefined : topology.nodes[input];
  return {
    name,
    kind: "keyed",
    states: operator.kind === "pipe" ? [] : plannedStates(operator.state),
    ...(operator.kind === "broadcast" ? { broadcast: plannedStates(operator.broadcast) } : {}),
    ...(keyBy?.kind === "keyBy" ? { hash: keyBy.hash } : {}),
    firesTimers: "onTimer" in operator && operator.onTimer !== undefined,
    ...(remembers(head, nodes) ? { remembers: true } : {}),
    calls,
  };
}

function plannedStates(specs: StateSpecs): EvolvingState[] {
  return Object.entries(specs).map(([name, { kind, initial, version, migrate }]) => ({
    name,
    kind,
    version,
    holds: kind === "value" ? typeof initial : "",
    migrates: migrate !== undefined,
  }));
}

function remembers({ operator }: NodeOf<"keyed">, nodes: readonly Node[]): boolean {
  return operator.kind === "pipe" || nodes.some(isRemembering);
}

/** Whether it is of RxJS operators that we don't know. */
function isRemembering(node: Node): boolean {
  return node.kind === "pipe" && node.operators.some((operator) => stepOf(operator) === undefined);
}

function plannedEdge(topology: Topology, edge: Edge): PlannedEdge {
  if ("broadcast" in edge) return { ...edge, as: "rows" };
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
  for (const node of stageNodes(topology, head)) {
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
