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
import type { BroadcastContext } from "./broadcast.ts";
import { DEAD_LETTERS } from "./dead_letter.ts";
import type { Key } from "./key.ts";
import type { SideSpecs } from "./side.ts";
import type { KeyHash } from "./state/key_group.ts";
import type { StateSpecs } from "./state/state.ts";
import type { ActorContext, AsyncContext, Emits, KeyedContext } from "./stream.ts";

/** A node's number, in order of building: inputs come before what they feed. */
export type NodeId = number;

/** Which output of a node: `invalid` is the second one of a flatMapJson, `side:NAME` a side output. */
export type OutputPort = "main" | "invalid" | `side:${string}`;

/** An output of a node. */
export interface Output {
  readonly node: NodeId;
  readonly port: OutputPort;
}

/** A handler of a keyed operator, with its types forgotten. */
export type Handler = (value: unknown, context: KeyedContext<Key, StateSpecs>) => Emits<unknown>;
/** A timer handler, with its types forgotten. */
export type TimerHandler = (name: string, context: KeyedContext<Key, StateSpecs>) => Emits<unknown>;

/** A handler of broadcast records, with its types forgotten. */
export type BroadcastHandler = (
  value: unknown,
  context: BroadcastContext<Key, StateSpecs, StateSpecs, SideSpecs, unknown>,
) => Emits<unknown>;

/** Handlers over the state of a key. */
export interface KeyedHandlers {
  readonly state: StateSpecs;
  /** One a keyed input. */
  readonly handlers: readonly Handler[];
  readonly onTimer: TimerHandler | undefined;
  /** Names of side outputs; none unless said. */
  readonly sides?: readonly string[];
}

/** What a keyed stage runs. */
export type KeyedOperator =
  | KeyedHandlers & { readonly kind: "handlers" }
  | KeyedHandlers & {
    readonly kind: "broadcast";
    /** State of which every worker has a copy. */
    readonly broadcast: StateSpecs;
    readonly onBroadcast: BroadcastHandler;
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
    /** Undefined: times stay as they are. */
    readonly timestamp: ((value: unknown) => number) | undefined;
    readonly outOfOrdernessMs: number;
    readonly idleAfterMs: number | undefined;
    /** Watermarks from timestamps, none at all, or what a record says. */
    readonly watermark:
      | "bounded"
      | "none"
      | ((value: unknown, timestamp: number) => number | undefined);
    readonly emitEveryMs: number | undefined;
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
    readonly hash: KeyHash;
  }
  /** Stands between a stream and the keyed operator to all workers of which it goes. */
  | { readonly kind: "broadcast"; readonly id: NodeId; readonly input: Output }
  | {
    readonly kind: "keyed";
    readonly id: NodeId;
    readonly name: string;
    /** The cuts that feed it: a keyBy, and a second keyBy or a broadcast for a connected stream. */
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
    case "broadcast":
    case "sink":
      return [node.input];
  }
}

/** The outputs that a node has. */
export function outputsOf(node: Node): readonly Output[] {
  const main: Output = { node: node.id, port: "main" };
  if (node.kind === "flatMapJson") return [main, { node: node.id, port: "invalid" }];
  if (node.kind !== "keyed") return [main];
  return [main, ...sidesOf(node.operator).map((name) => sideOutput(node.id, name))];
}

/** The names of an operator's side outputs, in order. */
export function sidesOf(operator: KeyedOperator): readonly string[] {
  const has = operator.kind === "handlers" || operator.kind === "broadcast";
  return has ? operator.sides ?? [] : [];
}

/** A side output of a node. */
export function sideOutput(node: NodeId, name: string): Output {
  return { node, port: `side:${name}` };
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
  const operators = nodes.flatMap((node) => node.kind === "keyed" ? [node.name] : []);
  checkOrigins(sources.map(({ name }) => name), operators, fail);
  const fed = new Set(nodes.flatMap((node) => node.kind === "sink" ? [node.name] : []));
  for (const name of sinks.keys()) {
    if (name === DEAD_LETTERS) {
      fail(`no sink can be named "${name}", which is that of deadLetters: give it another name`);
    }
    if (!fed.has(name)) {
      fail(
        `sink "${name}" is never fed: end a stream with to(sinks.${name}), or take it out of sinks`,
      );
    }
  }
}

/**
 * Watermarks and checkpoints know a shard as `source/shard` and a worker's part of an operator as `operator@worker`: no
 * name may read like either.
 */
function checkOrigins(
  sources: readonly string[],
  operators: readonly string[],
  fail: (what: string) => never,
): void {
  for (const name of [...sources, ...operators]) {
    const source = sources.find((source) => name.startsWith(`${source}/`));
    if (source === undefined) continue;
    fail(
      `the name "${name}" reads like that of a shard of source "${source}": let it not begin with "${source}/"`,
    );
  }
  for (const name of sources) {
    if (!/@\d+$/.test(name)) continue;
    fail(
      `source "${name}" is named like a worker's part of an operator: let it not end in "@" and a number`,
    );
  }
}
