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
import type { BroadcastStream } from "./broadcast.ts";
import type { DedupeOptions } from "./dedupe.ts";
import type { Duration } from "./duration.ts";
import type { Key } from "./key.ts";
import type { NoSides, Sided, Sides, SideSpecs } from "./side.ts";
import type { KeyHash } from "./state/key_group.ts";
import type { Handles, StateSpecs } from "./state/state.ts";
import type { TimeDomain } from "./time/timers.ts";

/** What a handler returns: nothing, an array, or (as a generator method) a sequence. Outputs leave when all are there. */
export type Emits<Out> = Iterable<Out> | void;

/** What a handler of a keyed operator sees besides the value. Valid during the call only. */
export interface KeyedContext<K, S extends StateSpecs, O extends SideSpecs = NoSides> {
  readonly key: K;
  readonly state: Handles<S>;
  /** Puts out to side outputs that the operator declares: `side.NAME(value)`. */
  readonly side: Sides<O>;
  /** Event time of the record, or of the timer, ms since the epoch; `-Infinity` for a record without one. */
  readonly timestamp: number;
  /** The operator's event-time clock: no record with a timestamp at or below it is expected. Starts at `-Infinity`. */
  readonly watermark: number;
  /** The worker's clock, ms since the epoch: asked each time this is read. */
  readonly processingTime: number;
  /** In `onTimer`, which clock the timer went by; undefined in other handlers. */
  readonly timeDomain: TimeDomain | undefined;
  /**
   * Sets this key's timer `name` to fire once the watermark reaches `at`; one that is set already is moved. A time
   * that is over fires with the next watermark, as in Flink.
   *
   * @throws {RangeError} if `at` is not a finite number
   * @throws {TypeError} if `name` is empty, or the operator has no `onTimer`
   */
  setTimer(name: string, at: number): void;
  /**
   * Sets a timer of this key by its time, as Flink's: a key has any number of them, and setting one twice is setting it
   * once. `onTimer` gets `""` as its name, and its time as `timestamp`.
   */
  setTimer(at: number): void;
  /** Takes this key's timer `name`, or the one set for that time, back; nothing happens if there is none. */
  clearTimer(nameOrAt: string | number): void;
  /**
   * The same by the worker's clock: the timer fires once the clock reaches `at` (Flink waits a millisecond more), and
   * soon if that is over, but never within the call that sets it. `timestamp` is the timer's time in `onTimer`, and that
   * of its side outputs; what it returns has no event time, as in Flink. `processingTime` is the clock. The end of a bounded input neither fires these timers nor waits
   * for them.
   */
  setProcessingTimer(name: string, at: number): void;
  /** The same for a timer by its time. */
  setProcessingTimer(at: number): void;
  /** Takes back a timer that goes by the worker's clock. */
  clearProcessingTimer(nameOrAt: string | number): void;
}

/** What the behavior of an `actor()` sees: as {@linkcode KeyedContext}, without timers and sides. */
export type ActorContext<K, S extends StateSpecs> = Omit<
  KeyedContext<K, S>,
  "timeDomain" | "setTimer" | "clearTimer" | "setProcessingTimer" | "clearProcessingTimer" | "side"
>;

/** A keyed record, for RxJS operators on keyed streams. */
export interface Keyed<K, T> {
  readonly key: K;
  readonly value: T;
  readonly timestamp: number;
}

/** Event time of a stream. */
export interface EventTimeOptions<T> {
  /** When the record happened, ms since the epoch. Default: as the source, or an `eventTime` before, has it. */
  readonly timestamp?: (value: T) => number;
  /** How much later than a newer record of its shard a record may come and still be on time. Default 0. */
  readonly outOfOrderness?: Duration;
  /**
   * What promises that time has passed. Default: timestamps, by `outOfOrderness`. A function: records themselves, by the
   * watermark that it gives for one (Flink's punctuated generators); it goes out behind the record if it rises.
   * `"none"`: nothing does.
   */
  readonly watermark?: "none" | ((value: T, timestamp: number) => number | undefined);
  /**
   * The period at which watermarks of timestamps go out, those of all shards together, the first one a period after the
   * start (Flink's auto-watermark interval). Default: as soon as there is time after the records that raise them. Finer
   * watermarks cost messages; coarser ones let timers wait.
   */
  readonly emitEvery?: Duration;
  /**
   * A shard without records for so long no longer holds the watermark back, until its watermark next rises. Looked at
   * once each `emitEvery`, and then by Flink's rule: the time counts from the first look that finds nothing new, and
   * must be exceeded; without `emitEvery` once each `idleAfter`. Default: it holds it for ever.
   */
  readonly idleAfter?: Duration;
}

/** How a stream is cut by key. */
export interface KeyByOptions {
  /**
   * What the key is hashed as, which decides its key group. Default `"string"`: its string form, which is Flink's for
   * keys that are strings there. Where Flink has a number or a boolean, name its type, so that the key's state is in the
   * same key group in both. A key that is no value of the type fails its record. Both sides of a `connect` need the same.
   */
  readonly hash?: KeyHash;
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
   * 1 ms, as Flink's bounded out-of-orderness, or another one; see {@linkcode EventTimeOptions}. Times and watermarks
   * from before are replaced.
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
  /** Cuts the stream: records of one key go to one actor, in order. See {@linkcode KeyByOptions}. */
  keyBy<K extends Key>(key: (value: T) => K, options?: KeyByOptions): KeyedStream<K, T>;
  /** Ends in a sink of the job. */
  to(sink: Sink<T>): void;
}

/** A stream of parsed records with what could not be parsed. */
export interface ParsedStream<T> extends Stream<T> {
  /** Records, or nodes of records, that are not what was asked for, each with the reason. */
  readonly invalid: Stream<InvalidRecord>;
}

/** How a keyed operator with one input handles records. `state` comes first, so that the handlers' types follow. */
export interface ProcessOptions<
  K,
  S extends StateSpecs,
  T,
  Out,
  OutT,
  O extends SideSpecs = NoSides,
> {
  readonly state: S;
  /** Further outputs, each a stream of its own. */
  readonly sides?: O;
  onEvent(value: T, context: KeyedContext<K, S, O>): Emits<Out>;
  /** `name` is "" for a timer by its time. Outputs carry the time of an event-time timer, and none of the other kind. */
  onTimer?(name: string, context: KeyedContext<K, S, O>): Emits<OutT>;
}

/** How a keyed operator with two inputs handles records: both sides share the state of the key. */
export interface CoFlatMapOptions<
  K,
  S extends StateSpecs,
  L,
  R,
  OutL,
  OutR,
  OutT,
  O extends SideSpecs = NoSides,
> {
  readonly state: S;
  /** Further outputs, each a stream of its own. */
  readonly sides?: O;
  left(value: L, context: KeyedContext<K, S, O>): Emits<OutL>;
  right(value: R, context: KeyedContext<K, S, O>): Emits<OutR>;
  onTimer?(name: string, context: KeyedContext<K, S, O>): Emits<OutT>;
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
  /** A second input of which each record goes to all workers, for state that all keys share. */
  connectBroadcast<R>(other: Stream<R>): BroadcastStream<K, T, R>;
  /** State, timers and outputs per key. `name` identifies the operator in status and checkpoints. */
  process<
    const S extends StateSpecs,
    Out = never,
    OutT = never,
    const O extends SideSpecs = NoSides,
  >(
    name: string,
    options: ProcessOptions<K, S, T, Out, OutT, O>,
  ): Sided<Out | OutT, O>;
  /** One mailbox Observable per active key; `state` survives passivation, the operators' memory does not. */
  actor<const S extends StateSpecs, Out>(
    name: string,
    options: ActorOptions<K, S, T, Out>,
  ): Stream<Out>;
  /**
   * Passes the first row of each id of a key, and drops those with the same id that come within `keepFor` after it, in
   * processing time. Rows of a key keep their order. Behind a stream that is written at least once, with ids, that makes
   * reading exactly once. Rows of one id must be of one key: key by the id, or by what is the same in each repeat. Where
   * `id` throws or gives no string, the row becomes a dead letter.
   *
   * @throws {RangeError} if `keepFor` is no duration above 0
   */
  dedupe(name: string, options: DedupeOptions<T>): Stream<T>;
  /** RxJS operators behind the cut, subscribed once per key group: records of one key come in order. */
  pipe<A>(operator: OperatorFunction<Keyed<K, T>, A>): Stream<A>;
}

/** Two keyed streams for one operator. */
export interface ConnectedStream<K extends Key, L, R> {
  /** As `process`, for two inputs. */
  coFlatMap<
    const S extends StateSpecs,
    OutL = never,
    OutR = never,
    OutT = never,
    const O extends SideSpecs = NoSides,
  >(
    name: string,
    options: CoFlatMapOptions<K, S, L, R, OutL, OutR, OutT, O>,
  ): Sided<OutL | OutR | OutT, O>;
}
