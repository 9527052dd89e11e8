import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type LogFields, silentLogger } from "../../../runtime/logger.ts";
import type { JobPlan } from "../../../runtime/stage_plan.ts";
import { Balancer, type CarriedOut } from "../../../runtime/supervisor/balancer.ts";
import type { MoveFigures } from "../../../runtime/supervisor/group_mover.ts";
import type { GroupMove, WorkerReport } from "../../../runtime/worker/protocol.ts";
import { HandClock } from "../hand_clock.ts";

const GROUPS = 32;

const plan: JobPlan = {
  ...{ job: "test", maxParallelism: GROUPS, onError: "resume", sources: [], sinks: [], edges: [] },
  decoding: [],
  stages: [{ name: "sum", kind: "keyed", states: [], calls: [] }],
};

/** A job whose key groups cost what they cost, wherever they are. */
class Job {
  readonly clock = new HandClock();
  readonly logged: string[] = [];
  readonly carriedOut: CarriedOut[] = [];
  readonly moves: (readonly GroupMove[])[] = [];
  routing: number[] = Array.from({ length: GROUPS }, (_, group) => group < GROUPS / 2 ? 0 : 1);
  readonly #costs: readonly number[];
  readonly #busy: number[] = new Array(GROUPS).fill(0);
  readonly #work = [0, 0];
  readonly balancer: Balancer;

  /** @param costs of each group, ms a second */
  constructor(costs: (group: number) => number) {
    this.#costs = Array.from({ length: GROUPS }, (_, group) => costs(group));
    const log = (message: string, _fields?: LogFields) => void this.logged.push(message);
    this.balancer = new Balancer({
      ...{ workers: 2, cores: 3, clock: this.clock },
      logger: { ...silentLogger, info: log, warn: log },
      move: (moves) => Promise.resolve(this.#move(moves)),
      routing: () => this.routing,
      onDecision: (carriedOut) => this.carriedOut.push(carriedOut),
    });
  }

  /** What workers do, in cores. */
  get loads(): number[] {
    return [0, 1].map((worker) =>
      this.#costs.reduce((sum, ms, group) => this.routing[group] === worker ? sum + ms : sum, 0) /
      1000
    );
  }

  async seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second++) {
      this.clock.pass(1000);
      for (const [group, ms] of this.#costs.entries()) {
        this.#busy[group] = (this.#busy[group] ?? 0) + ms;
        const worker = this.routing[group] ?? 0;
        this.#work[worker] = (this.#work[worker] ?? 0) + ms;
      }
      this.balancer.look([0, 1].map((worker) => this.#report(worker)));
      // Moves take their turns.
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  }

  #move(moves: readonly GroupMove[]): MoveFigures {
    this.moves.push(moves);
    for (const { group, from, to } of moves) {
      assertEquals(this.routing[group], from);
      this.routing[group] = to;
      this.#busy[group] = 0;
    }
    const none = { keys: 0, bytes: 0 };
    return { groups: moves.length, copied: none, copyMs: 1, rest: none, handOverMs: 1, pauseMs: 1 };
  }

  #report(worker: number): WorkerReport {
    const groups = this.routing.flatMap((of, group) => of === worker ? [group] : []);
    const busyMs = Float64Array.from(groups, (group) => this.#busy[group] ?? 0);
    const none = new Float64Array(groups.length);
    const all = this.#work[worker] ?? 0;
    return {
      ...{ worker, sources: {}, stages: {}, sinks: {}, deadLetters: 0, cpuMs: all },
      load: {
        ...{ busyMs: all, backPressuredMs: 0, runQueueMs: 0, ageMs: 100_000 },
        stages: {
          sum: {
            ...{ groups: Uint16Array.from(groups), busyMs, waiting: none, oldestMs: none },
            ...{ rows: busyMs.map((ms) => ms * 10), bytes: 1000, hotKeys: [] },
          },
        },
      },
    };
  }
}

describe("Balancer", () => {
  it("moves key groups until workers are evenly busy, says why, and then leaves them", async () => {
    // The first worker's groups cost three times as much.
    const job = new Job((group) => group < GROUPS / 2 ? 45 : 15);
    job.balancer.begin(plan);
    await job.seconds(30);
    const [most = 0, least = 0] = job.loads.toSorted((a, b) => b - a);
    assert(most - least < 0.1, `${most} and ${least} cores`);
    assert(job.logged.some((line) => line.startsWith("Rebalance 2 workers: ")), job.logged.join());
    assertEquals(job.carriedOut[0]?.decision.kind, "rebalance");
    assert((job.carriedOut[0]?.moves.length ?? 0) > 0);
    const moved = job.moves.length;
    await job.seconds(120);
    assertEquals(job.moves.length, moved);
  });

  it("leaves groups where they are while all is even", async () => {
    const job = new Job(() => 20);
    job.balancer.begin(plan);
    await job.seconds(60);
    assertEquals(job.moves, []);
  });

  it("lets groups go to others whatever is remembered behind sources: that stays where shards are read", async () => {
    const job = new Job((group) => group < GROUPS / 2 ? 45 : 15);
    const source = { name: "in", kind: "source", states: [], calls: [], remembers: true } as const;
    job.balancer.begin({ ...plan, stages: [source, ...plan.stages] });
    await job.seconds(30);
    assert(job.moves.length > 0);
  });

  it("leaves groups whose operators remember what is no state, and says so", async () => {
    const job = new Job((group) => group < GROUPS / 2 ? 45 : 15);
    const [stage] = plan.stages;
    job.balancer.begin({
      ...plan,
      stages: stage === undefined ? [] : [{ ...stage, remembers: true }],
    });
    await job.seconds(30);
    assertEquals(job.moves, []);
    assert(job.logged[0]?.includes("RxJS"), job.logged[0]);
  });
});
