/**
 * Workers that a test plays: a host that makes them, and what they say in the protocol. A script answers what is posted
 * to a worker.
 *
 * @module
 */

import type { Shard } from "../../../connectors/source.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { JobPlan } from "../../../runtime/stage_plan.ts";
import { WorkerHandle } from "../../../runtime/supervisor/worker_handle.ts";
import type { LinkEnds, WorkerHost, WorkerPort } from "../../../runtime/supervisor/worker_port.ts";
import {
  type HostMessage,
  type JobSettings,
  PROTOCOL_VERSION,
  type Replies,
  type Request,
  type WorkerMessage,
} from "../../../runtime/worker/protocol.ts";

/** What a worker does about a message; returns whether it has dealt with it. */
export type Script = (worker: FakeWorker, message: HostMessage) => boolean | void;

/** A bounded source in two shards and one sink, over two key groups. */
export const PLAN: JobPlan = {
  job: "demo",
  maxParallelism: 2,
  onError: "resume",
  sources: [{ name: "in", kind: "memory", of: "numbers", bounded: true }],
  sinks: [{ name: "out", kind: "memory", of: "results" }],
  stages: [{ name: "in", kind: "source", states: [], calls: [] }],
  edges: [],
  decoding: [],
};

export const SETTINGS: JobSettings = {
  url: "",
  params: {},
  aws: {},
  startedAt: 0,
  logLevel: "info",
};

/** Two shards without parents. */
export const SHARDS: readonly Shard[] = [{ id: "s0", parents: [] }, { id: "s1", parents: [] }];

/** A worker that a test plays. */
export class FakeWorker implements WorkerPort {
  readonly worker: number;
  /** Everything that was posted to it. */
  readonly posted: HostMessage[] = [];
  terminated = false;
  readonly #script: Script;
  readonly #hello: number | "never";
  #listener: (message: WorkerMessage) => void = () => {};
  #death: (error: Error) => void = () => {};

  /** @param hello the protocol that it says it speaks */
  constructor(worker: number, script: Script, hello: number | "never" = PROTOCOL_VERSION) {
    this.worker = worker;
    this.#script = script;
    this.#hello = hello;
  }

  /** What was posted, in a word each: the type of a command or request. */
  get heard(): readonly string[] {
    return this.posted.map((message) =>
      message.type === "request" ? message.request.type : message.type
    );
  }

  post(message: HostMessage): void {
    this.posted.push(message);
    if (this.terminated || this.#script(this, message)) return;
    wellBehaved(this, message);
  }

  onMessage(listener: (message: WorkerMessage) => void): void {
    this.#listener = listener;
    if (this.#hello !== "never") this.say({ type: "hello", protocol: this.#hello });
  }

  onDeath(listener: (error: Error) => void): void {
    this.#death = listener;
  }

  say(message: WorkerMessage): void {
    this.#listener(message);
  }

  reply(id: number, result: Replies[Request["type"]]): void {
    this.say({ type: "reply", id, result });
  }

  die(message: string): void {
    this.#death(new Error(message));
  }

  close(): void {}

  terminate(): void {
    this.terminated = true;
  }
}

/** So many workers in the hands of whoever asks them, with their handles; which of them have died is written down. */
export function handledWorkers(
  count: number,
  script: Script,
  clock: Clock,
  log: string[],
): { readonly workers: readonly FakeWorker[]; readonly handles: readonly WorkerHandle[] } {
  const workers = Array.from({ length: count }, (_, number) => new FakeWorker(number, script));
  const handles = workers.map((worker) =>
    new WorkerHandle(worker.worker, worker, clock, {
      notice() {},
      died: (number) => log.push(`${number} died`),
    })
  );
  return { workers, handles };
}

/** A host of fake workers, in order of spawning. */
export class FakeHost implements WorkerHost {
  readonly canHang = false;
  readonly spawned: FakeWorker[] = [];
  readonly #script: Script;
  readonly #hello: (worker: number) => number | "never";

  constructor(
    script: Script = () => {},
    hello: (worker: number) => number | "never" = () => PROTOCOL_VERSION,
  ) {
    this.#script = script;
    this.#hello = hello;
  }

  spawn(worker: number): FakeWorker {
    const spawned = new FakeWorker(worker, this.#script, this.#hello(worker));
    this.spawned.push(spawned);
    return spawned;
  }

  link(): LinkEnds {
    return { ends: ["a", "b"], transfer: () => [] };
  }
}

/** Runs the job of {@linkcode PLAN} to its end. */
function wellBehaved(worker: FakeWorker, message: HostMessage): void {
  switch (message.type) {
    case "request":
      return worker.reply(message.id, replyTo(message.request));
    case "openShard":
      // What is no answer comes later: a worker is never done within the call.
      return queueMicrotask(() =>
        worker.say({ type: "shardEnded", source: message.source, shard: message.shard })
      );
    case "endSource":
    case "stop":
      return queueMicrotask(() => worker.say({ type: "ended" }));
    case "releaseShard":
      return queueMicrotask(() =>
        worker.say({ type: "shardReleased", source: message.source, shard: message.shard })
      );
    case "report":
      return;
  }
}

function replyTo(request: Request): Replies[Request["type"]] {
  switch (request.type) {
    case "describe":
      return PLAN;
    case "discover":
      return SHARDS;
    case "open":
    case "close":
      return undefined;
  }
}
