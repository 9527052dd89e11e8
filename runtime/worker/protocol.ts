/**
 * The worker protocol: all that a worker and its host say to each other, and workers among themselves. Plain data with
 * a version, so that a host may be the supervisor, the in-process scheduler of tests, or another engine at the far end
 * of a socket.
 *
 * ```
 * host                      worker
 *  │ <──────────── hello ───── │   speaks this version
 *  │ ── describe ────────────> │   imports the job, builds and checks its topology
 *  │ <──────────── reply ───── │   its plan
 *  │ ── discover ────────────> │   (any time) lists a source's shards
 *  │ ── open ────────────────> │   opens sinks and stages, links to the other workers
 *  │ ── openShard ───────────> │   reads a shard from a position
 *  │ <──────── shardEnded ──── │   read to its end
 *  │ ── releaseShard ────────> │   who goes on in its place
 *  │ <───── shardReleased ──── │   all workers have heard
 *  │ ── closeShard ──────────> │   (any time) another worker is to read on
 *  │ <─────── shardClosed ──── │   where it stands; all that came of it has arrived
 *  │ ── shardMoved ──────────> │   another worker reads it: `adoptShard` to that one
 *  │ ── endSource ───────────> │   no shard of it will be opened any more
 *  │ ── barrier ─────────────> │   cuts the streams of its shards into before and after
 *  │ <──────────── snapshot ── │   what its stages were at the barrier
 *  │ ── committed, aborted ──> │   whether the checkpoint is there for good
 *  │ ── stop ────────────────> │   reads no further; what was read is still processed
 *  │ <───────────── ended ──── │   every stage has ended, every sink is flushed
 *  │ ── close ───────────────> │   lets go of everything
 *  │ ── report ──────────────> │   (any time) its counters
 *  │ <── reports, dead letters, log lines, failure (any time)
 * ```
 *
 * @module
 */

import type { AwsSettings, Shard } from "../../connectors/source.ts";
import type {
  RestoredWorker,
  ShardTime,
  StageSnapshot,
  WorkerSnapshot,
} from "../checkpoint/worker_snapshot.ts";
import type { DeadLetter, ErrorPolicy } from "../dead_letter.ts";
import type { HeapMemory } from "../heap_memory.ts";
import type { LogFields, LogLevel } from "../logger.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { SentKeys } from "../state/group_copy.ts";
import type { WatermarkEvent } from "../time/watermark.ts";
import type { EncodedDecodedRows } from "../transport/decoded_rows.ts";
import type { EncodedRows } from "../transport/row_batch.ts";
import type { StageLoad } from "./stage_load.ts";

/** Raised with every change to a message. */
export const PROTOCOL_VERSION = 5;

/** What a worker needs to build the job. */
export interface JobSettings {
  /** Where the job's module is; in-process hosts hand the job over instead. */
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly aws: AwsSettings;
  /** When the job was first started, ms since the epoch. */
  readonly startedAt: number;
  /** Log lines below are not sent. */
  readonly logLevel: LogLevel;
}

/** Where a worker stands among the others. */
export interface Placement {
  /** This worker's number, from 0. */
  readonly worker: number;
  readonly workers: number;
  /** How many there may be while the job runs. */
  readonly slots: number;
  /** The worker of each key group. */
  readonly routing: readonly number[];
  /** The shards of each source that will be read from the start, on whichever worker: watermarks wait for them. */
  readonly shards: Readonly<Record<string, readonly string[]>>;
}

/** A key group that goes from one worker to another, with the keys of all stages. */
export interface GroupMove {
  readonly group: number;
  readonly from: number;
  readonly to: number;
}

/** What was copied ahead of a move. */
export interface CopyFigures {
  readonly keys: number;
  readonly bytes: number;
}

/** What a hand-over was for one worker. */
export interface HandOverFigures extends CopyFigures {
  /** The longest stop of a key group that has come here: from the barrier there to its first turn here, ms. */
  readonly pauseMs: number;
}

/** A shard whose worker has stopped reading it, for another one to go on. */
export interface ClosedShard {
  /** Behind the last row that was handled; undefined if none was, and the source's options say where to start. */
  readonly position: string | undefined;
  /** When that was, ms since the epoch. */
  readonly closedAt: number;
  readonly time: ShardTime;
}

/** What a host asks; every one is answered by a reply with its `id`. */
export type Request =
  | { readonly type: "describe"; readonly job: JobSettings }
  | { readonly type: "discover"; readonly source: string }
  | {
    readonly type: "open";
    readonly placement: Placement;
    /** The link to each other worker; a MessagePort, or what the host uses for one. Not there for itself. */
    readonly links: readonly unknown[];
    /** The worker's part of the checkpoint that the job starts from. */
    readonly restored: RestoredWorker | undefined;
    /** Whether checkpoints are taken: then transactional sinks show nothing before its checkpoint is there. */
    readonly checkpoints: boolean;
  }
  /** Opens the sinks of a worker that will join: what takes time is done before the others wait for it. */
  | { readonly type: "prepare"; readonly worker: number }
  /** Another worker will join: the link to it. */
  | { readonly type: "connect"; readonly worker: number; readonly link: unknown }
  /**
   * Takes part no more: for a worker without key groups and shards. What it has put out is written and arrives first; false
   * if some of that waits for a checkpoint, and so must the worker.
   */
  | { readonly type: "leave" }
  /** What the stages are after the last one has ended: the snapshot of a job that was stopped. */
  | { readonly type: "lastSnapshot"; readonly epoch: number }
  /** Answered when sinks have committed all that they were told to; one that can't is a failure. */
  | { readonly type: "commits" }
  /** Keys of these groups will come, copied ahead. */
  | { readonly type: "expectGroups"; readonly move: number; readonly groups: readonly number[] }
  /** Copies groups ahead to other workers; answered when all has arrived there. */
  | { readonly type: "copyGroups"; readonly move: number; readonly moves: readonly GroupMove[] }
  /** Reads on where another worker has stopped. Answered when it does, with how long nobody did. */
  | {
    readonly type: "adoptShard";
    readonly source: string;
    readonly shard: string;
    readonly closed: ClosedShard;
  }
  | { readonly type: "close" };

/** What a host tells. */
export type Command =
  | {
    readonly type: "openShard";
    readonly source: string;
    readonly shard: string;
    readonly after: string | undefined;
  }
  | {
    readonly type: "releaseShard";
    readonly source: string;
    readonly shard: string;
    /** The shards that go on where it ended. */
    readonly successors: readonly string[];
  }
  /** Stops reading a shard where it stands; answered by `shardClosed`. Until `shardMoved` it stays in this worker's snapshots. */
  | { readonly type: "closeShard"; readonly source: string; readonly shard: string }
  /** A shard that was closed here is read by another worker from now on. */
  | { readonly type: "shardMoved"; readonly source: string; readonly shard: string }
  | { readonly type: "endSource"; readonly source: string }
  /** The job was first started then, and goes on from a checkpoint: said before shards are listed. */
  | { readonly type: "startedAt"; readonly at: number }
  /** Its answer is a snapshot, once the barrier has come through all its stages. */
  | { readonly type: "barrier"; readonly epoch: number }
  /** The checkpoint of the barrier is there for good. */
  | { readonly type: "committed"; readonly epoch: number }
  /** There will be no checkpoint of the barrier: what its snapshot has counts as changed again. */
  | { readonly type: "aborted"; readonly epoch: number }
  /**
   * A barrier that hands key groups over: behind it their records go to their new workers. What has been copied ahead is
   * completed by what has changed since.
   */
  | { readonly type: "handOver"; readonly epoch: number; readonly moves: readonly GroupMove[] }
  /** A barrier from which on another worker takes part; it is connected already. */
  | { readonly type: "join"; readonly epoch: number; readonly worker: number }
  /** A worker takes part no more. */
  | { readonly type: "left"; readonly worker: number }
  /** What was copied ahead is not handed over. */
  | { readonly type: "abandonMove" }
  /** `drain`: as if the input were over: operators complete, and timers fire. */
  | { readonly type: "stop"; readonly drain: boolean }
  /** Asks for a report now. */
  | { readonly type: "report" }
  /** Asks for a sign of life. */
  | { readonly type: "ping" };

/** Host to worker. */
export type HostMessage = Command | {
  readonly type: "request";
  readonly id: number;
  readonly request: Request;
};

/** The answers to requests. */
export interface Replies {
  describe: JobPlan;
  discover: readonly Shard[];
  open: undefined;
  prepare: undefined;
  connect: undefined;
  leave: boolean;
  lastSnapshot: WorkerSnapshot;
  commits: undefined;
  expectGroups: undefined;
  copyGroups: CopyFigures;
  adoptShard: { readonly pauseMs: number };
  close: undefined;
}

/** An error in a form that can be sent. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** Counters of one worker since it was opened, and what it holds now. */
export interface WorkerReport {
  readonly worker: number;
  /** By source: records and bytes read, shards being read, how far the furthest behind is (ms; -1 unknown). */
  readonly sources: Readonly<
    Record<string, { records: number; bytes: number; shards: number; lagMs: number }>
  >;
  /** By keyed stage: rows handled, rows waiting in mailboxes, keys with state or timers, event-time clock. */
  readonly stages: Readonly<
    Record<string, { rows: number; waiting: number; keys: number; watermark: number }>
  >;
  /** By sink: rows handed over, rows not yet written for good. */
  readonly sinks: Readonly<Record<string, { rows: number; pending: number }>>;
  readonly deadLetters: number;
  /** CPU time of the worker's thread since it started, ms; -1 where the system doesn't tell. */
  readonly cpuMs: number;
  /** The heap of the worker's thread; in process, that of all. */
  readonly heap?: HeapMemory;
  /** Part of its thread's time that goes into garbage collection, 0 to 1; -1 where the runtime doesn't tell. */
  readonly gcShare?: number;
  /** What its key groups cost. */
  readonly load?: LoadReport;
}

/** What a worker's time goes into. All but the ages count up from when it was opened. */
export interface LoadReport {
  /** Time within turns, ms. */
  readonly busyMs: number;
  /** Time in which there was work but no room behind, ms. */
  readonly backPressuredMs: number;
  /** Time in which its thread could have run, but had no core, ms; -1 where the system doesn't tell. */
  readonly runQueueMs: number;
  /** Since it was opened, ms. */
  readonly ageMs: number;
  /** By keyed stage. */
  readonly stages: Readonly<Record<string, StageLoad>>;
}

/** Worker to host. */
export type WorkerMessage =
  | { readonly type: "hello"; readonly protocol: number }
  | { readonly type: "reply"; readonly id: number; readonly result: Replies[keyof Replies] }
  | { readonly type: "refused"; readonly id: number; readonly error: SentError }
  | {
    readonly type: "shardEnded";
    readonly source: string;
    readonly shard: string;
  }
  /** What was said of its end has arrived on all workers. */
  | {
    readonly type: "shardReleased";
    readonly source: string;
    readonly shard: string;
  }
  /** `closed` is undefined if the shard is not being read here, since it has ended: it stays what it is. */
  | {
    readonly type: "shardClosed";
    readonly source: string;
    readonly shard: string;
    readonly closed: ClosedShard | undefined;
  }
  | { readonly type: "snapshot"; readonly snapshot: WorkerSnapshot }
  /** The worker can't give a snapshot of this epoch; it goes on. */
  | { readonly type: "declined"; readonly epoch: number; readonly error: SentError }
  /** All stages have handed over what leaves, and have what comes. */
  | { readonly type: "handedOver"; readonly epoch: number; readonly figures: HandOverFigures }
  /** What the stages were at the barrier at which another worker joins. */
  | {
    readonly type: "joined";
    readonly epoch: number;
    readonly stages: readonly StageSnapshot[];
  }
  | { readonly type: "ended" }
  | { readonly type: "pong" }
  | { readonly type: "report"; readonly report: WorkerReport }
  | { readonly type: "deadLetters"; readonly letters: readonly DeadLetter[] }
  | {
    readonly type: "log";
    readonly level: LogLevel;
    readonly message: string;
    readonly fields: LogFields;
  }
  | {
    readonly type: "failure";
    readonly error: SentError;
    /** What the job's policy makes of it. */
    readonly policy: Exclude<ErrorPolicy, "resume">;
  };

/** Worker to worker, over a link; most are about one edge, named by its number in the plan. */
export type PeerMessage =
  | {
    readonly type: "rows";
    readonly edge: number;
    readonly rows: EncodedRows | EncodedDecodedRows;
  }
  | {
    readonly type: "watermark";
    readonly edge: number;
    readonly origin: string;
    readonly event: WatermarkEvent;
  }
  /** Everything before it belongs to the epoch, everything behind it to the next. */
  | { readonly type: "barrier"; readonly edge: number; readonly epoch: number }
  /** Nothing more comes over this channel. `final`: because the input is over, not because the job stops. */
  | { readonly type: "end"; readonly edge: number; readonly final: boolean }
  | {
    readonly type: "credit";
    readonly edge: number;
    readonly rows: number;
    readonly bytes: number;
  }
  /** Keys of groups that are to move, ahead of their hand-over. */
  | {
    readonly type: "keys";
    readonly move: number;
    readonly stage: string;
    readonly keys: SentKeys;
  }
  /** What has changed of groups since they were copied: they are the receiver's now. */
  | {
    readonly type: "rest";
    readonly epoch: number;
    readonly stage: string;
    readonly groups: readonly number[];
    /** Those of them whose operators have completed. */
    readonly completed: readonly number[];
    /** When the barrier passed, ms since the epoch. */
    readonly passedAt: number;
    readonly keys: SentKeys;
  }
  /** About all edges: answered by `settled` at once, and so after all that came before. */
  | { readonly type: "settle"; readonly id: number }
  | { readonly type: "settled"; readonly id: number };

/** One end of a connection: what is posted comes out at the other, in order. */
export interface Port<Out, In> {
  post(message: Out, transfer?: Transferable[]): void;
  /** Called for each message; set once. */
  onMessage(listener: (message: In) => void): void;
  close(): void;
}

/** A worker's connection to another worker: several messages go together. */
export type Link = Port<readonly PeerMessage[], readonly PeerMessage[]>;

/** An error as it can be sent. */
export function sentError(error: unknown): SentError {
  if (error instanceof Error) {
    return { name: error.name, message: error.message, stack: error.stack };
  }
  return { name: "Error", message: String(error), stack: undefined };
}

/** An error as it was sent. */
export function receivedError({ name, message, stack }: SentError): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
