/**
 * Key groups on their way between this worker and others: first their keys are copied ahead while turns go on, then they
 * are handed over at a barrier (`hand_over.ts`). The supervisor has one move under way at a time, and no checkpoint beside
 * it.
 *
 * @module
 */

import { type Clock, delay } from "../clock.ts";
import { GROUP_KEYS_PER_STEP } from "../limits.ts";
import { forgetGroups, GroupCopy, putSent } from "../state/group_copy.ts";
import { HandOver } from "./hand_over.ts";
import type { KeyedStage } from "./keyed_stage.ts";
import type { CopyFigures, GroupMove, PeerMessage, WorkerMessage } from "./protocol.ts";

/** Slots that are looked at at once before a copy begins. */
const AGED_PER_STEP = 10_000;

/** What other workers say of moves. */
export type MoveMessage = Extract<PeerMessage, { type: "keys" | "rest" }>;

/** What moves work with. */
export interface GroupMovesOptions {
  readonly worker: number;
  readonly stages: readonly KeyedStage[];
  readonly clock: Clock;
  readonly send: (to: number, message: PeerMessage, movable: ArrayBuffer[]) => void;
  /** Calls `then` when what a stage has put out so far can't be overtaken any more. */
  readonly settle: (stage: KeyedStage, then: () => void) => void;
  /** Resolves when a worker has taken all that was sent to it. */
  readonly arrived: (to: number) => Promise<void>;
  readonly tell: (message: WorkerMessage) => void;
  readonly failed: (error: unknown) => void;
}

/** The moves of one worker. */
export class GroupMoves {
  readonly #options: GroupMovesOptions;
  /** The move of which keys are taken; undefined while none is under way. */
  #expected: { readonly move: number; readonly groups: readonly number[] } | undefined;
  /** What is being copied, by stage and worker. */
  #copies = new Map<KeyedStage, Map<number, GroupCopy>>();
  #handOver: HandOver | undefined;
  /** Rests that came before the supervisor's word of their hand-over. */
  #early: Extract<PeerMessage, { type: "rest" }>[] = [];
  #isOver = false;

  constructor(options: GroupMovesOptions) {
    this.#options = options;
  }

  /** The hand-over of an epoch, if that is one. */
  handOver(epoch: number): HandOver | undefined {
    return this.#handOver?.epoch === epoch ? this.#handOver : undefined;
  }

  /** Keys of these groups will come. */
  expect(move: number, groups: readonly number[]): void {
    this.#expected = { move, groups };
    for (const { state } of this.#options.stages) {
      for (const group of groups) state.elsewhere.add(group);
    }
  }

  /**
   * Copies groups to the workers that are to have them, a piece at a time between turns. Resolves when all has arrived.
   *
   * @throws {TypeError} if a content can't be cloned, naming state and key
   */
  async copy(move: number, moves: readonly GroupMove[]): Promise<CopyFigures> {
    const { stages, clock, send, arrived } = this.#options;
    for (const { state } of stages) while (state.changed.age(AGED_PER_STEP)) await this.#turn();
    const begun = this.#copies = new Map(stages.map((stage) => [stage, copiesOf(stage, moves)]));
    let [keys, bytes] = [0, 0];
    for (const [{ name: stage }, copies] of begun) {
      for (const [to, copy] of copies) {
        for (;;) {
          await this.#turn();
          if (this.#isOver || this.#copies !== begun) return { keys, bytes };
          const sent = copy.next(GROUP_KEYS_PER_STEP);
          if (sent === undefined) break;
          if (sent.groups.length === 0) continue;
          keys += sent.groups.length;
          bytes += sent.bytes.length;
          send(to, { type: "keys", move, stage, keys: sent }, [
            sent.groups.buffer,
            sent.bytes.buffer,
          ]);
          // One piece at a time, and as long nothing as that took: rows come before copies, on both workers.
          const sentAt = clock.monotonic();
          await arrived(to);
          await delay(clock, clock.monotonic() - sentAt);
        }
      }
    }
    return { keys, bytes };
  }

  /** The move comes to nothing: what was copied is forgotten, on both sides. */
  abandon(): void {
    this.#copies = new Map();
    const groups = new Set(this.#expected?.groups);
    this.#expected = undefined;
    if (groups.size === 0) return;
    for (const { state } of this.#options.stages) {
      forgetGroups(state, groups, 0, Infinity);
      for (const group of groups) state.elsewhere.delete(group);
    }
  }

  /** The supervisor has said that a barrier hands groups over. */
  begin(epoch: number, moves: readonly GroupMove[]): HandOver {
    const { worker, stages, clock, send, settle, tell, failed } = this.#options;
    this.#expected = undefined;
    const handOver = new HandOver({
      ...{ epoch, worker, moves, stages, clock, send, settle, failed },
      copyOf: (stage, to) => {
        const copy = this.#copyOf(stage, to);
        if (copy !== undefined) return copy;
        throw new Error(`Cannot hand key groups over to worker ${to}: they were not copied ahead`);
      },
      done: (figures) => {
        this.#handOver = undefined;
        this.#copies = new Map();
        tell({ type: "handedOver", epoch, figures });
      },
    });
    this.#handOver = handOver;
    for (const rest of this.#early.splice(0)) handOver.take(rest);
    return handOver;
  }

  /** Another worker has sent keys. */
  take(message: MoveMessage): void {
    if (message.type === "rest") {
      const handOver = this.handOver(message.epoch);
      if (handOver === undefined) this.#early.push(message);
      else handOver.take(message);
      return;
    }
    if (message.move !== this.#expected?.move) return;
    const stage = this.#options.stages.find(({ name }) => name === message.stage);
    if (stage !== undefined) putSent(stage.state, message.keys);
  }

  /** A stage has ended: what is under way of a hand-over passes it now. */
  ended(stage: KeyedStage): void {
    this.#handOver?.stage(stage);
  }

  close(): void {
    this.#isOver = true;
  }

  #copyOf(stage: KeyedStage, to: number): GroupCopy | undefined {
    return this.#copies.get(stage)?.get(to);
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.defer(resolve));
  }
}

/** By worker, the copies of one stage. They begin together: what changes from now on is told by its key group. */
function copiesOf({ state }: KeyedStage, moves: readonly GroupMove[]): Map<number, GroupCopy> {
  state.changed.beginCopy();
  const copies = [...Map.groupBy(moves, ({ to }) => to)].map(([to, of]): [number, GroupCopy] => {
    const groups = new Set(of.map(({ group }) => group));
    return [to, new GroupCopy(state, groups)];
  });
  return new Map(copies);
}
