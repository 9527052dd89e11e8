import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type MailboxEntry, PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { fc } from "../../deps.ts";

const entry = (watermark: number): MailboxEntry => ({
  kind: "mark",
  mark: { watermark, broadcast: undefined, waiting: 0, pass() {} },
});
const numberOf = (entry: MailboxEntry | undefined) =>
  entry?.kind === "mark" ? entry.mark.watermark : undefined;

describe("PartitionActor", () => {
  it("starts with nothing", () => {
    const actor = new PartitionActor(7);
    assertEquals([actor.group, actor.timers.size, actor.watermark], [7, 0, -Infinity]);
    assertStrictEquals(actor.first, undefined);
  });

  it("takes its mailbox in order, however it fills and empties", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -200, max: 200 }), { maxLength: 20 }), (steps) => {
        const actor = new PartitionActor(0);
        const model: number[] = [];
        let number = 0;
        for (const step of steps) {
          for (let pushed = 0; pushed < step; pushed++) {
            actor.push(entry(number));
            model.push(number++);
          }
          for (let left = -step; left > 0 && model.length > 0; left--) {
            assertEquals(numberOf(actor.first), model.shift());
            actor.shift();
          }
          assertEquals(numberOf(actor.first), model[0]);
        }
      }),
      { numRuns: 50 },
    );
  });
});
