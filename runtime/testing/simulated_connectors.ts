/**
 * Sources and sinks as a simulated worker sees them: slow and failing by the plan of faults, and silent once the worker is
 * gone, as they would be on a machine that has lost its power.
 *
 * @module
 */

import type { Sink, SinkContext, SinkWriter } from "../../connectors/sink.ts";
import { type ReadContext, type ShardBatch, type Source } from "../../connectors/source.ts";
import { pacedBatches, positionError, shardError } from "../../connectors/paced_batches.ts";
import { NO_TIMESTAMP } from "../../connectors/source.ts";
import { Observable } from "../../deps.ts";
import { delay } from "../clock.ts";
import type { SpawnedWorker } from "../ports/in_process_host.ts";
import type { Random } from "../random.ts";
import type { EventTrace } from "./event_trace.ts";
import { type FaultPlan, simulatedError } from "./fault_plan.ts";

const THROTTLED_MS_MAX = 500;
const SINK_MS_MAX = 200;

/** What they work with. */
export interface ConnectorFaults {
  readonly faults: FaultPlan;
  readonly random: Random;
  readonly trace: EventTrace;
  /** The longest time between two batches of a shard, without any fault, ms: a run must last for checkpoints to be taken. */
  readonly paceMs: number;
  /** Batches of a shard that come without a pause between them. */
  readonly burst: number;
}

/** A source that keeps a pace, and fails now and then. */
export function pacedSource(
  source: Source<unknown>,
  spawned: SpawnedWorker,
  { faults, random, trace, paceMs, burst }: ConnectorFaults,
): Source<unknown> {
  const read = (shard: string, after: string | undefined, context: ReadContext) => {
    trace.add(
      `worker ${spawned.worker} reads ${source.name}/${shard} ${
        after === undefined ? "from its start" : `behind ${after.slice(-12)}`
      }`,
    );
    let batches = 0;
    const next = async () => {
      const pauseMs = batches++ % burst === 0 ? Math.floor(random() * paceMs) : 0;
      const ms = pauseMs +
        faults.delayMs("source throttled", THROTTLED_MS_MAX);
      if (ms > 0) await delay(context.clock, ms, context.signal);
      if (!spawned.alive) await new Promise(() => {});
      await context.demand.next();
    };
    return new Observable<ShardBatch<unknown>>((subscriber) =>
      source.read(shard, after, { ...context, demand: { next } }).subscribe({
        next(batch) {
          if (!spawned.alive) return;
          if (!faults.ends("reader fails", 0.1)) return subscriber.next(batch);
          trace.add(`the reader of ${source.name}/${shard} fails`);
          subscriber.error(simulatedError("reader fails"));
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    );
  };
  return {
    ...source,
    kind: source.kind,
    name: source.name,
    bounded: source.bounded,
    shards: source.shards,
    read,
  };
}

/** A sink whose writers are slow and fail, and do nothing any more once their worker is gone. */
export function faultySink(
  sink: Sink<unknown>,
  spawned: SpawnedWorker,
  { faults, trace }: ConnectorFaults,
): Sink<unknown> {
  const pause = async (context: SinkContext, what: string) => {
    const ms = faults.delayMs("sink slow", SINK_MS_MAX);
    if (ms > 0) await delay(context.clock, ms);
    if (!spawned.alive) await new Promise(() => {});
    if (!faults.ends("sink fails", 0.1)) return;
    trace.add(`worker ${spawned.worker} can't ${what} ${sink.name}`);
    throw simulatedError("sink fails");
  };
  const open = async (context: SinkContext): Promise<SinkWriter<unknown>> => {
    if (!spawned.alive) await new Promise(() => {});
    const writer = await sink.open(context);
    const { prepare, commit } = writer;
    return {
      ...writer,
      write(batch) {
        if (!spawned.alive) return undefined;
        const room = writer.write(batch);
        const ms = faults.delayMs("sink slow", SINK_MS_MAX);
        return ms > 0 ? delay(context.clock, ms) : room;
      },
      ...(prepare === undefined ? {} : {
        // What is taken for an epoch is decided at the call, whenever it has been stored.
        async prepare(epoch) {
          if (!spawned.alive) await new Promise(() => {});
          const prepared = prepare(epoch);
          await pause(context, "prepare");
          return await prepared;
        },
      }),
      ...(commit === undefined ? {} : {
        async commit(epoch) {
          await pause(context, "commit");
          await commit(epoch);
          trace.add(`worker ${spawned.worker} commits ${sink.name} up to ${epoch}`);
        },
      }),
    };
  };
  return { kind: sink.kind, name: sink.name, guarantee: sink.guarantee, open };
}

/**
 * An array as a bounded source of one shard, in small batches.
 *
 * @param batchRowsMax at least 1
 */
export function arraySource<T>(values: readonly T[], batchRowsMax: number): Source<T> {
  const shard = "shard-0";
  const source: Source<T> = {
    kind: "simulated",
    name: "array",
    bounded: true,
    shards: () => Promise.resolve([{ id: shard, parents: [] }]),
    read: (id, after, context) =>
      pacedBatches(context, async function* () {
        if (id !== shard) throw shardError(source, id, [shard]);
        if (after !== undefined && !/^\d{1,15}$/.test(after)) {
          throw positionError(source, id, after, "expected a row number");
        }
        for (let row = after === undefined ? 0 : Number(after) + 1; row < values.length;) {
          const rows = values.slice(row, row + batchRowsMax);
          yield await Promise.resolve(arrayBatch(rows, row));
          row += rows.length;
        }
      }),
  };
  return source;
}

function arrayBatch<T>(rows: readonly T[], first: number): ShardBatch<T> {
  const positionAt = (row: number) => String(first + row);
  return {
    length: rows.length,
    bytes: rows.length,
    position: positionAt(rows.length - 1),
    valueAt: (row) => row < rows.length ? rows[row] as T : missing(row),
    positionAt,
    timestampAt: () => NO_TIMESTAMP,
  };
}

function missing(row: number): never {
  throw new RangeError(`Cannot give row ${row} of a batch: it is not there`);
}
