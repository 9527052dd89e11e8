/**
 * What the tests against an embedded Kinesis share: contexts made by hand, records put and read back.
 *
 * @module
 */

import { createStream, startEmbeddedKinesis } from "../../../connectors/kinesis/embedded.ts";
import { type KinesisConnection, openKinesis } from "../../../connectors/kinesis/client.ts";
import { type RawRecord, textOf } from "../../../connectors/raw_record.ts";
import type { SinkContext } from "../../../connectors/sink.ts";
import type { ReadContext, ShardBatch, Source } from "../../../connectors/source.ts";
import { systemClock } from "../../../runtime/clock.ts";
import type { LogFields, Logger } from "../../../runtime/logger.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { type FaultProxy, startFaultProxy } from "./fault_proxy.ts";
import { jumpingClock } from "./jumping_clock.ts";

/** Reading ends with an error after so many batches without the record that was waited for. */
const BATCHES_MAX = 2_000;

/** One log line. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A rejected row. */
export interface Rejected {
  readonly value: unknown;
  readonly origin: string;
  readonly reason: string;
}

/** An embedded Kinesis behind a proxy that injects faults, and everything to use it. */
export class StreamFixture {
  readonly #closing = new AbortController();
  readonly #closeKinesis: () => Promise<void>;
  readonly proxy: FaultProxy;
  /** Goes past the proxy. */
  readonly direct: KinesisConnection;
  readonly lines: LogLine[] = [];
  readonly rejected: Rejected[] = [];
  readonly failures: Error[] = [];
  readonly context: ReadContext & SinkContext;
  #aheadMs = 0;

  private constructor(
    closeKinesis: () => Promise<void>,
    proxy: FaultProxy,
    direct: KinesisConnection,
  ) {
    this.#closeKinesis = closeKinesis;
    this.proxy = proxy;
    this.direct = direct;
    const clock = jumpingClock();
    this.context = {
      clock: { ...clock, now: () => clock.now() + this.#aheadMs },
      random: seededRandom(1),
      logger: this.#logger(),
      aws: { endpoint: proxy.endpoint, region: "us-east-1" },
      signal: this.#closing.signal,
      demand: { next: () => Promise.resolve() },
      worker: 0,
      restored: [],
      reject: (row) => this.rejected.push(row),
      fail: (error) => this.failures.push(error),
    };
  }

  static async open(): Promise<StreamFixture> {
    const { endpoint, close } = await startEmbeddedKinesis();
    const proxy = await startFaultProxy(endpoint);
    const direct = await openKinesis({ endpoint, region: "us-east-1" });
    return new StreamFixture(close, proxy, direct);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.direct.client.destroy();
    await this.proxy.close();
    await this.#closeKinesis();
  }

  /** Everything that there is has become so many hours older, for those who read. */
  agedBy(hours: number): void {
    this.#aheadMs = hours * 3_600_000;
  }

  /** Creates a stream on the machine's clock. */
  async stream(name: string, shards: number): Promise<string> {
    await createStream(this.direct, name, shards, systemClock);
    return name;
  }

  /** Puts texts in order, each under its key. */
  async put(
    stream: string,
    rows: readonly (readonly [key: string, text: string])[],
  ): Promise<void> {
    const { client, sdk } = this.direct;
    const utf8 = new TextEncoder();
    for (let from = 0; from < rows.length; from += 500) {
      const Records = rows.slice(from, from + 500)
        .map(([PartitionKey, text]) => ({ PartitionKey, Data: utf8.encode(text) }));
      await client.send(new sdk.PutRecordsCommand({ StreamName: stream, Records }));
    }
  }

  #logger(): Logger {
    const at = (level: string) => (message: string, fields: LogFields = {}) => {
      this.lines.push({ level, message, fields });
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      critical: at("critical"),
    };
  }

  /** Reads a shard until `enough` says so or it ends. */
  read<T>(
    source: Source<T>,
    shard: string,
    after: string | undefined,
    enough: (values: readonly T[], batch: ShardBatch<T>) => boolean,
  ): Promise<
    { readonly values: T[]; readonly position: string | undefined; readonly ended: boolean }
  > {
    return new Promise((resolve, reject) => {
      const values: T[] = [];
      let position = after;
      let batches = 0;
      const subscription = source.read(shard, after, this.context).subscribe({
        next(batch) {
          for (let row = 0; row < batch.length; row++) values.push(batch.valueAt(row));
          position = batch.position;
          if (enough(values, batch)) resolve({ values, position, ended: false });
          else if (++batches > BATCHES_MAX) {
            reject(new Error(`Not enough: ${values.length} values`));
          } else return;
          // The first batch may come before subscribe() has returned.
          queueMicrotask(() => subscription.unsubscribe());
        },
        error: reject,
        complete: () => resolve({ values, position, ended: true }),
      });
    });
  }

  /** The texts in a shard, in order, up to `count` or the shard's end. */
  async texts(
    source: Source<RawRecord>,
    shard: string,
    count: number,
    after?: string,
  ): Promise<string[]> {
    const { values } = await this.read(source, shard, after, (all) => all.length >= count);
    return values.map(textOf);
  }
}
