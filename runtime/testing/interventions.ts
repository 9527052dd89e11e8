/**
 * What a simulator does to a job at moments of its own: kills and stops it, asks for checkpoints, moves its key groups and
 * shards.
 * Moments are counted in steps of the scheduler: virtual time passes only when nothing is left to do, so that whatever a
 * timer brings comes to a job that is idle.
 *
 * @module
 */

import type { SpawnedWorker } from "../ports/in_process_host.ts";
import type { Random } from "../random.ts";
import type { ShardMove } from "../supervisor/placement.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { GroupMove } from "../worker/protocol.ts";
import type { EventTrace } from "./event_trace.ts";
import { type FaultPlan, simulatedError } from "./fault_plan.ts";

/** Steps between two moments: the mean of a seed is at most this. */
const MOMENT_STEPS_MAX = 1500;
/** The same between two checkpoints. */
const CHECKPOINT_STEPS_MAX = 1000;
/** The same between two moves of key groups, and between two changes of the number of workers. */
const MOVE_STEPS_MAX = 500;
const SCALE_STEPS_MAX = 1500;
/** The same between two moves of shards. */
const SHARD_STEPS_MAX = 200;
const STOPS_MAX = 3;
const SAVEPOINTS_MAX = 4;

/** What interventions work with. */
export interface InterventionOptions {
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly trace: EventTrace;
  /** Those of the present attempt. */
  readonly workers: ReadonlySet<SpawnedWorker>;
  /** How many there may be. */
  readonly workersMax: number;
  /** The job's present one. */
  readonly supervisor: () => Supervisor | undefined;
}

/** The interventions of one run. */
export class Interventions {
  /** How often the job was stopped, or its process killed: it is to be started again. */
  stops = 0;
  /** Moves that have ended, and whether one is under way. */
  moves = 0;
  isMoving = false;
  readonly #options: InterventionOptions;
  readonly #momentSteps: number;
  readonly #checkpointSteps: number;
  #steps = 0;
  readonly #moveSteps: number;
  #nextMove: number;
  readonly #scaleSteps: number;
  #nextScale: number;
  readonly #shardSteps: number;
  #nextShards: number;
  #areShardsMoving = false;
  #nextMoment: number;
  #nextCheckpoint: number;
  #savepoints = 0;

  constructor(options: InterventionOptions) {
    this.#options = options;
    const { random } = options;
    this.#momentSteps = 30 + Math.floor(random() ** 2 * MOMENT_STEPS_MAX);
    this.#checkpointSteps = 20 + Math.floor(random() ** 2 * CHECKPOINT_STEPS_MAX);
    this.#moveSteps = 20 + Math.floor(random() ** 2 * MOVE_STEPS_MAX);
    this.#shardSteps = 20 + Math.floor(random() ** 2 * SHARD_STEPS_MAX);
    this.#nextMove = this.#gap(this.#moveSteps);
    this.#nextShards = this.#gap(this.#shardSteps);
    this.#nextMoment = this.#gap(this.#momentSteps);
    this.#nextCheckpoint = this.#gap(this.#checkpointSteps);
    this.#scaleSteps = 50 + Math.floor(random() ** 2 * SCALE_STEPS_MAX);
    this.#nextScale = this.#gap(this.#scaleSteps);
  }

  /** Before each step. */
  step(): void {
    const { faults } = this.#options;
    this.#steps++;
    if (this.#steps >= this.#nextCheckpoint) {
      this.#nextCheckpoint = this.#steps + this.#gap(this.#checkpointSteps);
      this.#checkpoint();
    }
    if (this.#steps >= this.#nextMove) {
      this.#nextMove = this.#steps + this.#gap(this.#moveSteps);
      if (faults.on.has("key groups move")) this.#move();
    }
    if (this.#steps >= this.#nextScale) {
      this.#nextScale = this.#steps + this.#gap(this.#scaleSteps);
      if (faults.on.has("workers come and go")) this.#scale();
    }
    if (this.#steps >= this.#nextShards) {
      this.#nextShards = this.#steps + this.#gap(this.#shardSteps);
      if (faults.on.has("shards move")) this.#moveShards();
    }
    if (this.#steps < this.#nextMoment || !faults.active) return;
    this.#nextMoment = this.#steps + this.#gap(this.#momentSteps);
    if (faults.ends("worker killed", 0.7)) this.#kill();
    else if (faults.ends("process killed", 0.5)) this.#killAll();
    else if (this.stops < STOPS_MAX && faults.strikes("stopped and started again", 0.3)) {
      this.#stop();
    } else if (this.#savepoints < SAVEPOINTS_MAX && faults.strikes("savepoints", 0.5)) {
      for (let left = 1 + Math.floor(this.#options.random() * 3); left > 0; left--) {
        this.#savepoint();
      }
    }
  }

  #gap(meanSteps: number): number {
    return 1 + Math.floor(-Math.log(1 - this.#options.random()) * meanSteps);
  }

  /** That it fails is a fault's doing, or the job's that ends: the next one may not. */
  #checkpoint(): void {
    const supervisor = this.#options.supervisor();
    if (supervisor?.status.state === "running") supervisor.checkpoint().catch(() => {});
  }

  #kill(): void {
    const { workers, random, trace } = this.#options;
    const alive = [...workers].filter((spawned) => spawned.alive);
    const spawned = alive[Math.floor(random() * alive.length)];
    if (spawned === undefined) return;
    trace.add(`worker ${spawned.worker} is killed`);
    spawned.kill(simulatedError("worker killed"));
  }

  #killAll(): void {
    const { workers, trace, supervisor } = this.#options;
    this.stops++;
    trace.add("the process is killed");
    for (const spawned of workers) spawned.kill(simulatedError("process killed"));
    supervisor()?.abandon();
  }

  #stop(): void {
    const { trace, supervisor } = this.#options;
    this.stops++;
    trace.add("the job is stopped");
    supervisor()?.stop();
  }

  #savepoint(): void {
    const { trace, supervisor } = this.#options;
    this.#savepoints++;
    trace.add("a savepoint is asked for");
    supervisor()?.savepoint().then(
      ({ id }) => trace.add(`savepoint ${id} is kept`),
      // A checkpoint that times out, or a job that is not there: whoever asks asks again.
      (error) => trace.add(`no savepoint: ${String(error).slice(0, 100)}`),
    );
  }

  #move(): void {
    const { random, supervisor } = this.#options;
    const of = supervisor();
    if (this.isMoving || of?.status.state !== "running" || of.workers < 2) return;
    const share = random();
    const moves = of.routing.flatMap((from, group): GroupMove[] => {
      const to = Math.floor(random() * of.workers);
      return to !== from && random() < share ? [{ group, from, to }] : [];
    });
    if (moves.length === 0) return;
    this.#carryOut(`${moves.length} key groups are to move`, () => of.move(moves));
  }

  /** To another number of workers: what those have that go is dealt out to those that stay. */
  #scale(): void {
    const { random, supervisor, workersMax } = this.#options;
    const of = supervisor();
    if (this.isMoving || of?.status.state !== "running") return;
    const workers = 1 + Math.floor(random() * workersMax);
    const moves = of.routing.flatMap((from, group): GroupMove[] =>
      from < workers ? [] : [{ group, from, to: Math.floor(random() * workers) }]
    );
    this.#carryOut(`${of.workers} workers are to be ${workers}`, async () => {
      if (moves.length > 0 && await of.move(moves) === undefined) return undefined;
      return await of.scale(workers);
    });
  }

  #carryOut(what: string, carryOut: () => Promise<object | undefined>): void {
    const { trace } = this.#options;
    this.isMoving = true;
    trace.add(what);
    const ended = (how: string) => {
      this.isMoving = false;
      this.moves++;
      trace.add(how);
    };
    carryOut().then(
      (figures) => ended(figures === undefined ? "all stays" : `done: ${JSON.stringify(figures)}`),
      (error) => ended(`it has not been done: ${String(error).slice(0, 160)}`),
    );
  }

  #moveShards(): void {
    const { random, trace, supervisor } = this.#options;
    const of = supervisor();
    if (this.#areShardsMoving || of?.status.state !== "running" || of.workers < 2) return;
    const share = random();
    const moves = of.shardsOf.flatMap((shards, from) =>
      shards.flatMap(({ source, shard }): ShardMove[] => {
        const to = Math.floor(random() * of.workers);
        return to !== from && random() < share ? [{ source, shard, from, to }] : [];
      })
    );
    if (moves.length === 0) return;
    this.#areShardsMoving = true;
    trace.add(`shards are to move: ${JSON.stringify(moves)}`);
    const ended = (how: string) => {
      this.#areShardsMoving = false;
      trace.add(how);
    };
    of.moveShards(moves).then(
      (moved) => ended(`shards have moved: ${JSON.stringify(moved)}`),
      (error) => ended(`shards have not moved: ${String(error).slice(0, 160)}`),
    );
  }
}
