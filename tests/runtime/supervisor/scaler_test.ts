import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type LogFields, silentLogger } from "../../../runtime/logger.ts";
import { MOVED_GROUPS_MAX } from "../../../runtime/limits.ts";
import { responsive } from "../../../runtime/scaling/responsive.ts";
import type { ScalingOptions } from "../../../runtime/scaling/scaling_options.ts";
import type { JobPlan } from "../../../runtime/stage_plan.ts";
import type { MadeDecision } from "../../../runtime/supervisor/decision_log.ts";
import type { MoveFigures } from "../../../runtime/supervisor/group_mover.ts";
import type { Scalable, ScaleFigures } from "../../../runtime/supervisor/scalable.ts";
import { Scaler } from "../../../runtime/supervisor/scaler.ts";
import type { GroupMove, WorkerReport } from "../../../runtime/worker/protocol.ts";
import { HandClock } from "../hand_clock.ts";

const GROUPS = 64;

const plan: JobPlan = {
  ...{ job: "test", maxParallelism: GROUPS, onError: "resume", sources: [], sinks: [], edges: [] },
  decoding: [],
  stages: [{ name: "sum", kind: "keyed", states: [], calls: [] }],
};

interface JobOptions {
  readonly workers?: number;
  readonly scaling?: ScalingOptions;
  /** Whether nobody listens for decisions. */
  readonly unheard?: boolean;
}

/** A job whose key groups cost what they cost, wherever they are, on workers that come and go at once unless told. */
class Job implements Scalable {
  readonly clock = new HandClock();
  readonly logged: string[] = [];
  readonly told: MadeDecision[] = [];
  /** What was asked for, in order: `"scale 2"`, `"move 16"`. */
  readonly asked: string[] = [];
  workers: number;
  routing: number[];
  costs: number[];
  /** What the next steps wait for; they are done on `"go"`. */
  readonly next: (() => Promise<"go" | undefined>)[] = [];
  /** Whether a sink is slow: rows wait, and there is no room for more. */
  isSinkSlow = false;
  readonly scaler: Scaler;
  readonly #busy: number[] = new Array(GROUPS).fill(0);
  readonly #work = new Map<number, number>();

  /** @param costs of each group, ms a second */
  constructor(
    costs: (group: number) => number,
    { workers = 2, scaling, unheard }: JobOptions = {},
  ) {
    this.workers = workers;
    this.routing = Array.from(
      { length: GROUPS },
      (_, group) => Math.floor(group * workers / GROUPS),
    );
    this.costs = Array.from({ length: GROUPS }, (_, group) => costs(group));
    const log = (message: string, fields?: LogFields) =>
      void this.logged.push(
        fields === undefined ? message : `${message} ${JSON.stringify(fields)}`,
      );
    this.scaler = new Scaler({
      ...{ job: this, scaling, parallelism: workers, cores: 9, clock: this.clock },
      logger: { ...silentLogger, info: log, warn: log },
      onDecision: unheard === true ? undefined : (made) => this.told.push(made),
    });
  }

  /** What workers do, in cores. */
  get loads(): number[] {
    return Array.from(
      { length: this.workers },
      (_, worker) =>
        this.costs.reduce((sum, ms, group) => this.routing[group] === worker ? sum + ms : sum, 0) /
        1000,
    );
  }

  async seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second++) {
      this.clock.pass(1000);
      for (const [group, ms] of this.costs.entries()) {
        this.#busy[group] = (this.#busy[group] ?? 0) + ms;
        const worker = this.routing[group] ?? 0;
        this.#work.set(worker, (this.#work.get(worker) ?? 0) + ms);
      }
      this.scaler.look(Array.from({ length: this.workers }, (_, worker) => this.#report(worker)));
      await this.settle();
    }
  }

  /** Steps take their turns. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  }

  async scale(to: number): Promise<ScaleFigures | undefined> {
    this.asked.push(`scale ${to}`);
    const wait = this.next.shift();
    if (wait !== undefined && await wait() === undefined) return undefined;
    const from = this.workers;
    for (const worker of this.routing) assert(worker < to, `worker ${worker} has key groups`);
    for (let worker = from; worker < to; worker++) this.#work.set(worker, 0);
    this.workers = to;
    return { from, to, tookMs: 1, movedShards: 1 };
  }

  async move(moves: readonly GroupMove[]): Promise<MoveFigures | undefined> {
    this.asked.push(`move ${moves.length}`);
    const wait = this.next.shift();
    if (wait !== undefined && await wait() === undefined) return undefined;
    for (const { group, from, to } of moves) {
      assertEquals(this.routing[group], from);
      assert(to < this.workers, `there is no worker ${to}`);
      this.routing[group] = to;
      this.#busy[group] = 0;
    }
    const copied = { keys: 1, bytes: 100 };
    return Promise.resolve({
      ...{ groups: moves.length, copied, copyMs: 1 },
      ...{ rest: { keys: 1, bytes: 10 }, handOverMs: 1, pauseMs: moves.length },
    });
  }

  #report(worker: number): WorkerReport {
    const groups = this.routing.flatMap((of, group) => of === worker ? [group] : []);
    const busyMs = Float64Array.from(groups, (group) => this.#busy[group] ?? 0);
    const none = new Float64Array(groups.length);
    const backPressuredMs = this.isSinkSlow ? 0.8 * this.clock.monotonic() : 0;
    const all = this.#work.get(worker) ?? 0;
    return {
      ...{ worker, sources: {}, stages: {}, sinks: {}, deadLetters: 0, cpuMs: all },
      load: {
        ...{ busyMs: all, backPressuredMs, runQueueMs: 0 },
        ageMs: 100_000 + this.clock.monotonic(),
        stages: {
          sum: {
            ...{ groups: Uint16Array.from(groups), busyMs, waiting: none },
            oldestMs: none.map(() => this.isSinkSlow ? 5000 : 0),
            ...{ rows: busyMs.map((ms) => ms * 10), bytes: 1000, hotKeys: [] },
          },
        },
      },
    };
  }
}

/** Two thirds of the work on the first half of the key groups. */
const uneven = (group: number) => group < GROUPS / 2 ? 22.5 : 7.5;
/** So many cores, evenly. */
const cores = (count: number) => () => count * 1000 / GROUPS;
const quick: ScalingOptions = {
  policy: responsive({ downAfter: "10s", rest: "2s" }),
  maxWorkers: 4,
};

describe("Scaler with a fixed number of workers", () => {
  it("moves key groups until workers are evenly busy, says why, and then leaves them", async () => {
    const job = new Job(uneven);
    job.scaler.begin(plan);
    await job.seconds(30);
    const [most = 0, least = 0] = job.loads.toSorted((a, b) => b - a);
    assert(most - least < 0.1, `${most} and ${least} cores`);
    assert(job.logged.some((line) => line.startsWith("Rebalance 2 workers: ")), job.logged.join());
    const [made] = job.told;
    assertEquals([made?.kind, made?.outcome.kind], ["rebalance", "done"]);
    assert(made?.outcome.kind === "done" && made.outcome.cost.groups > 0);
    const asked = job.asked.length;
    await job.seconds(120);
    assertEquals(job.asked.length, asked);
  });

  it("leaves groups where they are while all is even, and never asks for workers", async () => {
    const job = new Job(cores(1.9));
    job.scaler.begin(plan);
    await job.seconds(60);
    assertEquals([job.asked, job.logged, job.scaler.decisions], [[], [], []]);
  });

  it("leaves groups whose operators remember what is no state, and says so", async () => {
    const job = new Job(uneven, { scaling: quick });
    const [stage] = plan.stages;
    job.scaler.begin({
      ...plan,
      stages: stage === undefined ? [] : [{ ...stage, remembers: true }],
    });
    await job.seconds(30);
    assertEquals(job.asked, []);
    assertStringIncludes(job.logged[0] ?? "", "and workers as many as they are: RxJS");
  });
});

describe("Scaler with workers that come and go", () => {
  it("adds workers, then moves key groups to them, a batch at a time", async () => {
    const job = new Job(cores(2.4), { workers: 2, scaling: quick });
    job.scaler.begin(plan);
    await job.seconds(10);
    const [first, ...moves] = job.asked;
    assertEquals([first, job.workers], ["scale 4", 4]);
    assertEquals(moves.slice(0, 2), [`move ${MOVED_GROUPS_MAX}`, `move ${MOVED_GROUPS_MAX}`]);
    for (const load of job.loads) assert(Math.abs(load - 0.6) < 0.1, `${job.loads}`);
    const [made] = job.scaler.decisions;
    assertEquals(made, job.told[0]);
    assertEquals([made?.kind, made?.workers], ["scale up", { from: 2, to: 4 }]);
    assertStringIncludes(made?.text ?? "", "Scale up from 2 to 4 workers (responsive): ");
    assert(made?.outcome.kind === "done");
    const { cost } = made.outcome;
    assertEquals([cost.groups, cost.bytes, cost.pauseMs, cost.shards], [
      32,
      220,
      MOVED_GROUPS_MAX,
      1,
    ]);
  });

  it("keeps what came of a decision, also where nobody listens", async () => {
    const job = new Job(cores(2.4), { workers: 2, scaling: quick, unheard: true });
    job.next.push(() => Promise.reject(new Error("no more threads")));
    job.scaler.begin(plan);
    await job.seconds(10);
    const outcomes = job.scaler.decisions.map(({ outcome }) => outcome.kind);
    assertEquals(outcomes.slice(0, 2), ["failed", "done"]);
  });

  it("empties the workers with the highest numbers first, then lets them go", async () => {
    const job = new Job(cores(0.4), { workers: 3, scaling: quick });
    job.scaler.begin(plan);
    await job.seconds(15);
    assertEquals(job.asked[0]?.startsWith("move"), true);
    // At most half of them at a time.
    assertEquals(job.asked.filter((step) => step.startsWith("scale")), ["scale 2"]);
    await job.seconds(15);
    assertEquals([job.workers, new Set(job.routing)], [1, new Set([0])]);
    assertEquals(job.asked.at(-1), "scale 1");
    assertStringIncludes(job.told[0]?.text ?? "", "Worker 2 goes.");
  });

  it("does one thing at a time, and says that others have to wait", async () => {
    const job = new Job(cores(1.2), { workers: 1, scaling: quick });
    const slow = Promise.withResolvers<undefined>();
    job.next.push(() => slow.promise);
    job.scaler.begin(plan);
    await job.seconds(90);
    assertEquals(job.asked, ["scale 2"]);
    assertEquals(job.scaler.decisions[0]?.outcome.kind, "under way");
    const blocked = job.scaler.decisions.filter(({ kind }) => kind === "blocked");
    assertStringIncludes(blocked[0]?.text ?? "", "a hand-over is under way");
    slow.resolve(undefined);
    await job.settle();
    assertEquals(job.scaler.decisions[0]?.outcome.kind, "left");
    await job.seconds(10);
    assertEquals(job.workers, 2);
  });

  it("logs what fails with its reason, keeps what it came to, and waits for the next decision", async () => {
    const job = new Job(cores(1.2), { workers: 1, scaling: quick });
    job.next.push(() => Promise.reject(new Error("no more threads")));
    job.scaler.begin(plan);
    await job.seconds(3);
    assertEquals(job.asked, ["scale 2"]);
    const [made] = job.told;
    assert(made?.outcome.kind === "failed");
    assertEquals([made.outcome.reason, made.outcome.cost.groups], ["no more threads", 0]);
    assert(job.logged.some((line) => line.includes("Cannot scale up") && line.includes("threads")));
    // It rests before it is decided again.
    await job.seconds(1);
    assertEquals(job.asked, ["scale 2"]);
    await job.seconds(5);
    assertEquals([job.asked[1], job.workers], ["scale 2", 2]);
  });

  it("lets no worker go whose key groups could not move", async () => {
    const job = new Job(cores(0.4), { workers: 2, scaling: quick });
    job.next.push(
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error("worker 0 is full")),
    );
    job.scaler.begin(plan);
    await job.seconds(11);
    assertEquals([job.asked, job.workers], [["move 16"], 2]);
    await job.seconds(11);
    assertEquals([job.asked, job.workers], [["move 16", "move 16"], 2]);
    assertEquals(job.told.map(({ outcome }) => outcome.kind), ["left", "failed"]);
  });

  it("goes no further with what was decided in an attempt that is over", async () => {
    const job = new Job(cores(2.4), { workers: 2, scaling: quick });
    const added = Promise.withResolvers<"go">();
    job.next.push(() => added.promise);
    job.scaler.begin(plan);
    await job.seconds(4);
    job.scaler.begin(plan);
    added.resolve("go");
    await job.settle();
    // Workers have come, but no key group moves to them.
    assertEquals([job.asked, job.workers, job.told[0]?.outcome.kind], [["scale 4"], 4, "left"]);
  });

  it("tells of what stands in the way, where a fixed number would be no news", async () => {
    const job = new Job(cores(3.9), { workers: 4, scaling: quick });
    job.scaler.begin(plan);
    await job.seconds(10);
    assertEquals([job.asked, job.told.map(({ outcome }) => outcome)], [[], [{ kind: "told" }]]);
    assertStringIncludes(job.logged[0] ?? "", "1 to 4 workers are allowed");
  });

  it("tells of a slow sink where workers could come, and not where their number is given", async () => {
    for (const scaling of [quick, undefined]) {
      const job = new Job(cores(0.4), {
        workers: 2,
        ...(scaling === undefined ? {} : { scaling }),
      });
      job.isSinkSlow = true;
      job.scaler.begin(plan);
      await job.seconds(8);
      assertEquals(job.logged.length, scaling === undefined ? 0 : 1, job.logged.join());
      if (scaling !== undefined) assertStringIncludes(job.logged[0] ?? "", "a sink is slow");
    }
  });

  it("refuses a job with fewer key groups than there must be workers", () => {
    const job = new Job(cores(1), { scaling: { minWorkers: 5 } });
    job.scaler.check({ ...plan, maxParallelism: 5 });
    assertThrows(
      () => job.scaler.check({ ...plan, maxParallelism: 4 }),
      RangeError,
      "Cannot scale between 5 and 4 workers",
    );
  });
});
