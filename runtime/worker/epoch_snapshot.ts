/**
 * A worker's part of a checkpoint while it comes together: what its stages were when the barrier passed them, and the
 * word of its sinks that everything before it is written.
 *
 * A stage's part is taken at the barrier and encoded later, a little between turns; meanwhile the stage goes on, and
 * whatever it changes is read before (copy on write, `state/state_changes.ts`).
 *
 * ```
 *  collecting ──all stages, and read──> encoded ──all sinks──> handed over ──committed──> (gone)
 *      │                                   │                       │
 *      └──────────────────── aborted ──────┴───────────────────────┴──> what it had counts as changed again
 * ```
 *
 * @module
 */

import type {
  ShardSnapshot,
  SnapshotChunk,
  StageSnapshot,
  WorkerSnapshot,
} from "../checkpoint/worker_snapshot.ts";
import type { Cancel, Clock } from "../clock.ts";
import { SNAPSHOT_KEYS_PER_STEP } from "../limits.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import type { StateChanges, StateChunk } from "../state/state_changes.ts";

/** Where it stands. */
type Phase = "collecting" | "encoded" | "handed over" | "aborted";

/** One epoch on one worker. */
export class EpochSnapshot {
  readonly epoch: number;
  readonly #clock: Clock;
  readonly #done: (snapshot: WorkerSnapshot) => void;
  readonly #failed: (error: unknown) => void;
  readonly #passed: () => void;
  /** Stages that have not reached the barrier. */
  readonly #missing: Set<string>;
  readonly #stages: StageSnapshot[] = [];
  readonly #changes = new Map<string, StateChanges>();
  readonly #sinks: Record<string, unknown> = {};
  readonly #startedAt: number;
  #shards: readonly ShardSnapshot[] = [];
  #sinksLeft: number;
  #alignMs = 0;
  #stopMs = 0;
  #phase: Phase = "collecting";
  #cancelStep: Cancel | undefined;

  constructor(options: {
    epoch: number;
    /** All stages of the worker, those of sources as well. */
    stages: readonly string[];
    sinks: number;
    clock: Clock;
    done: (snapshot: WorkerSnapshot) => void;
    /** The snapshot can't be made: a value can't be encoded, or a sink can't write. */
    failed: (error: unknown) => void;
    /** The barrier has passed all stages. */
    passed: () => void;
  }) {
    this.epoch = options.epoch;
    this.#missing = new Set(options.stages);
    this.#sinksLeft = options.sinks;
    this.#clock = options.clock;
    this.#done = options.done;
    this.#failed = options.failed;
    this.#passed = options.passed;
    this.#startedAt = options.clock.monotonic();
  }

  /** Whether a stage's part is still to come. */
  lacks(stage: string): boolean {
    return this.#missing.has(stage);
  }

  /** Shards of a source stage, with its other part. */
  source(shards: readonly ShardSnapshot[], stage: StageSnapshot): void {
    this.#shards = [...this.#shards, ...shards];
    this.#reached(stage);
  }

  /** A keyed stage has reached the barrier: its part, and what of its keys has changed as of now. */
  stage(stage: StageSnapshot, state: KeyedState, alignMs: number): void {
    if (this.#phase === "aborted") return;
    const from = this.#clock.monotonic();
    this.#changes.set(stage.name, state.takeChanges());
    this.#stopMs = Math.max(this.#stopMs, this.#clock.monotonic() - from);
    this.#alignMs = Math.max(this.#alignMs, alignMs);
    this.#reached({ ...stage, timers: state.timers });
  }

  /** A sink has everything before the barrier; `prepared` is what it needs to commit it. */
  sink(name: string, prepared: unknown): void {
    if (prepared !== undefined) this.#sinks[name] = prepared;
    this.#sinksLeft--;
    this.#mayFinish();
  }

  /** The checkpoint is there for good. */
  committed(): void {
    for (const changes of this.#changes.values()) changes.committed();
  }

  /** There will be no checkpoint. */
  aborted(): void {
    this.#phase = "aborted";
    this.#cancelStep?.();
    for (const changes of this.#changes.values()) changes.aborted();
    this.#changes.clear();
  }

  #reached(stage: StageSnapshot): void {
    if (this.#phase === "aborted" || !this.#missing.delete(stage.name)) return;
    this.#stages.push(stage);
    if (this.#missing.size === 0) this.#passed();
    this.#encodeLater();
  }

  #encodeLater(): void {
    this.#cancelStep ??= this.#clock.defer(() => {
      this.#cancelStep = undefined;
      if (this.#phase !== "collecting") return;
      try {
        this.#encode();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #encode(): void {
    for (const changes of this.#changes.values()) {
      if (!changes.step(SNAPSHOT_KEYS_PER_STEP)) return this.#encodeLater();
    }
    if (this.#missing.size > 0) return;
    this.#phase = "encoded";
    this.#mayFinish();
  }

  #mayFinish(): void {
    if (this.#phase !== "encoded" || this.#sinksLeft > 0) return;
    this.#phase = "handed over";
    const { bytes, chunks } = joined(this.#changes);
    this.#done({
      epoch: this.epoch,
      bytes,
      chunks,
      wholes: [...this.#changes].flatMap(([operator, { isWhole }]) => isWhole ? [operator] : []),
      shards: this.#shards,
      stages: this.#stages,
      sinks: this.#sinks,
      figures: {
        alignMs: this.#alignMs,
        stopMs: this.#stopMs,
        totalMs: this.#clock.monotonic() - this.#startedAt,
      },
    });
  }
}

/** All chunks of all stages one after the other. */
function joined(
  changes: ReadonlyMap<string, StateChanges>,
): { bytes: Uint8Array<ArrayBuffer>; chunks: SnapshotChunk[] } {
  const all: [operator: string, chunk: StateChunk][] = [...changes].flatMap(([operator, of]) =>
    of.chunks.map((chunk): [string, StateChunk] => [operator, chunk])
  );
  const length = all.reduce((sum, [, { bytes }]) => sum + bytes.length, 0);
  const bytes = new Uint8Array(length);
  let offset = 0;
  const chunks = all.map(([operator, chunk]): SnapshotChunk => {
    const { group, keys, deleted, isBase } = chunk;
    bytes.set(chunk.bytes, offset);
    const at = offset;
    offset += chunk.bytes.length;
    return { operator, group, offset: at, length: chunk.bytes.length, keys, deleted, isBase };
  });
  return { bytes, chunks };
}
