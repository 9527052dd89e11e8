import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import type { LoadView } from "../../../runtime/scaling/demand.ts";
import type { MovePlan } from "../../../runtime/scaling/layout.ts";
import {
  freeWorkers,
  leavingWorkers,
  planBalance,
  planDrain,
  planSpread,
} from "../../../runtime/scaling/placement.ts";
import { group, loadOf } from "./loads.ts";

const anyMay = () => true;

/** Any number of workers and key groups, as skewed as can be. */
function randomLoad(seed: number): LoadView {
  const random = seededRandom(seed);
  const workers = 2 + Math.floor(random() * 7);
  const count = 8 + Math.floor(random() * 120);
  const skew = 1 + random() * 8;
  const groups = Array.from(
    { length: count },
    (_, index) =>
      group(index, Math.floor(random() ** 2 * workers), random() ** skew, {
        bytes: Math.floor(random() * 1e6),
      }),
  );
  return loadOf(workers, groups, { worker: { overhead: random() * 0.1 } });
}

/** The loads once a plan has been carried out; it must be one that can be. */
function carriedOut(load: LoadView, { moves }: MovePlan, workers: readonly number[]) {
  const at = new Map(load.groups.map(({ group, worker }) => [group, worker]));
  for (const { group, from, to } of moves) {
    assertEquals(at.get(group), from);
    assert(from !== to && workers.includes(to), `key group ${group} to ${to}`);
    at.set(group, to);
  }
  assertEquals(new Set(moves.map(({ group }) => group)).size, moves.length);
  const loads = new Map(workers.map((worker) => [worker, 0]));
  for (const { worker, overhead } of load.workers) loads.set(worker, overhead);
  for (const { group, cores } of load.groups) {
    const worker = at.get(group) ?? -1;
    loads.set(worker, (loads.get(worker) ?? 0) + cores);
  }
  return loads;
}

const numbers = (load: LoadView) => load.workers.map(({ worker }) => worker);

describe("planBalance()", () => {
  it("moves each key group once at most, between workers there are, and never adds to the largest load", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const load = randomLoad(seed);
      const plan = planBalance(load, anyMay);
      const after = Math.max(...carriedOut(load, plan, numbers(load)).values());
      assertAlmostEquals(after, plan.maxAfter, 1e-9, `seed ${seed}`);
      assert(after <= plan.maxBefore + 1e-9, `seed ${seed}: ${plan.maxBefore} to ${after}`);
      assert(plan.aboveAfter <= plan.aboveBefore + 1e-9, `seed ${seed}`);
    }
  });

  it("has nothing left to do when it is done", () => {
    let again = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const load = randomLoad(seed);
      const to = new Map(planBalance(load, anyMay).moves.map(({ group, to }) => [group, to]));
      const moved = load.groups.map((each) => ({
        ...each,
        worker: to.get(each.group) ?? each.worker,
      }));
      const { overhead = 0 } = load.workers[0] ?? {};
      const { moves, aboveBefore, aboveAfter } = planBalance(
        loadOf(load.workers.length, moved, { worker: { overhead } }),
        anyMay,
      );
      if (moves.length > 0 && aboveAfter < 0.9 * aboveBefore) again++;
    }
    assert(again <= 5, `${again} of 100 could be evened out further`);
  });

  it("evens many small key groups out, though no single move is worth it", () => {
    const groups = Array.from({ length: 512 }, (_, index) => group(index, 0, 4 / 512));
    const load = loadOf(8, groups);
    const plan = planBalance(load, anyMay);
    assert(plan.maxAfter <= 0.5 * 1.05 + 1e-9, `${plan.maxAfter}`);
    assert(plan.moves.length <= 448);
  });

  it("isolates a key group that is more than a share, and does not move it", () => {
    const groups = [
      group(0, 0, 0.8),
      ...Array.from({ length: 20 }, (_, index) => group(index + 1, index % 2, 0.04)),
    ];
    const plan = planBalance(loadOf(3, groups), anyMay);
    const loads = carriedOut(loadOf(3, groups), plan, [0, 1, 2]);
    assert(!plan.moves.some(({ group }) => group === 0));
    assertAlmostEquals(loads.get(0) ?? NaN, 0.8);
    assertAlmostEquals(loads.get(1) ?? NaN, 0.4);
  });

  it("keeps it where it is though it would fit best elsewhere", () => {
    const others = Array.from({ length: 10 }, (_, index) => group(index + 1, 0, 0.04));
    const { moves } = planBalance(loadOf(2, [group(0, 0, 0.5), ...others]), anyMay);
    assert(moves.length > 0 && !moves.some(({ group }) => group === 0));
  });

  it("moves nothing that would make the other worker the worse", () => {
    const load = loadOf(2, [group(0, 0, 0.5), group(1, 0, 0.4), group(2, 1, 0.6)]);
    assertEquals(planBalance(load, anyMay).moves, []);
  });

  it("parts two that are on one worker", () => {
    const load = loadOf(3, [group(0, 0, 0.8), group(1, 0, 0.9), group(2, 1, 0.1)]);
    assertEquals(planBalance(load, anyMay).moves.map(({ group, to }) => [group, to]), [[0, 2]]);
  });

  it("deals anew where large key groups are in each other's way", () => {
    // Neither 0.5 nor 0.4 fits anywhere as it stands.
    const groups = [
      group(0, 0, 0.5),
      group(1, 0, 0.4),
      ...[1, 2].flatMap((worker) => [0, 1].map((i) => group(2 * worker + i, worker, 0.3))),
    ];
    const plan = planBalance(loadOf(3, groups), anyMay);
    assert(plan.maxAfter <= 0.81, `${plan.maxAfter}`);
  });

  it("leaves key groups where they are that may not move", () => {
    const groups = Array.from({ length: 10 }, (_, index) => group(index, 0, 0.1));
    const plan = planBalance(loadOf(2, groups), ({ group }) => group < 2);
    assertEquals(plan.moves.map(({ group }) => group).sort(), [0, 1]);
  });

  it("moves the one with less state among equals", () => {
    const groups = [5, 3, 9, 4].map((bytes, index) => group(index, 0, 0.1, { bytes }));
    const { moves, bytes } = planBalance(loadOf(2, groups), anyMay);
    assertEquals([moves.map(({ group }) => group).sort(), bytes], [[1, 3], 7]);
  });
});

describe("planSpread()", () => {
  it("fills new workers to their share at once", () => {
    const groups = Array.from({ length: 128 }, (_, index) => group(index, 0, 4.5 / 128));
    const load = loadOf(1, groups);
    const added = freeWorkers(load, 6);
    const loads = carriedOut(load, planSpread(load, added), [0, ...added]);
    assert(Math.max(...loads.values()) <= 4.5 / 7 * 1.1, `${[...loads.values()]}`);
  });

  it("begins with what relieves most", () => {
    const load = loadOf(1, [0.1, 0.4, 0.2, 0.3].map((cores, index) => group(index, 0, cores)));
    const moved = planSpread(load, [1]).moves.map(({ cores }) => cores);
    assertEquals(moved, moved.toSorted((a, b) => b - a));
    assert(moved.length > 1);
  });
});

describe("planDrain()", () => {
  it("takes everything away from workers that leave, to the others", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const load = randomLoad(seed);
      const leaving = leavingWorkers(load, Math.floor(load.workers.length / 2));
      const staying = numbers(load).filter((worker) => !leaving.includes(worker));
      const loads = carriedOut(load, planDrain(load, leaving), [...staying]);
      for (const worker of leaving) {
        const { overhead = NaN } = load.workers.find((each) => each.worker === worker) ?? {};
        assertAlmostEquals(loads.get(worker) ?? NaN, overhead);
      }
      // LPT: no worker is above the mean by more than the largest that came.
      const orphans = load.groups.filter(({ worker }) => leaving.includes(worker));
      const largest = Math.max(0, ...orphans.map(({ cores }) => cores));
      const before = staying.map((worker) => load.workers[worker]?.load ?? 0);
      const total = staying.reduce((sum, worker) => sum + (loads.get(worker) ?? 0), 0);
      const most = Math.max(...staying.map((worker) => loads.get(worker) ?? 0));
      assert(most <= Math.max(...before, total / staying.length + largest) + 1e-9, `seed ${seed}`);
    }
  });

  it("begins with the least state, and counts what else those workers did", () => {
    const groups = [9, 3, 5].map((bytes, index) => group(index, 1, 0.1, { bytes }));
    const plan = planDrain(loadOf(2, groups, { worker: { overhead: 0.1 } }), [1]);
    assertEquals(plan.moves.map(({ bytes }) => bytes), [3, 5, 9]);
    assertAlmostEquals(plan.maxAfter, 0.5);
  });
});

describe("numbers of workers", () => {
  const load = loadOf(4, [group(0, 0, 0.3), group(1, 1, 0.1), group(2, 2, 0.2), group(3, 3, 0.1)]);

  it("that leave are the highest, whatever they have to do, so that no number is missing", () => {
    assertEquals(leavingWorkers(load, 2), [3, 2]);
    const workers = load.workers.toReversed();
    assertEquals(leavingWorkers({ ...load, workers }, 3), [3, 2, 1]);
  });

  it("are taken where they are free", () => {
    const workers = load.workers.filter(({ worker }) => worker !== 1);
    assertEquals(freeWorkers({ ...load, workers }, 3), [1, 4, 5]);
  });
});
