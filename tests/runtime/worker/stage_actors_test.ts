import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { StageActors } from "../../../runtime/worker/stage_actors.ts";
import type { Chain } from "../../../runtime/worker/stage_chain.ts";

/** Actors of two key groups of four, and what becomes of marks and chains. */
function staged() {
  const log: string[] = [];
  const stage = new StageActors(4, (actor) => log.push(`${actor.group} in line`));
  const chain = (group: number): Chain => ({
    next: () => {},
    sides: [],
    batch: () => 0,
    end: () => {},
    close: () => void log.push(`${group} closed`),
  });
  const actors = [0, 1].map((group) => new PartitionActor(group));
  for (const actor of actors) stage.add(actor, chain(actor.group), actor.group);
  const mark = (name: string, watermark?: number) =>
    stage.mark(watermark, () => log.push(`${name} passes`));
  /** The actor comes to the mark that stands first in its mailbox. */
  const come = (actor: PartitionActor | undefined) => {
    const entry = actor?.first;
    if (entry?.kind !== "mark") throw new Error("There is no mark");
    actor?.shift();
    stage.reached(entry.mark);
  };
  return { stage, chain, actors, log, mark, come };
}

describe("StageActors", () => {
  it("has actors by key group, and those that stand beside the groups for all else", () => {
    const { stage, chain, actors } = staged();
    const beside = new PartitionActor(-1);
    stage.add(beside, chain(-1), undefined);
    assertEquals([0, 1, 2, 3].map((group) => stage.at(group)), [...actors, undefined, undefined]);
    assertEquals([...stage], [...actors, beside]);
  });

  it("lets a mark pass at once where no actor has anything to do before it", () => {
    const { actors, log, mark } = staged();
    mark("watermark", 5);
    mark("barrier");
    assertEquals(log, ["watermark passes", "barrier passes"]);
    assertEquals(actors.map(({ watermark }) => watermark), [5, 5]);
  });

  it("waits for the actors that have, and lets none overtake it", () => {
    const { actors: [busy, idle], log, mark, come } = staged();
    busy?.timers.set(0, "due", 3);
    mark("watermark", 5);
    assertEquals([log, idle?.watermark], [["0 in line"], 5]);
    mark("barrier");
    assertEquals(log, ["0 in line", "0 in line"]);
    idle?.timers.set(1, "due", 6);
    mark("later", 9);
    come(idle);
    assertEquals(log.filter((line) => line.endsWith("passes")), []);
    come(busy);
    come(busy);
    assertEquals(log.slice(4), ["watermark passes", "barrier passes"]);
    come(busy);
    assertEquals(log.slice(6), ["later passes"]);
  });

  it("waits for an actor whose keys are awaited, though its mailbox is empty", () => {
    const { actors: [awaited], log, mark, come } = staged();
    if (awaited !== undefined) awaited.awaited = true;
    mark("barrier");
    assertEquals(log, ["0 in line"]);
    come(awaited);
    assertEquals(log.slice(1), ["barrier passes"]);
  });

  it("closes what goes with a group that has left, and waits for its actor no more", () => {
    const { stage, actors: [gone, left], log, mark } = staged();
    if (gone === undefined) throw new Error("There is no actor");
    gone.timers.set(0, "due", 3);
    stage.remove(gone);
    assertEquals([log, stage.at(0), [...stage]], [["0 closed"], undefined, [left]]);
    mark("watermark", 5);
    assertEquals(log.slice(1), ["watermark passes"]);
  });
});
