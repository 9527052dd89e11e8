/**
 * Penstock: stateful stream processing over Kinesis. This module is the public API.
 *
 * @example A job: orders are added up per customer
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "npm:zod@4.6.7";
 * import { defineJob, flatMapJson, kinesis, runJob, simulatedStream, store } from "./mod.ts";
 *
 * const Order = z.object({ customer: z.string(), total: z.number() });
 *
 * const job = defineJob({
 *   name: "spending",
 *   sources: { orders: kinesis.source("orders") },
 *   sinks: { spending: kinesis.sink<{ customer: string; sum: number }>("spending", { partitionKey: (row) => row.customer }) },
 *   build({ orders }, { spending }) {
 *     orders
 *       .pipe(flatMapJson("$.orders[*]", Order))
 *       .keyBy((order) => order.customer)
 *       .process("sum", {
 *         state: { sum: store.value(0) },
 *         onEvent: (order, { key, state }) => [{ customer: key, sum: state.sum.value += order.total }],
 *       })
 *       .to(spending);
 *   },
 * });
 *
 * const run = await runJob(job, {
 *   orders: simulatedStream({
 *     shards: 2,
 *     records: [{ partitionKey: "a", data: { orders: [{ customer: "ann", total: 3 }, { customer: "ann", total: 4 }] } }],
 *   }),
 * });
 * assertEquals(run.output("spending"), [{ customer: "ann", sum: 3 }, { customer: "ann", sum: 7 }]);
 * ```
 *
 * @module
 */

export * from "./connectors/mod.ts";
export * from "./operators/mod.ts";
export type {
  BroadcastContext,
  BroadcastOptions,
  BroadcastStream,
  KeyedBroadcastContext,
} from "./runtime/broadcast.ts";
export type { DeadLetter, ErrorPolicy } from "./runtime/dead_letter.ts";
export type { DedupeOptions } from "./runtime/dedupe.ts";
export type { Duration } from "./runtime/duration.ts";
export {
  type BuildContext,
  defineJob,
  type Job,
  type SinkMap,
  type SourceMap,
  type Streams,
} from "./runtime/job.ts";
export type { Key } from "./runtime/key.ts";
export {
  jsonLinesLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  silentLogger,
} from "./runtime/logger.ts";
export {
  type NoSides,
  side,
  type Sided,
  type Sides,
  type SideSpec,
  type SideSpecs,
  type SideStreams,
} from "./runtime/side.ts";
export { Autoscaler } from "./runtime/scaling/autoscaler.ts";
export {
  type BlockedDecision,
  type BlockReason,
  explain,
  type HotKeyDecision,
  type LoadFigures,
  type MoveCost,
  type RebalanceDecision,
  type ScaleDownDecision,
  type ScaleUpDecision,
  type ScalingDecision,
  type StayDecision,
} from "./runtime/scaling/decision.ts";
export type { GroupDemand, LoadView, WorkerDemand } from "./runtime/scaling/demand.ts";
export { kinesisDataAnalytics } from "./runtime/scaling/kinesis_data_analytics.ts";
export type { GroupMove } from "./runtime/scaling/layout.ts";
export type {
  GroupLoad,
  HotKey,
  LoadSnapshot,
  WorkerLoad,
} from "./runtime/scaling/load_snapshot.ts";
export { responsive, type ResponsiveOptions } from "./runtime/scaling/responsive.ts";
export type { ScalingOptions, ScalingPolicyName } from "./runtime/scaling/scaling_options.ts";
export type {
  Alternative,
  ScaleWish,
  ScalingBounds,
  ScalingContext,
  ScalingPolicy,
  ScalingRule,
} from "./runtime/scaling/scaling_policy.ts";
export { checkpointStoreOf } from "./runtime/checkpoint/checkpoint_store_of.ts";
export { memoryStore } from "./runtime/checkpoint/memory_store.ts";
export { s3Store } from "./runtime/checkpoint/s3_store.ts";
export { sqliteStore } from "./runtime/checkpoint/sqlite_store.ts";
export type { CheckpointStore } from "./runtime/checkpoint/store.ts";
export {
  type JobHandle,
  type StartCheckpoints,
  startJob,
  type StartJobOptions,
} from "./runtime/start.ts";
export type { CheckpointEvent } from "./runtime/supervisor/checkpoint_event.ts";
export type { CheckpointOptions } from "./runtime/supervisor/checkpoint_policy.ts";
export type { KeptCheckpoint } from "./runtime/supervisor/checkpoint_shelf.ts";
export type { CheckpointChoice, KeepCheckpoints } from "./runtime/supervisor/open_checkpoints.ts";
export type {
  ReadonlyHandles,
  ReadonlyListState,
  ReadonlyMapState,
  ReadonlyValueState,
} from "./runtime/state/readonly_state.ts";
export {
  type Handles,
  type ListState,
  type MapState,
  type StateSpec,
  type StateSpecs,
  store,
  type ValueState,
} from "./runtime/state/state.ts";
export type {
  ActorContext,
  ActorOptions,
  AsyncContext,
  CoFlatMapOptions,
  ConnectedStream,
  Emits,
  EventTimeOptions,
  KeyByOptions,
  Keyed,
  KeyedContext,
  KeyedStream,
  MapAsyncOptions,
  ParsedStream,
  ProcessOptions,
  Stream,
} from "./runtime/stream.ts";
export type { TimeDomain } from "./runtime/time/timers.ts";
export type { KeyHash } from "./runtime/state/key_group.ts";
export type { JobOutcome } from "./runtime/supervisor/supervisor_options.ts";
export type {
  DecisionCost,
  DecisionOutcome,
  MadeDecision,
} from "./runtime/supervisor/decision_log.ts";
export type { JobStatus, WorkerStatus } from "./runtime/supervisor/job_status.ts";
export { runJob, type RunJobOptions, type TestRun } from "./runtime/testing/run_job.ts";
export {
  simulate,
  type SimulateOptions,
  SimulationError,
  type SimulationSummary,
} from "./runtime/testing/simulate.ts";
export type { TestInputs } from "./runtime/testing/test_inputs.ts";
export { type Fault, FAULTS } from "./runtime/testing/fault_plan.ts";
export {
  simulatedStream,
  type SimulatedStreamOptions,
} from "./runtime/testing/simulated_stream.ts";
