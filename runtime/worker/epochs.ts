/**
 * The epochs of a worker whose checkpoint is not decided, and what becomes of them.
 *
 * @module
 */

import type { WorkerSnapshot } from "../checkpoint/worker_snapshot.ts";
import type { Clock } from "../clock.ts";
import { EpochSnapshot } from "./epoch_snapshot.ts";
import { sentError, type WorkerMessage } from "./protocol.ts";
import type { SinkPort } from "./sink_port.ts";

/** What epochs are made of. */
export interface EpochsOptions {
  /** All stages of the worker. */
  readonly stages: readonly string[];
  readonly sinks: readonly SinkPort[];
  readonly deadLetters: SinkPort | undefined;
  readonly clock: Clock;
  readonly tell: (message: WorkerMessage, transfer?: Transferable[]) => void;
  /** A sink can't go on. */
  readonly failed: (error: unknown) => void;
}

/** Snapshots that are made, or wait for the host's word. */
export class Epochs {
  readonly #options: EpochsOptions;
  readonly #snapshots = new Map<number, EpochSnapshot>();
  #commits: Promise<unknown> = Promise.resolve();

  constructor(options: EpochsOptions) {
    this.#options = options;
  }

  /** Resolves when all that sinks were told to commit is. */
  get commits(): Promise<unknown> {
    return this.#commits;
  }

  /** The snapshot of an epoch: begun by the supervisor's word, without which no stage passes a barrier. */
  of(epoch: number): EpochSnapshot {
    const { tell } = this.#options;
    return this.#snapshots.get(epoch) ?? this.begin(
      epoch,
      (snapshot) => tell({ type: "snapshot", snapshot }, [snapshot.bytes.buffer]),
      (error) => tell({ type: "declined", epoch, error: sentError(error) }),
    );
  }

  /** Begins a snapshot. */
  begin(
    epoch: number,
    done: (snapshot: WorkerSnapshot) => void,
    failed: (error: unknown) => void,
  ): EpochSnapshot {
    const { stages, sinks, deadLetters, clock } = this.#options;
    const snapshot = new EpochSnapshot({
      epoch,
      stages,
      sinks: sinks.length + (deadLetters === undefined ? 0 : 1),
      clock,
      done,
      failed,
      // Every stage has passed: all letters of what came before are there.
      passed: () => void deadLetters?.finishEpoch(epoch).catch(this.#options.failed),
    });
    this.#snapshots.set(epoch, snapshot);
    for (const sink of sinks) sink.expect(epoch);
    return snapshot;
  }

  /** A sink has everything before an epoch's barrier. */
  written(epoch: number, sink: string, prepared: unknown): void {
    this.#snapshots.get(epoch)?.sink(sink, prepared);
  }

  /** Those that lack a stage's part. */
  lacking(stage: string): readonly EpochSnapshot[] {
    return [...this.#snapshots.values()].filter((snapshot) => snapshot.lacks(stage));
  }

  /** The checkpoint of an epoch is there for good. */
  committed(epoch: number): void {
    for (const [other, snapshot] of this.#snapshots) {
      if (other > epoch) continue;
      if (other === epoch) snapshot.committed();
      this.#snapshots.delete(other);
    }
    const { sinks, deadLetters, failed } = this.#options;
    const all = deadLetters === undefined ? sinks : [...sinks, deadLetters];
    this.#commits = Promise.all([this.#commits, ...all.map((sink) => sink.commit(epoch))])
      .catch(failed);
  }

  /** There will be no checkpoint. The snapshot stays until a later one: stages still ask for it at its barrier. */
  aborted(epoch: number): void {
    this.#snapshots.get(epoch)?.aborted();
  }
}
