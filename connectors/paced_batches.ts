/**
 * Batches at the pace of whoever is downstream. Bridges from pulling, which async generators do, to the cold observable
 * that `Source.read()` gives: a grant is awaited before each batch, so connectors need no pacing of their own.
 *
 * @module
 */

import { Observable } from "../deps.ts";
import type { ReadContext, ShardBatch } from "./source.ts";

/**
 * An observable that takes one batch of a generator per grant of `context.demand`. It completes when the generator
 * returns and errors when it throws. Unsubscribing, and the abort of `context.signal`, ends the generator: then nothing
 * more is delivered, and after an abort it does not complete either, since completing says that the shard has ended.
 *
 * @param batches called for each subscription; its signal is aborted when the generator must let go, and whatever it
 * awaits must end on that
 *
 * @example Two batches, two grants
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pacedBatches } from "./paced_batches.ts";
 * import { seededRandom } from "../runtime/random.ts";
 * import { systemClock } from "../runtime/clock.ts";
 * import { silentLogger } from "../runtime/logger.ts";
 * let grants = 0;
 * const context = {
 *   demand: { next: () => Promise.resolve(void grants++) },
 *   clock: systemClock,
 *   random: seededRandom(1),
 *   logger: silentLogger,
 *   aws: {},
 *   signal: new AbortController().signal,
 * };
 * const batch = { length: 0, bytes: 0, position: "1", valueAt() {}, positionAt: () => "1", timestampAt: () => 0 };
 * const batch$ = pacedBatches(context, async function* () {
 *   yield batch;
 *   yield batch;
 * });
 * await new Promise<void>((complete) => batch$.subscribe({ complete }));
 * assertEquals(grants, 3); // The third found the end.
 * ```
 */
export function pacedBatches<Batch extends ShardBatch<unknown>>(
  context: ReadContext,
  batches: (signal: AbortSignal) => AsyncGenerator<Batch, void, undefined>,
): Observable<Batch> {
  return new Observable((subscriber) => {
    const unsubscribed = new AbortController();
    const signal = AbortSignal.any([context.signal, unsubscribed.signal]);
    const generator = batches(signal);
    // While a grant is awaited, which may be for ever, the generator would keep what it holds.
    signal.addEventListener("abort", () => void generator.return().catch(() => {}), { once: true });
    const run = async () => {
      while (!signal.aborted) {
        await context.demand.next();
        if (signal.aborted) return;
        const next = await generator.next();
        if (signal.aborted) return;
        if (next.done) return subscriber.complete();
        subscriber.next(next.value);
      }
    };
    run().catch((error) => {
      if (!signal.aborted) subscriber.error(error);
    });
    return () => unsubscribed.abort();
  });
}

/** Resolves when the signal is aborted: where an unbounded source has nothing more to give. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

/**
 * The error for a position that a source can't have given out.
 *
 * @param source the source's kind and name
 * @param reason what is wrong with the position, such as `"expected a row number"`
 */
export function positionError(
  source: { readonly kind: string; readonly name: string },
  shard: string,
  after: string,
  reason: string,
): RangeError {
  return new RangeError(
    `Cannot read ${source.kind} source "${source.name}", shard "${shard}", after position ${
      JSON.stringify(after)
    }: ${reason}; restore a checkpoint of this source, or start without one`,
  );
}

/** The error for a shard that a source does not have. */
export function shardError(
  source: { readonly kind: string; readonly name: string },
  shard: string,
  known: readonly string[],
): RangeError {
  return new RangeError(
    `Cannot read ${source.kind} source "${source.name}": there is no shard "${shard}" among its ${known.length}; ` +
      "restore a checkpoint of this source, or start without one",
  );
}
