import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LoadModel } from "../../../runtime/scaling/load_model.ts";
import { groupLoad, snapshot, workerLoad } from "./loads.ts";

const second = (at: number) => ({ at: at * 1000 });

describe("LoadModel", () => {
  it("has half of what is new after three seconds, however often it looks", () => {
    for (const intervalMs of [250, 1000]) {
      const model = new LoadModel();
      const busy = (busyMs: number) =>
        snapshot({
          intervalMs,
          workers: [workerLoad({ cpuMs: busyMs, busyMs })],
          groups: [groupLoad({ busyMs, rows: 100 })],
        });
      model.observe(busy(0));
      let load = model.observe(busy(0.8 * intervalMs));
      for (let i = 1; i < 3000 / intervalMs; i++) load = model.observe(busy(0.8 * intervalMs));
      assertAlmostEquals(load.cores, 0.4, 1e-9);
      assertAlmostEquals(load.coresNow, 0.8, 1e-9);
    }
  });

  it("takes time in which the thread had no core out of turns", () => {
    const load = new LoadModel().observe(snapshot({
      workers: [workerLoad({ cpuMs: 400, busyMs: 800 })],
      groups: [groupLoad({ busyMs: 600, rows: 1 })],
    }));
    assertAlmostEquals(load.groups[0]?.cores ?? NaN, 0.3);
    assertAlmostEquals(load.workers[0]?.overhead ?? NaN, 0.1);
  });

  it("goes by busy time where CPU time is not known", () => {
    const load = new LoadModel().observe(snapshot({
      workers: [workerLoad({ cpuMs: -1, busyMs: 500, runQueueMs: -1 })],
      groups: [groupLoad({ busyMs: 400, rows: 1 })],
    }));
    assertEquals([load.groups[0]?.cores, load.workers[0]?.overhead, load.workers[0]?.starved], [
      0.4,
      0.09999999999999998,
      0,
    ]);
  });

  it("counts rows that came, not those that were handled, and those that wait within 30 s", () => {
    const model = new LoadModel();
    const seen = (at: number, waiting: number) =>
      model.observe(snapshot({
        ...second(at),
        workers: [workerLoad({ cpuMs: 1000, busyMs: 1000 })],
        groups: [groupLoad({ busyMs: 1000, rows: 1000, waiting })],
      }));
    assertAlmostEquals(seen(1, 0).coresNow, 1);
    // 1000 handled, 3000 more than before wait: four cores' worth, and 3 s of work in 30 s.
    assertAlmostEquals(seen(2, 3000).coresNow, 4.1);
    assertAlmostEquals(seen(3, 3000).coresNow, 1.1);
  });

  it("knows what a key group needs that got no turn", () => {
    const model = new LoadModel();
    const seen = (rows: number, busyMs: number, waiting: number) =>
      model.observe(snapshot({
        workers: [workerLoad({ cpuMs: busyMs, busyMs })],
        groups: [groupLoad({ rows, busyMs, waiting })],
      })).groups[0]?.cores;
    assertEquals(seen(100, 500, 0), 0.5);
    assertEquals(seen(0, 0, 100), 0.5);
  });

  describe("of a job whose sources fall behind", () => {
    /** Cores after three seconds in which the lag grows by `growth` ms a ms. */
    function coresAt(growth: number, cpuMs: number, groups = [0.5, 0.5]): number {
      const model = new LoadModel();
      let cores = 0;
      for (let at = 0; at <= 20; at++) {
        cores = model.observe(snapshot({
          ...second(at),
          lagMs: Math.max(0, 1_000_000 + growth * at * 1000),
          workers: [workerLoad({ cpuMs, busyMs: cpuMs })],
          groups: groups.map((share, group) =>
            groupLoad({ group, busyMs: share * cpuMs, rows: 10 })
          ),
        })).coresNow;
      }
      return cores;
    }

    it("counts what the sources leave for later, and as much again to catch up", () => {
      assertAlmostEquals(coresAt(0.5, 1000), 4, 0.01);
      assertAlmostEquals(coresAt(0, 1000), 2, 0.01);
    });

    it("counts what comes, not what is caught up", () => {
      assertAlmostEquals(coresAt(-1, 1000), 1, 0.01);
    });

    it("does not while workers have time left: cores are not what is missing", () => {
      assertAlmostEquals(coresAt(0.5, 500), 0.5, 0.01);
    });

    it("does not where one key group takes all of a worker's time: more workers would not help", () => {
      assertAlmostEquals(coresAt(0.5, 1000, [0.9, 0.1]), 1, 0.01);
    });

    it("believes no more than four times of what gets done", () => {
      assertAlmostEquals(coresAt(50, 1000), 8, 0.01);
    });
  });

  it("forgets the overhead of workers that are gone", () => {
    const model = new LoadModel();
    const busy = [0, 1].map((worker) => workerLoad({ worker, cpuMs: 500, busyMs: 500 }));
    model.observe(snapshot({ workers: busy }));
    model.observe(snapshot({ workers: busy.slice(0, 1) }));
    const load = model.observe(snapshot({ workers: [workerLoad(), workerLoad({ worker: 1 })] }));
    assertEquals(load.workers[1]?.overhead, 0);
  });
});
