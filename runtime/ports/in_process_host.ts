/**
 * Workers in one thread, on a scheduler: for tests and simulation. The same engine, messages and links as on threads;
 * messages are cloned as they would be on their way.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";
import type { Job } from "../job.ts";
import type { Random } from "../random.ts";
import type { LinkEnds, WorkerHost, WorkerPort } from "../supervisor/worker_port.ts";
import type { Scheduler } from "../testing/scheduler.ts";
import type { HostMessage, Link, Port, WorkerMessage } from "../worker/protocol.ts";
import { startWorker } from "../worker/worker_engine.ts";

/** A link's end, which stays in the process. */
class LinkEnd {
  readonly port: Link;

  constructor(port: Link) {
    this.port = port;
  }
}

/** A worker that has been spawned. */
export interface SpawnedWorker {
  readonly worker: number;
  /** Counts the attempts of this host, from 1. */
  readonly attempt: number;
  readonly alive: boolean;
  /** Ends it as a crash would: nothing of it runs or is delivered any more, and whoever waits for it is told. */
  kill(error: Error): void;
}

/** What a simulator wants of the host. */
export interface InProcessOptions {
  /** The job as this worker loads it; `job` itself unless said. */
  readonly jobOf?: (spawned: SpawnedWorker) => Job;
  /** How late a message is, ms of virtual time, beyond those before it on its channel; asked for each. */
  readonly lateMs?: () => number;
  readonly onSpawn?: (spawned: SpawnedWorker) => void;
}

/** A host in this process. */
export interface InProcessHost extends WorkerHost {
  /** The worker whose turn it is: handlers run in it. */
  readonly running: SpawnedWorker | undefined;
}

/** A host whose workers all run `job`, here. */
export function inProcessHost(
  job: Job,
  scheduler: Scheduler,
  random: Random,
  options: InProcessOptions = {},
): InProcessHost {
  const lines: Lines = { scheduler, lateMs: options.lateMs };
  let attempt = 0;
  let running: SpawnedWorker | undefined;
  const enter = (spawned: SpawnedWorker, callback: () => void) => {
    const before = running;
    running = spawned;
    try {
      callback();
    } finally {
      running = before;
    }
  };
  return {
    canHang: false,
    get running() {
      return running;
    },
    spawn(worker): WorkerPort {
      const [mine, theirs] = pipe<HostMessage, WorkerMessage>(lines);
      // Workers of an attempt are spawned in their order; only others come and go.
      if (worker === 0) attempt++;
      const spawned: InProcessWorker = new InProcessWorker({
        ...{ worker, attempt, ports: [mine, theirs], clock: scheduler.clock },
        enter: (callback) => enter(spawned, callback),
      });
      options.onSpawn?.(spawned);
      scheduler.channel()(() => {
        if (!spawned.alive) return;
        try {
          startWorker({
            host: theirs,
            clock: spawned.clock,
            random,
            outside: scheduler,
            loadJob: () => Promise.resolve(options.jobOf?.(spawned) ?? job),
            openLink: (link) => spawned.openLink(link),
          });
        } catch (error) {
          spawned.died(error instanceof Error ? error : new Error(String(error)));
        }
      });
      return {
        ...mine,
        onDeath: (listener) => spawned.died = listener,
        terminate: () => spawned.end(),
      };
    },
    link(): LinkEnds {
      const [a, b]: [Link, Link] = pipe(lines);
      return { ends: [new LinkEnd(a), new LinkEnd(b)], transfer: () => [] };
    },
  };
}

/** One worker, with a clock that ends with it. */
class InProcessWorker implements SpawnedWorker {
  readonly worker: number;
  readonly attempt: number;
  readonly clock: Clock;
  alive = true;
  died: (error: Error) => void = () => {};
  readonly #ports: { close(): void }[];
  readonly #pending = new Set<Cancel>();

  constructor(options: {
    worker: number;
    attempt: number;
    ports: readonly { close(): void }[];
    clock: Clock;
    enter: (callback: () => void) => void;
  }) {
    const { worker, attempt, ports, clock, enter } = options;
    this.worker = worker;
    this.attempt = attempt;
    this.#ports = [...ports];
    const kept = (start: (callback: () => void) => Cancel, callback: () => void): Cancel => {
      if (!this.alive) return () => {};
      const cancel = start(() => {
        this.#pending.delete(cancel);
        enter(callback);
      });
      this.#pending.add(cancel);
      return () => {
        this.#pending.delete(cancel);
        cancel();
      };
    };
    this.clock = {
      now: clock.now,
      monotonic: clock.monotonic,
      setTimer: (delayMs, callback) => kept((call) => clock.setTimer(delayMs, call), callback),
      defer: (callback) => kept((call) => clock.defer(call), callback),
    };
  }

  openLink(link: unknown): Link {
    if (!(link instanceof LinkEnd)) {
      throw new TypeError(
        `Cannot open a link of worker ${this.worker}: expected one of this process`,
      );
    }
    if (this.alive) this.#ports.push(link.port);
    else link.port.close();
    return link.port;
  }

  kill(error: Error): void {
    if (!this.alive) return;
    this.end();
    this.died(error);
  }

  end(): void {
    this.alive = false;
    for (const port of this.#ports) port.close();
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
  }
}

/** What messages go by. */
interface Lines {
  readonly scheduler: Scheduler;
  readonly lateMs: (() => number) | undefined;
}

/** Two ports that are connected. */
function pipe<A, B>(lines: Lines): [Port<A, B>, Port<B, A>] {
  const open = { now: true };
  const [toB, b] = end<A>(lines, open);
  const [toA, a] = end<B>(lines, open);
  const close = () => {
    open.now = false;
  };
  return [{ post: toB, onMessage: a, close }, { post: toA, onMessage: b, close }];
}

/** One direction: a way to post, and a way to listen. Messages from before there is a listener wait. */
function end<M>(
  lines: Lines,
  open: { now: boolean },
): [(message: M) => void, (listener: (message: M) => void) => void] {
  const enqueue = lateChannel(lines);
  let listener: ((message: M) => void) | undefined;
  const early: M[] = [];
  /** The oldest that waits: what comes before there is a listener is not overtaken by what comes later. */
  const deliverFirst = () => {
    const message = early.shift();
    if (message !== undefined && open.now) listener?.(message);
  };
  const deliver = (message: M) => {
    if (!open.now) return;
    early.push(message);
    if (listener !== undefined) deliverFirst();
  };
  return [
    (message) => {
      if (!open.now) return;
      const sent = cloned(message);
      enqueue(() => deliver(sent));
    },
    (heard) => {
      listener = heard;
      for (let waiting = early.length; waiting > 0; waiting--) enqueue(deliverFirst);
    },
  ];
}

/** A channel on which messages may be late, but stay in order. */
function lateChannel({ scheduler, lateMs }: Lines): (task: () => void) => void {
  const enqueue = scheduler.channel();
  if (lateMs === undefined) return enqueue;
  const waiting: (() => void)[] = [];
  const next = () => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const late = lateMs();
      if (late > 0) {
        scheduler.clock.setTimer(late, () => {
          enqueue(first);
          waiting.shift();
          next();
        });
        return;
      }
      enqueue(first);
      waiting.shift();
    }
  };
  return (task) => {
    waiting.push(task);
    if (waiting.length === 1) next();
  };
}

/** As on its way to another thread; links stay what they are. */
function cloned<M>(message: M): M {
  if (typeof message !== "object" || message === null) return message;
  if (!("request" in message)) return structuredClone(message);
  const { request } = message;
  if (typeof request !== "object" || request === null) return structuredClone(message);
  if ("links" in request || "link" in request) return message;
  return structuredClone(message);
}
