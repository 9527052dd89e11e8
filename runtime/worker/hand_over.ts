/**
 * A worker's part in one hand-over: at a barrier some key groups leave it and others come, stage by stage. Before the
 * barrier a group's records are for its old worker, behind it for the new one; only those of groups under way wait.
 *
 * ```
 *  old worker                                    new worker
 *  the barrier has come over all channels        the barrier has come over all channels
 *  the group's actor leaves                      an actor waits for the group: its records, and marks, stay before it
 *  what was put out is written  ── its rest ──>  it has its keys: the actor takes its turns
 *  its slots are freed
 * ```
 *
 * Both stand at the same cut, so their clocks for the stage agree; the new worker's watermark waits with the marks. As in
 * Megaphone (Hoffmann et al., VLDB 2019) the routing changes at a point of the stream, not at a moment.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { GROUP_KEYS_PER_STEP } from "../limits.ts";
import { forgetGroups, type GroupCopy, putSent } from "../state/group_copy.ts";
import type { KeyedStage } from "./keyed_stage.ts";
import type { GroupMove, HandOverFigures, PeerMessage } from "./protocol.ts";

/** What of a stage's groups is still to come when its barrier has passed. */
export type RestOfGroups = Extract<PeerMessage, { type: "rest" }>;

/** What a hand-over works with. */
export interface HandOverOptions {
  readonly epoch: number;
  readonly worker: number;
  readonly moves: readonly GroupMove[];
  /** Keyed stages of this worker. */
  readonly stages: readonly KeyedStage[];
  readonly clock: Clock;
  /** What has been copied ahead of a stage's groups to a worker. */
  readonly copyOf: (stage: KeyedStage, to: number) => GroupCopy;
  readonly send: (to: number, message: PeerMessage, movable: ArrayBuffer[]) => void;
  /** Calls `then` when what a stage has put out so far can't be overtaken any more. */
  readonly settle: (stage: KeyedStage, then: () => void) => void;
  /** Everything has left, come and been freed. */
  readonly done: (figures: HandOverFigures) => void;
  readonly failed: (error: unknown) => void;
}

/** One hand-over on one worker. */
export class HandOver {
  readonly epoch: number;
  readonly moves: readonly GroupMove[];
  readonly #options: HandOverOptions;
  /** Groups that leave, by worker, and those that come. */
  readonly #leaving: ReadonlyMap<number, readonly number[]>;
  readonly #coming: readonly number[];
  readonly #senders: ReadonlySet<number>;
  /** Stages that have not reached the barrier. */
  readonly #missing: Set<KeyedStage>;
  /** By stage: what came before its barrier had passed here. */
  readonly #early = new Map<string, RestOfGroups[]>();
  /** What is still to be sent and freed, and what is still to come. */
  #left: number;
  #keys = 0;
  #bytes = 0;
  #pauseMs = 0;

  constructor(options: HandOverOptions) {
    const { worker, moves, stages } = options;
    this.epoch = options.epoch;
    this.moves = moves;
    this.#options = options;
    const from = moves.filter((move) => move.from === worker);
    this.#leaving = new Map(
      [...Map.groupBy(from, ({ to }) => to)]
        .map(([to, of]) => [to, of.map(({ group }) => group)]),
    );
    const coming = moves.filter((move) => move.to === worker);
    this.#coming = coming.map(({ group }) => group);
    this.#senders = new Set(coming.map((move) => move.from));
    this.#missing = new Set(stages);
    this.#left = stages.length * (this.#leaving.size + this.#senders.size);
  }

  /** Whether a stage has still to reach the barrier. */
  lacks(stage: KeyedStage): boolean {
    return this.#missing.has(stage);
  }

  /** A stage has reached the barrier: nothing before it is unhandled. */
  stage(stage: KeyedStage): void {
    if (!this.#missing.delete(stage)) return;
    const passedAt = this.#options.clock.now();
    if (this.#coming.length > 0) stage.await(this.#coming);
    for (const [to, groups] of this.#leaving) {
      const completed = stage.leave(groups);
      // What the groups have put out must not be overtaken by what they put out there.
      this.#options.settle(stage, () => this.#send(stage, to, { groups, completed, passedAt }));
    }
    for (const rest of this.#early.get(stage.name) ?? []) this.#take(stage, rest);
    this.#mayEnd();
  }

  /** The rest of groups has come from another worker. */
  take(rest: RestOfGroups): void {
    const stage = this.#options.stages.find(({ name }) => name === rest.stage);
    if (stage === undefined) {
      throw new Error(`Cannot take key groups of stage "${rest.stage}": there is no such stage`);
    }
    if (!this.lacks(stage)) return this.#take(stage, rest);
    const early = this.#early.get(rest.stage) ?? [];
    this.#early.set(rest.stage, [...early, rest]);
  }

  #take(stage: KeyedStage, { groups, keys, completed, passedAt }: RestOfGroups): void {
    putSent(stage.state, keys);
    stage.arrive(groups, completed);
    this.#pauseMs = Math.max(this.#pauseMs, this.#options.clock.now() - passedAt);
    this.#passed();
  }

  #send(
    stage: KeyedStage,
    to: number,
    of: { groups: readonly number[]; completed: readonly number[]; passedAt: number },
  ): void {
    try {
      const keys = this.#options.copyOf(stage, to).rest();
      this.#keys += keys.groups.length;
      this.#bytes += keys.bytes.length;
      const transfer = [keys.groups.buffer, keys.bytes.buffer];
      const { name } = stage;
      this.#options.send(
        to,
        { type: "rest", epoch: this.epoch, stage: name, keys, ...of },
        transfer,
      );
      this.#free(stage, new Set(of.groups), 0);
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #free(stage: KeyedStage, groups: ReadonlySet<number>, from: number): void {
    const next = forgetGroups(stage.state, groups, from, GROUP_KEYS_PER_STEP);
    if (next !== undefined) {
      this.#options.clock.defer(() => this.#free(stage, groups, next));
      return;
    }
    for (const group of groups) stage.state.elsewhere.delete(group);
    this.#passed();
  }

  #passed(): void {
    this.#left--;
    this.#mayEnd();
  }

  #mayEnd(): void {
    if (this.#left > 0 || this.#missing.size > 0) return;
    this.#left = Infinity;
    this.#options.done({ pauseMs: this.#pauseMs, keys: this.#keys, bytes: this.#bytes });
  }
}
