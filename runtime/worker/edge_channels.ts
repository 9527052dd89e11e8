/**
 * The channels of one cut on one worker: an edge to each stage that reads it, on each edge a channel to each worker.
 * Workers may come and go while the job runs: there are channels for as many as there may ever be, and what is said to all
 * goes to those that are there.
 *
 * @module
 */

import { plantedBugs } from "../testing/planted_bugs.ts";
import type { WatermarkEvent } from "../time/watermark.ts";
import type { BarrierPurpose } from "./barrier_purpose.ts";
import type { OutboundChannel } from "./channel.ts";
import type { Gate } from "./gate.ts";

/** Channels by edge, then worker. */
export class EdgeChannels {
  readonly edges: readonly (readonly OutboundChannel[])[];
  readonly #workers: Set<number>;
  /** Those to workers that take part. */
  #open: readonly OutboundChannel[] = [];
  /** How it has ended, if it has. */
  #ended: { readonly final: boolean } | undefined;

  /**
   * @param edges by edge, then worker: for as many as there may be
   * @param workers those that take part: as many, from 0 on
   */
  constructor(edges: readonly (readonly OutboundChannel[])[], workers: number) {
    this.edges = edges;
    this.#workers = new Set(Array.from({ length: workers }, (_, worker) => worker));
    this.#choose();
  }

  /** Of all workers that take part. */
  get open(): readonly OutboundChannel[] {
    return this.#open;
  }

  /** Of all channels: of those to come too. */
  get gates(): readonly Gate[] {
    return this.edges.flat().map(({ gate }) => gate);
  }

  watermark(origin: string, event: WatermarkEvent): void {
    for (const channel of this.#open) channel.watermark(origin, event);
  }

  /** A barrier goes to all that take part before it. */
  barrier(epoch: number, purpose: BarrierPurpose): void {
    const early = purpose.kind === "hand over" &&
        plantedBugs.has("routing changed one batch early on one channel")
      ? this.edges[0]?.[purpose.moves[0]?.to ?? 0]
      : undefined;
    for (const channel of this.#open) {
      if (channel === early) channel.delayBarrier(epoch);
      else channel.barrier(epoch);
    }
    if (purpose.kind === "join") this.join(purpose.worker);
  }

  /** A worker takes part from here on. */
  join(worker: number): void {
    if (this.#workers.has(worker)) return;
    this.#workers.add(worker);
    this.#choose();
    const { final } = this.#ended ?? {};
    if (final === undefined) return;
    for (const channels of this.edges) channels[worker]?.end(final);
  }

  /** A worker takes part no more: what is on its way there is not waited for. */
  left(worker: number): void {
    this.#workers.delete(worker);
    this.#choose();
    for (const channels of this.edges) channels[worker]?.reset();
  }

  end(final: boolean): void {
    this.#ended = { final };
    for (const channel of this.#open) channel.end(final);
  }

  flush(): void {
    for (const channel of this.#open) channel.flush();
  }

  #choose(): void {
    this.#open = this.edges.flatMap((channels) =>
      channels.filter((_, worker) => this.#workers.has(worker))
    );
  }
}
