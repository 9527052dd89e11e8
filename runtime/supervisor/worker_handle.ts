/**
 * One worker, from the supervisor's side: requests and their answers, and what it says of itself. A worker that dies
 * fails everything that is asked of it.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";
import { HEARTBEAT_MS, WORKER_REPLY_MS_MAX, WORKER_SILENT_MS_MAX } from "../limits.ts";
import {
  type Command,
  PROTOCOL_VERSION,
  receivedError,
  type Replies,
  type Request,
  type WorkerMessage,
} from "../worker/protocol.ts";
import type { WorkerPort } from "./worker_port.ts";

/** What a worker says besides answers. */
export type WorkerNotice = Exclude<
  WorkerMessage,
  { type: "hello" | "reply" | "refused" | "pong" }
>;

/** Who listens to a worker. */
export interface WorkerListener {
  notice(worker: number, notice: WorkerNotice): void;
  /** The worker is gone. */
  died(worker: number, error: Error): void;
}

interface Pending {
  resolve(result: Replies[keyof Replies]): void;
  reject(error: Error): void;
  readonly cancelTimeout: Cancel;
}

/** A worker that has been spawned. */
export class WorkerHandle {
  readonly worker: number;
  /** Resolves when the worker is there; rejects if it speaks another protocol or dies first. */
  readonly ready: Promise<void>;
  readonly #port: WorkerPort;
  readonly #clock: Clock;
  readonly #listener: WorkerListener;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #gone: Error | undefined;
  /** When it was last heard of; ms of the monotonic clock. */
  #heardAt = 0;
  #cancelWatch: Cancel | undefined;

  constructor(worker: number, port: WorkerPort, clock: Clock, listener: WorkerListener) {
    this.worker = worker;
    this.#port = port;
    this.#clock = clock;
    this.#listener = listener;
    this.ready = new Promise((resolve, reject) => {
      this.#expect(0, "say hello", () => resolve(), reject);
    });
    port.onDeath((error) =>
      this.#die(new Error(`Worker ${worker} died: ${error.message}`, { cause: error }))
    );
    port.onMessage((message) => this.#take(message));
  }

  /** Asks, and waits for the answer. */
  async ask<Type extends Request["type"]>(
    request: Extract<Request, { type: Type }>,
    transfer?: Transferable[],
  ): Promise<Replies[Type]> {
    if (this.#gone !== undefined) throw this.#gone;
    const id = this.#nextId++;
    const answer = new Promise<Replies[keyof Replies]>((resolve, reject) => {
      this.#expect(id, request.type, resolve, reject);
    });
    this.#port.post({ type: "request", id, request }, transfer);
    // The protocol answers each request with its own reply.
    return await answer as Replies[Type];
  }

  tell(command: Command): void {
    if (this.#gone === undefined) this.#port.post(command);
  }

  /**
   * Asks for a sign of life from time to time; a worker that gives none counts as dead.
   *
   * @param silentMsMax for how long it may give none
   * @param remedy what to do about a worker that hangs, if ending it does not help
   */
  watch(silentMsMax = WORKER_SILENT_MS_MAX, remedy?: string): void {
    this.#heardAt = this.#clock.monotonic();
    const everyMs = Math.min(HEARTBEAT_MS, silentMsMax / 4);
    let lookedAt = this.#heardAt;
    const look = () => {
      const now = this.#clock.monotonic();
      // Whoever looks was held up itself: answers may be waiting behind this call.
      if (now - lookedAt > 2 * everyMs) this.#heardAt = now;
      lookedAt = now;
      const silentMs = now - this.#heardAt;
      if (silentMs >= silentMsMax) {
        return this.#die(
          new Error(
            `Worker ${this.worker} has not answered for ${
              Math.round(silentMs)
            } ms: something in it does not end; ` +
              "look for a loop or a very long computation in a handler" +
              (remedy === undefined ? "" : `; ${remedy}`),
          ),
        );
      }
      this.tell({ type: "ping" });
      this.#cancelWatch = this.#clock.setTimer(everyMs, look);
    };
    look();
  }

  terminate(): void {
    this.#die(new Error(`Worker ${this.worker} was ended`), true);
    this.#port.terminate();
  }

  #expect(id: number, what: string, resolve: Pending["resolve"], reject: Pending["reject"]): void {
    const cancelTimeout = this.#clock.setTimer(WORKER_REPLY_MS_MAX, () => {
      this.#die(
        new Error(`Worker ${this.worker} did not ${what} within ${WORKER_REPLY_MS_MAX} ms`),
      );
    });
    this.#pending.set(id, { resolve, reject, cancelTimeout });
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.cancelTimeout();
    return pending;
  }

  #take(message: WorkerMessage): void {
    this.#heardAt = this.#clock.monotonic();
    switch (message.type) {
      case "hello":
        if (message.protocol === PROTOCOL_VERSION) return this.#settle(0)?.resolve(undefined);
        return this.#settle(0)?.reject(
          new Error(
            `Cannot use worker ${this.worker}: it speaks protocol ${message.protocol}, expected ${PROTOCOL_VERSION}; clear the module cache`,
          ),
        );
      case "reply":
        return this.#settle(message.id)?.resolve(message.result);
      case "refused":
        return this.#settle(message.id)?.reject(receivedError(message.error));
      case "pong":
        return;
      default:
        return this.#listener.notice(this.worker, message);
    }
  }

  #die(error: Error, expected = false): void {
    if (this.#gone !== undefined) return;
    this.#gone = error;
    this.#cancelWatch?.();
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
    if (!expected) this.#listener.died(this.worker, error);
  }
}
