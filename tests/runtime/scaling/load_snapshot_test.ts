import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { groupLoads } from "../../../runtime/scaling/load_snapshot.ts";
import { stageGroupLoad } from "./loads.ts";

describe("groupLoads()", () => {
  it("adds stages up, and takes the oldest row of all", () => {
    const stages = [
      stageGroupLoad({ busyMs: 10, rows: 3, waiting: 1, oldestMs: 40, bytes: 5 }),
      stageGroupLoad({ stage: "alert", busyMs: 20, rows: 4, waiting: 2, oldestMs: 30, bytes: 6 }),
    ];
    assertEquals(groupLoads([3], stages), [
      { group: 0, worker: 3, busyMs: 30, rows: 7, waiting: 3, oldestMs: 40, bytes: 11, keys: [] },
    ]);
  });

  it("has every key group of the table, and what moved on the worker that has it now", () => {
    const loads = groupLoads([0, 1], [
      stageGroupLoad({ group: 1, busyMs: 5 }),
      stageGroupLoad({ group: 1, busyMs: 7 }),
    ]);
    assertEquals(loads.map(({ worker, busyMs }) => [worker, busyMs]), [[0, 0], [1, 12]]);
  });

  it("names the hottest keys by their share of the time, over stages", () => {
    const key = (key: string, share: number) => ({ key, share });
    const [load] = groupLoads([0], [
      stageGroupLoad({ busyMs: 90, keys: [key("a", 0.5), key("b", 0.2), key("c", 0.1)] }),
      stageGroupLoad({ stage: "alert", busyMs: 10, keys: [key("d", 1), key("e", 0.1)] }),
    ]);
    assertEquals(load?.keys.map(({ stage, key, share }) => [stage, key, share]), [
      ["sum", "a", 0.45],
      ["sum", "b", 0.18],
      ["alert", "d", 0.1],
    ]);
  });
});
