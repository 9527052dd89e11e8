import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { explain, loadFigures, moveCost } from "../../../runtime/scaling/decision.ts";
import { Layout } from "../../../runtime/scaling/layout.ts";
import { group, loadOf } from "./loads.ts";

const load = loadOf(2, [group(0, 0, 0.6, { bytes: 1e6 }), group(1, 0, 0.3), group(2, 1, 0.1)], {
  worker: { backPressured: 0.2, starved: 0.1 },
  oldestMs: 5,
  lagMs: 7,
});
const said = { at: 1000, figures: loadFigures(load), because: "it is so" };
const changed = {
  ...said,
  considered: [
    { what: "2 workers", because: "too few" },
    { what: "4 workers", because: "too many" },
  ],
  moves: [],
  cost: { groups: 12, bytes: 2_500_000, pauseMs: 4.2 },
  maxLoadAfter: 0.5,
};
const key = (key: string, share: number) => ({ stage: "sum", key, share });

describe("explain()", () => {
  it("has what, why, how much, and what else", () => {
    const tail =
      "Moves 12 key groups with 2.5 MB, each pausing at most 5 ms; largest load 0.90 cores, then 0.50 cores. " +
      "Also considered: 2 workers: too few; 4 workers: too many";
    const scaled = { ...changed, policy: "responsive" };
    const lines = [
      explain({ kind: "scale up", ...scaled, from: 2, to: 3, added: [2] }),
      explain({ kind: "scale down", ...scaled, from: 2, to: 1, removed: [1] }),
      explain({ kind: "scale down", ...scaled, from: 4, to: 2, removed: [3, 2] }),
      explain({ kind: "rebalance", ...changed }),
    ];
    assertEquals(lines, [
      `Scale up from 2 to 3 workers (responsive): it is so. ${tail}`,
      `Scale down from 2 to 1 worker (responsive): it is so. Worker 1 goes. ${tail}`,
      `Scale down from 4 to 2 workers (responsive): it is so. Workers 3, 2 go. ${tail}`,
      `Rebalance 2 workers: it is so. ${tail}`,
    ]);
  });

  it("says when nothing moves", () => {
    const cost = { groups: 0, bytes: 0, pauseMs: 0 };
    assertEquals(
      explain({ kind: "rebalance", ...changed, cost, considered: [] }),
      "Rebalance 2 workers: it is so. No key group moves; largest load 0.90 cores, then 0.50 cores",
    );
  });

  it("has why something is not done, and until when", () => {
    const blocked = { kind: "blocked", ...said, what: "scale up", reason: "bounds" } as const;
    assertEquals(explain({ ...blocked, until: undefined }), "No scale up: it is so");
    assertEquals(
      explain({ ...blocked, until: 301_000 }),
      "No scale up: it is so; not before 5 min from now",
    );
    assertEquals(explain({ kind: "stay", ...said }), "No change: it is so");
  });

  it("names the key, or says that no single one is to blame", () => {
    const hot = { kind: "hot key", ...said, group: 7, worker: 2, cores: 0.8 } as const;
    const lines = [
      explain({ ...hot, limits: "balance", keys: [key("ann", 0.5), key("bob", 0.4)] }),
      explain({ ...hot, limits: "throughput", keys: [key("ann", 0.49), key("bob", 0.4)] }),
      explain({ ...hot, limits: "throughput", keys: [] }),
    ];
    assertEquals(lines, [
      'Hot key "ann" of stage "sum": 50 % of the 0.80 cores that key group 7 on worker 2 needs; it is so. ' +
      "Moving key groups does not help, nor is there need while its worker keeps up",
      "Hot key group 7: of the 0.80 cores that key group 7 on worker 2 needs no key has half, most has " +
      '"ann" of stage "sum" (49 %), "bob" of stage "sum" (40 %); it is so. More key groups (maxParallelism) would cut it',
      "Hot key group 7: of the 0.80 cores that key group 7 on worker 2 needs no key has half, no key of it is known; " +
      "it is so. More key groups (maxParallelism) would cut it",
    ]);
  });
});

describe("loadFigures()", () => {
  it("are those of the job, and means of its workers", () => {
    const figures = loadFigures(load);
    assertEquals({ ...figures, cores: Math.round(figures.cores * 100) }, {
      workers: 2,
      cores: 100,
      maxLoad: 0.8999999999999999,
      rowsPerSecond: 1000,
      lagMs: 7,
      oldestMs: 5,
      backPressured: 0.2,
      starved: 0.1,
    });
  });
});

describe("moveCost()", () => {
  it("is the number of key groups, their bytes, and the longest pause", () => {
    const layout = new Layout(load);
    for (const each of layout.groupsOf(0)) layout.move(each, 1);
    assertEquals(moveCost(layout.plan("hottest")), { groups: 2, bytes: 1e6, pauseMs: 12 });
  });
});
