/**
 * What stands around the operators of a stage on one worker, and what each of its actors gets of them.
 *
 * @module
 */

import type { Emit } from "../../operators/fused.ts";
import type { RestoredStage } from "../checkpoint/worker_snapshot.ts";
import type { Clock } from "../clock.ts";
import type { NodeId, Topology } from "../topology.ts";
import type { Outside } from "./async_operator.ts";
import type { BatchFunction, Decoding } from "./batch_function.ts";
import type { BroadcastOutput } from "./broadcast_output.ts";
import type { EdgeOutput } from "./edge_output.ts";
import type { Failures } from "./failures.ts";
import type { Gate } from "./gate.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { SinkPort } from "./sink_port.ts";
import type { OwnedChain } from "./stage_functions.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** What a stage's operators are connected to. */
export interface StageSurroundings {
  readonly topology: Topology;
  readonly clock: Clock;
  readonly queue: TurnQueue;
  readonly failures: Failures;
  readonly outside: Outside;
  readonly cursor: RecordCursor;
  /** By the node of the cut: the way out of this worker. */
  readonly edges: ReadonlyMap<NodeId, EdgeOutput | BroadcastOutput>;
  readonly sinks: ReadonlyMap<string, SinkPort>;
  /** The sink of dead letters, if the job has one: every stage feeds it. */
  readonly deadLetters: SinkPort | undefined;
  /** Closed when the job has failed: no record is touched after the one that failed it. */
  readonly halted: Gate;
  /** What the stage was at the checkpoint that the job starts from. */
  readonly restored: RestoredStage | undefined;
}

/** An actor's own functions. */
export interface Chain {
  readonly next: Emit<unknown>;
  /** The same for the head's side outputs, in order; undefined for one that nobody reads. */
  readonly sides: readonly (Emit<unknown> | undefined)[];
  /** Handles rows of a batch as a whole where that is cheaper; with the same outcome. */
  readonly batch: BatchFunction;
  /**
   * The actor's input is over: what is inside goes on, then the operators complete, unless the job
   * stops (`final` is false), and are let go.
   */
  end(final: boolean): void;
  /** Lets go of all operators now. */
  close(): void;
}

/** A chain while it is compiled. Nodes that are reached twice, over a merge, are compiled once. */
export interface Compiling {
  readonly domain: string;
  readonly owner: string | number;
  /** What comes after each mapAsync, by its name. */
  readonly answers: Map<string, Emit<unknown>>;
  readonly owned: OwnedChain[];
  readonly compiled: Map<NodeId, Emit<unknown>>;
  /** What decodes batches, if it is the head or its only consumer, and what comes after it. */
  decoding: Decoding | undefined;
}
