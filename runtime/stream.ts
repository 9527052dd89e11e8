/**
 * Streams as jobs chain them: interfaces and their promises. Nothing runs while a job is built; calls are written down
 * by `stream_builder.ts` and become a topology that is checked before anything starts.
 *
 * @module
 */

import type { Observable, OperatorFunction } from "../deps.ts";
import type { RawRecord } from "../connectors/raw_record.ts";
import type { Sink } from "../connectors/sink.ts";
import type { FlatMapJsonPath, InvalidRecord } from "../operators/flat_map_json.ts";
import type { StandardSchema } from "../operators/standard_schema.ts";
import type { Duration } from "./duration.ts";
import type { Handles, StateSpecs } from "./state/state.ts";

/** What a stream can be keyed by. Keys are placed by their string form. */
export type Key = string | number;

/** What a handler returns: nothing, an array, or (as a generator method) a sequence. Outputs leave when all are there. */
export type Emits<Out> = Iterable<Out> | void;

/** What a handler of a keyed operator sees besides the value. Valid during the call only. */
export interface KeyedContext<K, S extends StateSpecs> {
  readonly key: K;
  readonly state: Handles<S>;
  /** Event time of the record, or of the timer, ms since the epoch; `-Infinity` for a record without one. */
  readonly timestamp: number;
  /** The operator's event-time clock: no record with a timestamp at or below it is expected. Starts at `-Infinity`. */
  readonly watermark: number;
  /**
   * Sets this key's timer `name` to fire once the watermark reaches `at`; one that is set already is moved. A time
   * that is over fires with the next watermark, as in Flink.
   *
   * @throws {RangeError} if `at` is not a finite number
   */
  setTimer(name: string, at: number): void;
  /** Takes this key's timer `name` back; nothing happens if none is set. */
  clearTimer(name: string): void;
}

/** What the behavior of an `actor()` sees: as {@linkcode KeyedContext}, without timers. */
export type ActorContext<K, S extends StateSpecs> = Omit<
  KeyedContext<K, S>,
  "setTimer" | "clearTimer"
>;

/** A keyed record, for RxJS operators on keyed streams. */
export interface Keyed<K, T> {
  readonly key: K;
  readonly value: T;
  readonly timestamp: number;
}

/** Event time of a stream. */
export interface EventTimeOptions<T> {
  /** When the record happened, ms since the epoch. */
  readonly timestamp: (value: T) => number;
  /** How much later than a newer record of its shard a record may come and still be on time. Default 0. */
  readonly outOfOrderness?: Duration;
  /** A shard without records for so long no longer holds the watermark back. Default: it holds it for ever. */
  readonly idleAfter?: Duration;
}

/** How `mapAsync` calls out. */
export interface MapAsyncOptions {
  /** Results leave in order of the records (default), or as they come but never across a watermark. */
  readonly ordered?: boolean;
  /** Calls under way at once, on each worker. Default 100. When reached, the stage stops until one ends. */
  readonly capacity?: number;
  /** For one record with all its retries. Default: none. */
  readonly timeout?: Duration;
  /** Default: no retries. */
  readonly retry?: {
    /** Calls in all, the first included. */
    readonly attempts: number;
    /** Before the first retry; doubled each time. Default 100 ms. */
    readonly delay?: Duration;
  };
}

/** What a `mapAsync` function is given. */
export interface AsyncContext {
  /** Aborted when the call timed out or the job closes. */
  readonly signal: AbortSignal;
  /** Counts from 1. */
  readonly attempt: number;
  /** Waits on the job's clock, so that tests in virtual time need not wait. */
  delay(duration: Duration): Promise<void>;
}

/** A stream of records of one type. */
export interface Stream<T> {
  /**
   * Plain RxJS operators, and ours. Only operators that answer within the call (no `delay`, no `mergeMap` of a promise:
   * that is what `mapAsync` is for), and only stateless ones unless losing their memory is fine: they are subscribed
   * once per actor, and what they remember is not checkpointed. An operator that throws costs the record, which
   * becomes a dead letter; what it had put out for it has left, and the chain is subscribed anew and goes on. One that
   * completes, such as `take`, ends its actor's part of the stream, as in RxJS; one that emits when it is subscribed,
   * such as `startWith`, has no record to emit for and fails the job.
   */
  pipe(): Stream<T>;
  pipe<A>(a: OperatorFunction<T, A>): Stream<A>;
  pipe<A, B>(a: OperatorFunction<T, A>, b: OperatorFunction<A, B>): Stream<B>;
  pipe<A, B, C>(
    a: OperatorFunction<T, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
  ): Stream<C>;
  pipe<A, B, C, D>(
    a: OperatorFunction<T, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    d: OperatorFunction<C, D>,
  ): Stream<D>;
  /**
   * Records as JSON: as the operator of the same name, with the invalid ones as a stream of their own. Once `.invalid`
   * is used they go there and are no dead letters.
   */
  flatMapJson<R>(
    this: Stream<RawRecord>,
    path: FlatMapJsonPath,
    schema: StandardSchema<R>,
  ): ParsedStream<R>;
  /**
   * Gives records event time, and the stream a watermark: per shard, the newest timestamp minus `outOfOrderness` minus
   * 1 ms, as Flink's bounded out-of-orderness. Times and watermarks from before are replaced.
   */
  eventTime(options: EventTimeOptions<T>): Stream<T>;
  /** Both streams as one. Order is kept within each. */
  merge<U>(other: Stream<U>): Stream<T | U>;
  /** Calls out for each record; see {@linkcode MapAsyncOptions}. A call that fails for good makes a dead letter. */
  mapAsync<R>(
    name: string,
    run: (value: T, context: AsyncContext) => Promise<R>,
    options?: MapAsyncOptions,
  ): Stream<R>;
  /** Cuts the stream: records of one key go to one actor, in order. */
  keyBy<K extends Key>(key: (value: T) => K): KeyedStream<K, T>;
  /** Ends in a sink of the job. */
  to(sink: Sink<T>): void;
}

/** A stream of parsed records with what could not be parsed. */
export interface ParsedStream<T> extends Stream<T> {
  /** Records, or nodes of records, that are not what was asked for, each with the reason. */
  readonly invalid: Stream<InvalidRecord>;
}

/** How a keyed operator with one input handles records. `state` comes first, so that the handlers' types follow. */
export interface ProcessOptions<K, S extends StateSpecs, T, Out, OutT> {
  readonly state: S;
  onEvent(value: T, context: KeyedContext<K, S>): Emits<Out>;
  /** A timer's outputs carry the timer's time. */
  onTimer?(name: string, context: KeyedContext<K, S>): Emits<OutT>;
}

/** How a keyed operator with two inputs handles records: both sides share the state of the key. */
export interface CoFlatMapOptions<K, S extends StateSpecs, L, R, OutL, OutR, OutT> {
  readonly state: S;
  left(value: L, context: KeyedContext<K, S>): Emits<OutL>;
  right(value: R, context: KeyedContext<K, S>): Emits<OutR>;
  onTimer?(name: string, context: KeyedContext<K, S>): Emits<OutT>;
}

/** How a key's mailbox is handled as an Observable. */
export interface ActorOptions<K, S extends StateSpecs, T, Out> {
  readonly state: S;
  /** Called when a key becomes active; what the Observable emits must come within the handling of a record. */
  behavior(mailbox: Observable<T>, context: ActorContext<K, S>): Observable<Out>;
  /** An inactive key's chain is dropped after so long, its state stays. Default 1 minute. */
  readonly passivateAfter?: Duration;
}

/** A stream cut by key. */
export interface KeyedStream<K extends Key, T> {
  /** Two inputs for one operator; nothing is promised about the order between them. */
  connect<U>(other: KeyedStream<K, U>): ConnectedStream<K, T, U>;
  /** State, timers and outputs per key. `name` identifies the operator in status and checkpoints. */
  process<const S extends StateSpecs, Out = never, OutT = never>(
    name: string,
    options: ProcessOptions<K, S, T, Out, OutT>,
  ): Stream<Out | OutT>;
  /** One mailbox Observable per active key; `state` survives passivation, the operators' memory does not. */
  actor<const S extends StateSpecs, Out>(
    name: string,
    options: ActorOptions<K, S, T, Out>,
  ): Stream<Out>;
  /** RxJS operators behind the cut, subscribed once per key group: records of one key come in order. */
  pipe<A>(operator: OperatorFunction<Keyed<K, T>, A>): Stream<A>;
}

/** Two keyed streams for one operator. */
export interface ConnectedStream<K extends Key, L, R> {
  /** As `process`, for two inputs. */
  coFlatMap<const S extends StateSpecs, OutL = never, OutR = never, OutT = never>(
    name: string,
    options: CoFlatMapOptions<K, S, L, R, OutL, OutR, OutT>,
  ): Stream<OutL | OutR | OutT>;
}
