import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LoadWatch } from "../../../runtime/supervisor/load_watch.ts";
import type { WorkerReport } from "../../../runtime/worker/protocol.ts";

/** A worker's report: key groups with busy time, rows, and rows waiting. */
function report(
  worker: number,
  busyMs: number,
  groups: readonly (readonly [group: number, busyMs: number, rows: number, waiting: number])[],
  ageMs: number,
): WorkerReport {
  const column = (at: 1 | 2 | 3) => Float64Array.from(groups, (of) => of[at]);
  return {
    ...{ worker, sources: {}, stages: {}, sinks: {}, deadLetters: 0, cpuMs: busyMs / 2 },
    load: {
      ...{ busyMs, backPressuredMs: busyMs / 10, runQueueMs: -1, ageMs },
      stages: {
        sum: {
          groups: Uint16Array.from(groups, ([group]) => group),
          ...{ busyMs: column(1), rows: column(2), waiting: column(3), oldestMs: column(3) },
          bytes: 100,
          hotKeys: [{ key: "ann", group: 0, share: 0.25 }],
        },
      },
    },
  };
}

const around = { routing: [0, 0, 1], underWay: "nothing" } as const;

describe("LoadWatch", () => {
  it("tells what workers did between two looks", () => {
    const watch = new LoadWatch();
    const first = [
      report(0, 100, [[0, 40, 10, 0], [1, 50, 20, 0]], 4000),
      report(1, 10, [[2, 5, 5, 0]], 700),
    ];
    assertEquals(watch.look(first, { ...around, at: 1000 }), undefined);
    const second = [
      { ...report(0, 700, [[0, 340, 40, 7], [1, 60, 30, 0]], 5000), gcShare: 0.25 },
      report(1, 20, [[2, 9, 6, 1]], 1700),
    ];
    const load = watch.look(second, { ...around, at: 2000 });
    assertEquals([load?.at, load?.intervalMs, load?.underWay], [2000, 1000, "nothing"]);
    assertEquals(
      load?.workers.map(({ worker, busyMs, cpuMs, backPressuredMs, runQueueMs }) => [
        ...[worker, busyMs, cpuMs, backPressuredMs, runQueueMs],
      ]),
      [[0, 600, 300, 60, -1], [1, 10, 5, 1, -1]],
    );
    assertEquals(load?.workers.map(({ gcShare }) => gcShare), [0.25, 0]);
    assertEquals(
      load?.groups.map(({ worker, busyMs, rows, waiting }) => [worker, busyMs, rows, waiting]),
      [[0, 300, 30, 7], [0, 10, 10, 0], [1, 4, 1, 1]],
    );
    // A quarter of all 40 rows since then are 10 of the group's 30.
    assertEquals(load?.groups[0]?.keys, [{ stage: "sum", key: "ann", share: 1 / 3 }]);
  });

  it("counts a group that has come meanwhile from its beginning there", () => {
    const watch = new LoadWatch();
    watch.look([report(0, 1, [[0, 40, 10, 0]], 1), report(1, 1, [], 1)], { ...around, at: 1 });
    const load = watch.look(
      [report(0, 2, [], 2), report(1, 2, [[0, 3, 2, 0]], 2)],
      { ...around, routing: [1], at: 2 },
    );
    assertEquals(load?.groups.map(({ worker, busyMs, rows }) => [worker, busyMs, rows]), [[
      1,
      3,
      2,
    ]]);
  });

  it("waits for who answers late, and counts what was done for the time that it took", () => {
    const watch = new LoadWatch();
    const look = (at: number, ...ages: number[]) => {
      // Each is half busy.
      const reports = ages.map((age, worker) =>
        report(worker, age / 2, [[worker, age / 2, age, 0]], age)
      );
      const load = watch.look(reports, { ...around, at });
      return load === undefined ? undefined : [
        load.intervalMs,
        ...load.workers.map(({ busyMs }) => Math.round(busyMs)),
        ...load.groups.slice(0, 2).map(({ rows }) => Math.round(rows)),
      ];
    };
    assertEquals(look(1000, 900, 950), undefined);
    assertEquals(look(2000, 1900, 950), undefined);
    assertEquals(look(3000, 2900, 2550), [2000, 1000, 1000, 2000, 2000]);
    assertEquals(look(4000, 3100, 3550), [1000, 500, 500, 1000, 1000]);
    // Another worker has the number now.
    assertEquals(look(5000, 4000, 30), undefined);
    assertEquals(look(6000, 5000, 1030), [1000, 500, 500, 1000, 1000]);
  });

  it("waits until all have reported twice, and begins anew with an attempt", () => {
    const watch = new LoadWatch();
    const look = (at: number, ...workers: number[]) =>
      watch.look(workers.map((worker) => report(worker, at, [], at)), { ...around, at });
    assertEquals(look(1, 0), undefined);
    assertEquals(look(2, 0, 1), undefined);
    assertEquals(look(3, 0, 1)?.workers.length, 2);
    watch.reset();
    assertEquals(look(4, 0, 1), undefined);
  });
});
