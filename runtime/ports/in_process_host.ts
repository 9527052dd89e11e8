/**
 * Workers in one thread, on a scheduler: for tests and simulation. The same engine, messages and links as on threads;
 * messages are cloned as they would be on their way.
 *
 * @module
 */

import type { Job } from "../job.ts";
import type { Random } from "../random.ts";
import type { LinkEnds, WorkerHost, WorkerPort } from "../supervisor/worker_port.ts";
import type { Scheduler } from "../testing/scheduler.ts";
import type { HostMessage, Link, PeerMessage, Port, WorkerMessage } from "../worker/protocol.ts";
import { startWorker } from "../worker/worker_engine.ts";

/** A link's end, which stays in the process. */
class LinkEnd {
  readonly port: Link;

  constructor(port: Link) {
    this.port = port;
  }
}

/** A host whose workers all run `job`, here. */
export function inProcessHost(job: Job, scheduler: Scheduler, random: Random): WorkerHost {
  return {
    canHang: false,
    spawn(worker): WorkerPort {
      const [mine, theirs] = pipe<HostMessage, WorkerMessage>(scheduler);
      let died: (error: Error) => void = () => {};
      scheduler.channel()(() => {
        try {
          startWorker({
            host: theirs,
            clock: scheduler.clock,
            random,
            outside: scheduler,
            loadJob: () => Promise.resolve(job),
            openLink(link) {
              if (link instanceof LinkEnd) return link.port;
              throw new TypeError(
                `Cannot open a link of worker ${worker}: expected one of this process`,
              );
            },
          });
        } catch (error) {
          died(error instanceof Error ? error : new Error(String(error)));
        }
      });
      return {
        ...mine,
        onDeath: (listener) => died = listener,
        terminate() {
          mine.close();
          theirs.close();
        },
      };
    },
    link(): LinkEnds {
      const [a, b] = pipe<PeerMessage, PeerMessage>(scheduler);
      return { ends: [new LinkEnd(a), new LinkEnd(b)], transfer: () => [] };
    },
  };
}

/** Two ports that are connected. */
function pipe<A, B>(scheduler: Scheduler): [Port<A, B>, Port<B, A>] {
  const open = { now: true };
  const [toB, b] = end<A>(scheduler, open);
  const [toA, a] = end<B>(scheduler, open);
  const close = () => {
    open.now = false;
  };
  return [{ post: toB, onMessage: a, close }, { post: toA, onMessage: b, close }];
}

/** One direction: a way to post, and a way to listen. Messages from before there is a listener wait. */
function end<M>(
  scheduler: Scheduler,
  open: { now: boolean },
): [(message: M) => void, (listener: (message: M) => void) => void] {
  const enqueue = scheduler.channel();
  let listener: ((message: M) => void) | undefined;
  let early: M[] = [];
  const deliver = (message: M) => {
    if (!open.now) return;
    if (listener === undefined) early.push(message);
    else listener(message);
  };
  return [
    (message) => {
      if (!open.now) return;
      const sent = cloned(message);
      enqueue(() => deliver(sent));
    },
    (heard) => {
      listener = heard;
      for (const message of early.splice(0)) enqueue(() => deliver(message));
      early = [];
    },
  ];
}

/** As on its way to another thread; links stay what they are. */
function cloned<M>(message: M): M {
  if (typeof message !== "object" || message === null) return message;
  if (!("request" in message)) return structuredClone(message);
  const { request } = message;
  if (typeof request === "object" && request !== null && "links" in request) return message;
  return structuredClone(message);
}
