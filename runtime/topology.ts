/**
 * The topology: what a job's `build` wrote down, as an immutable graph, checked before anything starts. Stages are cut
 * out of it in `stage_plan.ts`.
 *
 * @module
 */

import type { Sink } from "../connectors/sink.ts";
import type { Source } from "../connectors/source.ts";
import type { Observable, OperatorFunction } from "../deps.ts";
import type { Step } from "../operators/fused.ts";
import type { StateSpecs } from "./state/state.ts";
import type { ActorContext, AsyncContext, Emits, Key, KeyedContext } from "./stream.ts";

/** A node's number, in order of building: inputs come before what they feed. */
export type NodeId = number;

/** An output of a node. `invalid` is the second one of a flatMapJson. */
export interface Output {
  readonly node: NodeId;
  readonly port: "main" | "invalid";
}

/** A handler of a keyed operator, with its types forgotten. */
export type Handler = (value: unknown, context: KeyedContext<Key, StateSpecs>) => Emits<unknown>;
/** A timer handler, with its types forgotten. */
export type TimerHandler = (name: string, context: KeyedContext<Key, StateSpecs>) => Emits<unknown>;

/** What a keyed stage runs. */
export type KeyedOperator =
  | {
    readonly kind: "handlers";
    readonly state: StateSpecs;
    /** One a input. */
    readonly handlers: readonly Handler[];
    readonly onTimer: TimerHandler | undefined;
  }
  | {
    readonly kind: "actor";
    readonly state: StateSpecs;
    readonly behavior: (
      mailbox: Observable<unknown>,
      context: ActorContext<Key, StateSpecs>,
    ) => Observable<unknown>;
    readonly passivateAfterMs: number;
  }
  | { readonly kind: "pipe"; readonly operator: OperatorFunction<unknown, unknown> };

/** How a mapAsync calls out. */
export interface AsyncCall {
  readonly run: (value: unknown, context: AsyncContext) => Promise<unknown>;
  readonly ordered: boolean;
  readonly capacity: number;
  readonly timeoutMs: number | undefined;
  readonly attempts: number;
  readonly retryDelayMs: number;
}

/** A node of the topology. */
export type Node =
  | {
    readonly kind: "source";
    readonly id: NodeId;
    readonly name: string;
    readonly source: Source<unknown>;
  }
  | {
    readonly kind: "pipe";
    readonly id: NodeId;
    readonly input: Output;
    readonly operators: readonly OperatorFunction<unknown, unknown>[];
  }
  | {
    readonly kind: "flatMapJson";
    readonly id: NodeId;
    readonly input: Output;
    readonly operator: OperatorFunction<unknown, unknown>;
    /** What the operator does with one record. */
    readonly step: Step<unknown, unknown>;
  }
  | {
    readonly kind: "eventTime";
    readonly id: NodeId;
    readonly input: Output;
    readonly timestamp: (value: unknown) => number;
    readonly outOfOrdernessMs: number;
    readonly idleAfterMs: number | undefined;
  }
  | { readonly kind: "merge"; readonly id: NodeId; readonly inputs: readonly [Output, Output] }
  | {
    readonly kind: "mapAsync";
    readonly id: NodeId;
    readonly name: string;
    readonly input: Output;
    readonly call: AsyncCall;
  }
  | {
    readonly kind: "keyBy";
    readonly id: NodeId;
    readonly input: Output;
    readonly key: (value: unknown) => Key;
  }
  | {
    readonly kind: "keyed";
    readonly id: NodeId;
    readonly name: string;
    /** The keyBy nodes that feed it: one, or two for a connected stream. */
    readonly inputs: readonly NodeId[];
    readonly operator: KeyedOperator;
  }
  | { readonly kind: "sink"; readonly id: NodeId; readonly name: string; readonly input: Output };

/** A node of one kind. */
export type NodeOf<Kind extends Node["kind"]> = Extract<Node, { kind: Kind }>;

/** A job's graph. */
export interface Topology {
  readonly nodes: readonly Node[];
  readonly sinks: ReadonlyMap<string, Sink<never>>;
}

/** The job is put together in a way that can't run. The message names what and says what to do. */
export class TopologyError extends Error {
  override readonly name = "TopologyError";
}

/** The outputs that a node reads directly. */
export function inputsOf(node: Node): readonly Output[] {
  switch (node.kind) {
    case "source":
      return [];
    case "merge":
      return node.inputs;
    case "keyed":
      // What it reads is named by its keyBys, which stand between.
      return [];
    case "pipe":
    case "flatMapJson":
    case "eventTime":
    case "mapAsync":
    case "keyBy":
    case "sink":
      return [node.input];
  }
}

/** A node that reads an output, and as which of its inputs. */
export interface Consumer {
  readonly node: Node;
  readonly input: number;
}

/** Who reads an output, in order of building; a node that reads it twice comes twice. */
export function consumersOf(topology: Topology, output: Output): readonly Consumer[] {
  return topology.nodes.flatMap((node) =>
    inputsOf(node).flatMap((read, input) =>
      read.node === output.node && read.port === output.port ? [{ node, input }] : []
    )
  );
}

/**
 * Checks that a topology can run.
 *
 * @throws {TopologyError} if there is no source or no sink, a name is used twice or missing, a source is never read or a
 * sink never fed
 */
export function checkTopology(jobName: string, topology: Topology): void {
  const fail = (what: string): never => {
    throw new TopologyError(`Cannot build job "${jobName}": ${what}`);
  };
  const { nodes, sinks } = topology;
  const sources = nodes.filter((node) => node.kind === "source");
  if (sources.length === 0) fail("it has no source: declare at least one in sources");
  if (sinks.size === 0) fail("it has no sink: declare at least one in sinks");

  const names = new Map<string, string>();
  for (const node of nodes) {
    if (node.kind !== "source" && node.kind !== "keyed" && node.kind !== "mapAsync") continue;
    const what = node.kind === "source"
      ? "a source"
      : node.kind === "keyed"
      ? "a keyed operator"
      : "a mapAsync";
    if (typeof node.name !== "string" || node.name === "") {
      fail(`${what} has no name: it needs one that stays the same over versions of the job`);
    }
    const other = names.get(node.name);
    if (other !== undefined) {
      fail(`the name "${node.name}" is used twice, by ${other} and by ${what}: give each its own`);
    }
    names.set(node.name, what);
  }
  for (const source of sources) {
    if (consumersOf(topology, { node: source.id, port: "main" }).length === 0) {
      fail(`source "${source.name}" is never read: use its stream, or take it out of sources`);
    }
  }
  const fed = new Set(nodes.flatMap((node) => node.kind === "sink" ? [node.name] : []));
  for (const name of sinks.keys()) {
    if (!fed.has(name)) {
      fail(
        `sink "${name}" is never fed: end a stream with to(sinks.${name}), or take it out of sinks`,
      );
    }
  }
}
