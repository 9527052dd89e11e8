import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { CheckpointStore } from "../../../runtime/checkpoint/store.ts";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import {
  type KeepCheckpoints,
  openCheckpoints,
} from "../../../runtime/supervisor/open_checkpoints.ts";
import { HandClock } from "../hand_clock.ts";
import { turns } from "../../connectors/event_loop.ts";
import { jobSnapshot, KEYED_PLAN } from "./checkpoint_parts.ts";

/** Random numbers that differ from run to run. */
let runs = 0;

async function opened(keep: KeepCheckpoints) {
  const clock = new HandClock();
  const run = ++runs;
  const coordinator = await openCheckpoints(keep, {
    job: "demo",
    aws: {},
    clock,
    random: () => run / 1000,
    logger: silentLogger,
    startedAt: run,
    failed() {},
  });
  const restored = await coordinator.restore(KEYED_PLAN, [0, 0], 1);
  /** Keeps a checkpoint of this number's position. */
  const keepOne = async () => {
    let epoch = 0;
    coordinator.begin({
      barrier: (of) => (epoch = of) > 0,
      committed() {},
      aborted() {},
    });
    const kept = coordinator.checkpoint();
    coordinator.snapshot(jobSnapshot(epoch, { 0: { put: { a: epoch } } }));
    await kept;
    await turns(1);
    coordinator.end();
    return epoch;
  };
  return { coordinator, restored, keepOne };
}

/** Tells how often a store is open. */
function counting(store: CheckpointStore) {
  const open = { count: 0 };
  const counted: CheckpointStore = {
    ...store,
    async open(context) {
      const inner = await store.open(context);
      open.count++;
      return {
        kind: inner.kind,
        name: inner.name,
        job: inner.job,
        write: (of) => inner.write(of),
        list: () => inner.list(),
        readManifest: (id) => inner.readManifest(id),
        readPart: (name) => inner.readPart(name),
        remove: (id, parts) => inner.remove(id, parts),
        close() {
          open.count--;
          return inner.close();
        },
      };
    },
  };
  return { store: counted, open };
}

describe("openCheckpoints()", () => {
  it("begins with the last checkpoint of the store, or with nothing, and lets go of it when closed", async () => {
    const { store, open } = counting(memoryStore());
    const first = await opened({ store });
    assertEquals([first.restored, open.count], [undefined, 1]);
    for (const _ of [1, 2]) await first.keepOne();
    await first.coordinator.close();
    assertEquals(open.count, 0);
    assertEquals((await opened({ store })).restored?.workers[0]?.epoch, 2);
  });

  it("begins with the checkpoint that was chosen, by number or the newest of another store", async () => {
    const { store, open } = counting(memoryStore("old"));
    const first = await opened({ store });
    for (const _ of [1, 2]) await first.keepOne();
    assertEquals((await opened({ store, from: { id: 1 } })).restored?.workers[0]?.epoch, 1);
    await first.coordinator.close();
    const before = open.count;
    const own = memoryStore("new");
    const moved = await opened({ store: own, from: { store } });
    assertEquals([moved.restored?.workers[0]?.epoch, open.count], [2, before]);
    assertEquals(moved.restored?.workers[0]?.stages["sum"]?.anew, true);
    assertEquals(await moved.keepOne(), 3);
    assertEquals((await opened({ store: own })).restored?.workers[0]?.epoch, 3);
  });

  it("says what is not there, and lets go of the stores", async () => {
    const { store, open } = counting(memoryStore("empty"));
    await assertRejects(
      () => opened({ store, from: {} }),
      Error,
      'Cannot start job "demo" from memory store "empty": it has no checkpoint of this job',
    );
    await assertRejects(() => opened({ store, from: { id: 4 } }), Error, "checkpoint 4");
    assertEquals(open.count, 0);
    const own = counting(memoryStore("own"));
    await assertRejects(
      () => opened({ store: own.store, from: { store } }),
      Error,
      'from memory store "empty"',
    );
    assertEquals([own.open.count, open.count], [0, 0]);
  });

  it("lets go of the store when the other one can't be opened", async () => {
    const { store, open } = counting(memoryStore());
    const broken: CheckpointStore = {
      ...memoryStore("broken"),
      open: () => Promise.reject(new Error("no such bucket")),
    };
    await assertRejects(() => opened({ store, from: { store: broken } }), Error, "no such bucket");
    assertEquals(open.count, 0);
  });

  it("refuses options that are out of range before it opens anything", async () => {
    const { store, open } = counting(memoryStore());
    await assertRejects(() => opened({ store, keep: 0 }), RangeError, "keep 0");
    assertEquals(open.count, 0);
  });
});
