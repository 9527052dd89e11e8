/**
 * `mapAsync` on one worker: calls out for each record, at most `capacity` at once, and lets results go on in turns of
 * their own. Ordered, a result waits for those before it; unordered it does not, but no result crosses a watermark
 * (Flink's ordered and unordered wait).
 *
 * @module
 */

import { plainRecord } from "../../connectors/raw_record.ts";
import type { PendingCall } from "../checkpoint/worker_snapshot.ts";
import { type Cancel, type Clock, delay } from "../clock.ts";
import { milliseconds } from "../duration.ts";
import type { AsyncCall } from "../topology.ts";
import type { Emit } from "../../operators/fused.ts";
import type { Failures } from "./failures.ts";
import { Gate, type Valve } from "./gate.ts";
import { saltOf } from "./output_id.ts";
import { RecordCursor } from "./record_cursor.ts";
import type { TurnQueue, TurnTaker } from "./turn_queue.ts";

/** Keeps count of calls that are waiting for something else than the clock; virtual time stands still meanwhile. */
export interface Outside {
  /** A call starts to wait for the outside world. */
  enter(): void;
  leave(): void;
}

/** Where a record's call stands. */
type CallState =
  | { readonly kind: "waiting" }
  | {
    readonly kind: "running";
    readonly controller: AbortController;
    readonly cancelTimeout: Cancel;
  }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly error: unknown }
  /** Its result has gone on. */
  | { readonly kind: "gone" };

interface Call {
  readonly kind: "call";
  /** Whose record it is: a shard's, or a key group's. */
  readonly owner: string | number;
  readonly value: unknown;
  readonly cursor: RecordCursor;
  readonly emit: Emit<unknown>;
  state: CallState;
}

/** Something that must not be overtaken by earlier results: a watermark, or the end. */
interface Mark {
  readonly kind: "mark";
  pass(): void;
}

/** One mapAsync of a stage. */
export class AsyncOperator implements TurnTaker {
  /** Closed while as many records are inside as may be. */
  readonly gate = new Gate();
  readonly name: string;
  readonly #salt: number;
  readonly #call: AsyncCall;
  readonly #clock: Clock;
  readonly #queue: TurnQueue;
  readonly #failures: Failures;
  readonly #outside: Outside;
  readonly #cursor: RecordCursor;
  /** Whether what comes after this operator can take more. */
  readonly #downstream: Valve;
  readonly #handedOn: () => void;
  #entries: (Call | Mark)[] = [];
  #calls = 0;
  #running = 0;
  #inLine = false;
  #closed = false;

  constructor(options: {
    name: string;
    call: AsyncCall;
    clock: Clock;
    queue: TurnQueue;
    failures: Failures;
    outside: Outside;
    cursor: RecordCursor;
    downstream: Valve;
    /** Called when results have gone on, and before anything that must not overtake them. */
    handedOn: () => void;
  }) {
    this.name = options.name;
    this.#salt = saltOf(options.name);
    this.#call = options.call;
    this.#clock = options.clock;
    this.#queue = options.queue;
    this.#failures = options.failures;
    this.#outside = options.outside;
    this.#cursor = options.cursor;
    this.#downstream = options.downstream;
    this.#handedOn = options.handedOn;
  }

  /**
   * Takes the record that the cursor is at.
   *
   * @param owner the shard or key group whose chain `emit` belongs to
   */
  push(value: unknown, emit: Emit<unknown>, owner: string | number): void {
    this.#take(value, emit, owner, this.#cursor.kept(this.#salt));
  }

  /** Takes a record that had no answer when a checkpoint was taken. */
  pushAgain(call: PendingCall, emit: Emit<unknown>): void {
    const { owner, value, timestamp, shard, position, sub, key, bytes } = call;
    const keys = key === undefined ? undefined : { keyAt: () => key };
    const origin = { shard, positionAt: () => position };
    const cursor = Object.assign(new RecordCursor(), {
      ...{ timestamp, origin, sub, salt: this.#salt, bytes, keys },
    });
    this.#take(value, emit, owner, cursor);
  }

  #take(value: unknown, emit: Emit<unknown>, owner: string | number, cursor: RecordCursor): void {
    this.#entries.push({ kind: "call", owner, value, cursor, emit, state: { kind: "waiting" } });
    this.#calls++;
    this.#startWaiting();
    this.gate.set(this.#calls >= this.#call.capacity);
  }

  /** Calls `pass` when everything before it has gone on. */
  mark(pass: () => void): void {
    if (this.#entries.length === 0) return pass();
    this.#entries.push({ kind: "mark", pass });
  }

  /** The records whose results have not gone on, in order, for a checkpoint: after a restart they are called for again. */
  snapshot(): PendingCall[] {
    return this.#entries.flatMap((entry) => {
      // Inside of a turn, at a mark: what has gone on before the mark still stands in line.
      if (entry.kind === "mark" || entry.state.kind === "gone") return [];
      const { owner, value, cursor } = entry;
      const { timestamp, origin, row, sub, key, bytes } = cursor;
      const { shard } = origin;
      const position = origin.positionAt(row);
      const operator = this.name;
      return [{
        operator,
        owner,
        value: plainRecord(value),
        timestamp,
        shard,
        position,
        sub,
        key,
        bytes,
      }];
    });
  }

  /** Lets results go on. */
  takeTurn(): void {
    this.#inLine = false;
    const keep: (Call | Mark)[] = [];
    let stopped = false;
    for (const entry of this.#entries) {
      if (stopped || this.#downstream.blocked) {
        keep.push(entry);
      } else if (entry.kind === "mark") {
        if (keep.length === 0) {
          this.#handedOn();
          entry.pass();
        } else {
          keep.push(entry);
          stopped = true;
        }
      } else if (!this.#goOn(entry)) {
        keep.push(entry);
        stopped = this.#call.ordered;
      }
    }
    this.#entries = keep;
    this.#handedOn();
    this.#startWaiting();
    this.gate.set(this.#calls >= this.#call.capacity);
  }

  /** Downstream can take more again. */
  resume(): void {
    if (this.#inLine || this.#entries.length === 0) return;
    this.#inLine = true;
    this.#queue.add(this);
  }

  /** Ends all calls. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries) {
      if (entry.kind !== "call" || entry.state.kind !== "running") continue;
      entry.state.cancelTimeout();
      entry.state.controller.abort();
    }
    this.#entries = [];
  }

  #goOn(call: Call): boolean {
    const { state } = call;
    if (state.kind !== "done" && state.kind !== "failed") return false;
    this.#calls--;
    call.state = { kind: "gone" };
    this.#cursor.goTo(call.cursor);
    if (state.kind === "done") call.emit(state.result);
    else this.#failures.thrown(this.name, call.value, state.error, this.#cursor);
    return true;
  }

  #startWaiting(): void {
    for (const entry of this.#entries) {
      if (this.#running >= this.#call.capacity) return;
      if (entry.kind === "call" && entry.state.kind === "waiting") this.#start(entry);
    }
  }

  #start(call: Call): void {
    const { timeoutMs } = this.#call;
    const controller = new AbortController();
    let cancelTimeout: Cancel = () => {};
    if (timeoutMs !== undefined) {
      cancelTimeout = this.#clock.setTimer(timeoutMs, () => {
        controller.abort();
        const error = new DOMException(`No answer within ${timeoutMs} ms`, "TimeoutError");
        this.#settle(call, { kind: "failed", error });
      });
    }
    call.state = { kind: "running", controller, cancelTimeout };
    this.#running++;
    this.#attempt(call, controller.signal).then(
      (result) => this.#settle(call, { kind: "done", result }),
      (error) => this.#settle(call, { kind: "failed", error }),
    );
  }

  async #attempt(call: Call, signal: AbortSignal): Promise<unknown> {
    const { run, attempts, retryDelayMs } = this.#call;
    for (let attempt = 1;; attempt++) {
      let returned = false;
      let delays = 0;
      this.#outside.enter();
      try {
        return await run(call.value, {
          signal,
          attempt,
          delay: async (duration) => {
            // Waiting for the clock, once or several times at once, is not waiting for the outside.
            if (++delays === 1 && !returned) this.#outside.leave();
            await delay(this.#clock, milliseconds(duration), signal);
            if (--delays === 0 && !returned) this.#outside.enter();
          },
        });
      } catch (error) {
        if (attempt >= attempts || signal.aborted) throw error;
      } finally {
        returned = true;
        if (delays === 0) this.#outside.leave();
      }
      await delay(this.#clock, retryDelayMs * 2 ** (attempt - 1), signal);
      signal.throwIfAborted();
    }
  }

  /** The first outcome counts: a late answer after a timeout changes nothing. */
  #settle(call: Call, outcome: CallState): void {
    if (call.state.kind !== "running" || this.#closed) return;
    call.state.cancelTimeout();
    call.state = outcome;
    this.#running--;
    this.resume();
  }
}
