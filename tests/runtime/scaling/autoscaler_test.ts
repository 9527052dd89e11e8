import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Autoscaler, SAY_AGAIN_MS } from "../../../runtime/scaling/autoscaler.ts";
import { explain, type ScalingDecision } from "../../../runtime/scaling/decision.ts";
import type { LoadSnapshot } from "../../../runtime/scaling/load_snapshot.ts";
import type { ScalingOptions } from "../../../runtime/scaling/scaling_options.ts";
import { groupLoad, snapshot, workerLoad } from "./loads.ts";

const machine = { cores: 8, keyGroups: 64 };

/** A job of which every worker is as busy as is said, whatever is decided, and that gets what is decided. */
class Fed {
  readonly #scaler: Autoscaler;
  #at = 0;
  #since: number[];
  #more: Partial<LoadSnapshot> = {};
  readonly log: ScalingDecision[] = [];

  constructor(options: ScalingOptions, workers = 1) {
    this.#scaler = new Autoscaler(options, machine);
    this.#since = new Array<number>(workers).fill(-60_000);
  }

  get workers(): number {
    return this.#since.length;
  }

  with(more: Partial<LoadSnapshot>): this {
    this.#more = more;
    return this;
  }

  /** Each worker as busy, all together so many rows. */
  seconds(count: number, busy: number, rows: number): readonly ScalingDecision[] {
    const from = this.log.length;
    for (let i = 0; i < count; i++) {
      this.#at += 1000;
      const workers = this.#since.map((since, worker) =>
        workerLoad({ worker, cpuMs: busy * 1000, busyMs: busy * 1000, ageMs: this.#at - since })
      );
      const groups = Array.from({ length: 64 }, (_, group) =>
        groupLoad({
          group,
          worker: group % this.workers,
          busyMs: busy * 1000 * this.workers / 64,
          rows: rows / 64,
        }));
      const seen = snapshot({ at: this.#at, workers, groups, ...this.#more });
      for (const decision of this.#scaler.decide(seen)) {
        this.log.push(decision);
        if (decision.kind === "scale up") {
          this.#since.push(...decision.added.map(() => this.#at));
        } else if (decision.kind === "scale down") {
          this.#since.splice(decision.to);
        }
      }
    }
    return this.log.slice(from).filter(({ kind }) => kind !== "stay");
  }
}

describe("Autoscaler", () => {
  it("decides to stay, with the figures, where nothing is to be done", () => {
    const job = new Fed({});
    job.seconds(1, 0.5, 640);
    const [decision] = job.log;
    assert(decision?.kind === "stay" && job.log.length === 1);
    assertEquals(decision.figures, {
      workers: 1,
      cores: 0.5,
      maxLoad: 0.5,
      rowsPerSecond: 640,
      lagMs: -1,
      oldestMs: 0,
      backPressured: 0,
      starved: 0,
    });
    assertEquals(explain(decision), "No change: demand of 0.50 cores is 50 % of 1 worker");
  });

  it("stops adding workers for five minutes when the last ones did not help", () => {
    const job = new Fed({ maxWorkers: 7 });
    const [up] = job.seconds(6, 1, 1000);
    assert(up?.kind === "scale up" && up.to === 2);
    const [blocked, ...more] = job.seconds(10, 1, 1010);
    assert(blocked?.kind === "blocked" && blocked.reason === "did not help");
    assertEquals(more, []);
    assertEquals(
      explain(blocked),
      "No scale up: the scale-up from 1 to 2 workers 5 s ago did not help: 1000 rows/s before, 1009 rows/s now, " +
        "where 1685 rows/s were expected; not before 5 min from now",
    );
    const until = blocked.until ?? NaN;
    const later = job.seconds(320, 1, 1010);
    const again = later.find(({ kind }) => kind === "scale up");
    assert(again !== undefined && again.at >= until && again.at < until + 5000);
  });

  it("judges workers from when they are there, and not those that never came", () => {
    const said = (came: boolean, helped: boolean) => {
      const scaler = new Autoscaler({ maxWorkers: 3 }, { cores: 9, keyGroups: 64 });
      const log: ScalingDecision[] = [];
      for (let second = 1; second <= 30; second++) {
        const workers = came && second > 20 ? 2 : 1;
        const isStarting = came && second > 5 && second <= 20;
        const rows = helped ? 20 * workers : 20;
        log.push(...scaler.decide(snapshot({
          ...{ at: second * 1000, underWay: isStarting ? "hand-over" : "nothing" },
          workers: Array.from(
            { length: workers },
            (_, worker) => workerLoad({ worker, cpuMs: 1000, busyMs: 1000, ageMs: 60_000 }),
          ),
          groups: Array.from(
            { length: 64 },
            (_, group) =>
              groupLoad({ group, worker: group % workers, busyMs: 1000 * workers / 64, rows }),
          ),
        })));
      }
      return log.filter(({ kind }) => kind !== "stay").map(explain);
    };
    assertEquals(said(true, true).some((line) => line.includes("did not help")), false);
    const idle = said(true, false).filter((line) => line.includes("did not help"));
    assertEquals(idle.length, 1);
    assertStringIncludes(idle[0] ?? "", "the scale-up from 1 to 2 workers 5 s ago did not help");
    // What never came is asked for again and again.
    const never = said(false, false);
    assert(never.length > 2 && never.every((line) => line.startsWith("Scale up from 1 to 2")));
  });

  it("adds workers again at once when the last ones helped", () => {
    const job = new Fed({ maxWorkers: 7 });
    const kinds = [1000, 2000, 3000, 4000].flatMap((rows) => job.seconds(6, 1, rows));
    assert(kinds.every(({ kind }) => kind === "scale up"), kinds.map(explain).join("\n"));
    assert(job.workers >= 5);
  });

  it("says what stands in the way once a minute", () => {
    const job = new Fed({ maxWorkers: 2 }, 2);
    const said = job.seconds(130, 1, 1000);
    assertEquals(said.map((decision) => decision.kind === "blocked" ? decision.reason : ""), [
      "bounds",
      "bounds",
      "bounds",
    ]);
    const [first = NaN, second = NaN] = said.map(({ at }) => at);
    assertEquals(second - first, SAY_AGAIN_MS);
  });

  it("goes on when a user's policy fails", () => {
    const policy = () => {
      throw new RangeError("no such hour");
    };
    const said = new Fed({ policy }).seconds(10, 1, 1000);
    assertEquals(said.map(explain), [
      'No scale up: the policy "policy" failed: no such hour',
    ]);
  });

  it("follows a user's policy within bounds", () => {
    const job = new Fed({
      policy: ({ rowsPerSecond }) => ({
        workers: Math.ceil(rowsPerSecond / 100),
        because: `${rowsPerSecond} rows/s`,
      }),
      minWorkers: 2,
      maxWorkers: 3,
    }, 2);
    job.seconds(5, 0.1, 50);
    assertEquals(job.workers, 2);
    job.seconds(10, 0.1, 5000);
    assertEquals(job.workers, 3);
    job.seconds(30, 0.1, 50);
    assertEquals(job.workers, 2);
  });

  it("changes nothing while something is under way, and does then", () => {
    const job = new Fed({});
    const said = job.with({ underWay: "checkpoint" }).seconds(20, 1, 1000);
    assertEquals(said.map((decision) => decision.kind === "blocked" ? decision.reason : ""), [
      "under way",
    ]);
    assertEquals(job.with({}).seconds(1, 1, 1000).map(({ kind }) => kind), ["scale up"]);
  });

  it("names a key that no worker can take, and adds no workers for it", () => {
    const job = new Fed({ maxWorkers: 7 }, 2);
    const hot = (worker: number, busyMs: number) =>
      groupLoad({
        group: worker,
        worker,
        busyMs,
        rows: 1000,
        waiting: 100,
        keys: worker === 0 ? [{ stage: "sum", key: "ann", share: 0.9 }] : [],
      });
    const said = job.with({
      workers: [1000, 300].map((cpuMs, worker) => workerLoad({ worker, cpuMs, busyMs: cpuMs })),
      groups: [hot(0, 990), hot(1, 290)],
      lagMs: 60_000,
    }).seconds(50, 0, 0);
    assertEquals(said.map(({ kind }) => kind), ["hot key"]);
    const text = said.map(explain).join();
    assertStringIncludes(text, 'Hot key "ann" of stage "sum": 90 % of the 0.99 cores');
    assertStringIncludes(text, "aggregate in two stages");
  });

  it("evens loads out at the third look, not while something is under way, and lets key groups rest", () => {
    const uneven = {
      workers: [600, 120].map((cpuMs, worker) => workerLoad({ worker, cpuMs, busyMs: cpuMs })),
      groups: Array.from(
        { length: 12 },
        (_, group) => groupLoad({ group, worker: group < 10 ? 0 : 1, busyMs: 60, rows: 100 }),
      ),
    };
    const job = new Fed({ policy: "none" }, 2).with(uneven);
    assertEquals(job.seconds(2, 0, 0), []);
    const [first] = job.seconds(1, 0, 0);
    assert(first?.kind === "rebalance");
    // It was not carried out: the same load again, but what was to move has to rest.
    const [second] = job.seconds(3, 0, 0);
    const moved = new Set(first.moves.map(({ group }) => group));
    assert(second?.kind === "rebalance" && second.moves.length > 0);
    assertEquals(second.moves.filter(({ group }) => moved.has(group)), []);

    const busy = new Fed({ policy: "none" }, 2).with({ ...uneven, underWay: "hand-over" });
    assertEquals(busy.seconds(10, 0, 0), []);
    assertEquals(busy.with(uneven).seconds(1, 0, 0).map(({ kind }) => kind), ["rebalance"]);
  });

  it("names a hot key at the third look", () => {
    const job = new Fed({ policy: "none" }).with({
      workers: [workerLoad({ cpuMs: 950, busyMs: 950 })],
      groups: [groupLoad({ busyMs: 950, rows: 1 })],
    });
    assertEquals(job.seconds(2, 0, 0), []);
    assertEquals(job.seconds(1, 0, 0).map(({ kind }) => kind), ["hot key"]);
  });

  it("takes a count of workers that it did not decide for a change", () => {
    const job = new Fed({}, 2);
    job.seconds(58, 0.2, 1000);
    const three = [0, 1, 2].map((worker) => workerLoad({ worker, cpuMs: 200, busyMs: 200 }));
    assertEquals(job.with({ workers: three }).seconds(1, 0.2, 1000), []);
    // The minute without a change begins again.
    assertEquals(job.with({}).seconds(59, 0.2, 1000), []);
    assertEquals(job.seconds(2, 0.2, 1000).map(({ kind }) => kind), ["scale down"]);
  });
});
