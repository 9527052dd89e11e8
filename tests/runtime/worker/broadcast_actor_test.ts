import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RowBatch } from "../../../runtime/transport/row_batch.ts";
import { BroadcastActor } from "../../../runtime/worker/broadcast_actor.ts";
import { InboundChannel } from "../../../runtime/worker/channel.ts";

describe("BroadcastActor", () => {
  it("has nothing to go on with while keys are on their way, in a turn or not", () => {
    const actor = new BroadcastActor(() => 0);
    const rows = new RowBatch();
    rows.values.push(1);
    actor.awaited = true;
    actor.accept(rows, 1, new InboundChannel(() => {}));
    assertEquals([actor.next, actor.isBusy], [undefined, false]);
    actor.awaited = false;
    assertEquals([actor.next?.kind, actor.isBusy], ["rows", true]);
  });
});
