/**
 * The actors of a keyed stage on one worker, each with its chain, and the marks that all of them must reach: a mark passes
 * when every actor has handled what came before it.
 *
 * @module
 */

import type { PartitionActor, StageMark } from "./partition_actor.ts";
import { plantedBugs } from "../testing/planted_bugs.ts";
import type { Chain } from "./stage_chain.ts";

/** Actors by key group, and those of no group. */
export class StageActors {
  readonly #chains = new Map<PartitionActor, Chain>();
  /** By key group; those of other workers are not there. */
  readonly #byGroup: (PartitionActor | undefined)[];
  /** Stands beside the groups, if the stage has a broadcast input. */
  #broadcast: PartitionActor | undefined;
  readonly #marks: StageMark[] = [];
  readonly #line: (actor: PartitionActor) => void;

  /** @param line an actor has something to do */
  constructor(groups: number, line: (actor: PartitionActor) => void) {
    this.#byGroup = new Array(groups).fill(undefined);
    this.#line = line;
  }

  [Symbol.iterator](): Iterator<PartitionActor> {
    return this.#chains.keys();
  }

  /** With their chains. */
  get chains(): Iterable<[PartitionActor, Chain]> {
    return this.#chains;
  }

  /** The actor of a key group. */
  at(group: number): PartitionActor | undefined {
    return this.#byGroup[group];
  }

  /** @param group undefined for one that stands beside the groups */
  add(actor: PartitionActor, chain: Chain, group: number | undefined): void {
    this.#chains.set(actor, chain);
    if (group === undefined) this.#broadcast = actor;
    else this.#byGroup[group] = actor;
  }

  /** The actor's group has gone to another worker. Its mailbox is empty. */
  remove(actor: PartitionActor): void {
    this.#chains.get(actor)?.close();
    this.#chains.delete(actor);
    this.#byGroup[actor.group] = undefined;
  }

  /** Calls `pass` when every actor has handled what came before, and its timers up to `watermark` if that moves. */
  mark(watermark: number | undefined, pass: () => void): void {
    const broadcast = watermark === undefined ? undefined : this.#broadcast;
    const mark: StageMark = { watermark, broadcast: undefined, waiting: 0, pass };
    if (broadcast !== undefined) {
      const isIdle = broadcast.first === undefined && !broadcast.awaited;
      mark.broadcast = isIdle ? "handled" : "unhandled";
    }
    for (const actor of this.#chains.keys()) {
      if (actor === broadcast) continue;
      const hasTimers = watermark !== undefined && actor.timers.nextAt <= watermark;
      const isAwaited = actor.awaited && !plantedBugs.has("watermark of a moved group ahead");
      if (actor.first === undefined && !isAwaited && (!hasTimers || actor.awaited)) {
        actor.watermark = watermark ?? actor.watermark;
      } else {
        mark.waiting++;
        actor.push({ kind: "mark", mark });
        this.#line(actor);
      }
    }
    if (broadcast !== undefined) this.#markBroadcast(broadcast, mark);
    this.#marks.push(mark);
    this.#passMarks();
  }

  /** It comes to the mark after its records before it, and goes on when the others have come to it. */
  #markBroadcast(broadcast: PartitionActor, mark: StageMark): void {
    if (mark.broadcast === "handled" && mark.waiting === 0) {
      broadcast.watermark = mark.watermark ?? broadcast.watermark;
      return;
    }
    mark.waiting++;
    broadcast.push({ kind: "mark", mark });
    this.#line(broadcast);
  }

  /** An actor has come to a mark. */
  reached(mark: StageMark): void {
    mark.waiting--;
    if (mark.waiting === 0) this.#passMarks();
    else if (mark.waiting === 1 && this.#broadcast !== undefined) this.#line(this.#broadcast);
  }

  #passMarks(): void {
    while (this.#marks[0]?.waiting === 0) this.#marks.shift()?.pass();
  }
}
