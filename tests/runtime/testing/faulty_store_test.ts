import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { partsOfManifest } from "../../../runtime/checkpoint/catalogue.ts";
import { encodeManifest } from "../../../runtime/checkpoint/manifest_codec.ts";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { CheckpointStoreError } from "../../../runtime/checkpoint/store.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { EventTrace } from "../../../runtime/testing/event_trace.ts";
import { type Fault, FaultPlan } from "../../../runtime/testing/fault_plan.ts";
import { faultyStore } from "../../../runtime/testing/faulty_store.ts";
import { checkpointOn } from "../checkpoint/sample_checkpoint.ts";
import { storeContext } from "../checkpoint/store_suite.ts";

/** What has become of a write with one fault, for the first seed with which it strikes. */
async function written(fault: Fault) {
  for (let seed = 1;; seed++) {
    const torn: number[] = [];
    const random = seededRandom(seed);
    const inner = memoryStore();
    const store = faultyStore(inner, {
      faults: new FaultPlan(random, [fault]),
      random,
      trace: new EventTrace(() => 0),
      torn: (id) => torn.push(id),
      isSafe: () => true,
    });
    const context = storeContext({ partsOf: partsOfManifest });
    const [open, looked] = [await store.open(context), await inner.open(context)];
    const { manifest, parts } = checkpointOn(undefined, 1);
    const bytes = encodeManifest(manifest);
    try {
      await open.write({ id: 1, manifest: bytes, parts });
    } catch (error) {
      const ids = await looked.list();
      const isWhole = ids.length > 0 &&
        String(await looked.readManifest(1)) === String(bytes) &&
        (await Promise.all(
          parts.map(async ({ name, bytes }) =>
            String(await looked.readPart(name)) === String(bytes)
          ),
        )).every((same) => same);
      return { error, ids, isWhole, torn };
    }
  }
}

describe("faultyStore()", () => {
  it("fails before anything is there, or after all is", async () => {
    const failed = await written("store fails");
    assertEquals([failed.ids, failed.torn], [[], []]);
    const lost = await written("answer of store lost");
    assertEquals([lost.ids, lost.isWhole, lost.torn], [[1], true, []]);
    await assertRejects(() => Promise.reject(lost.error), CheckpointStoreError, "Simulated fault");
  });

  it("leaves a checkpoint damaged, and says so", async () => {
    const { ids, isWhole, torn } = await written("store tears");
    assertEquals([ids, isWhole, torn], [[1], false, [1]]);
  });
});
