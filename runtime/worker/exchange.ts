/**
 * A worker's connections to its stages' channels: batches, watermarks and credits between stages of the same worker go
 * straight, those to other workers over a link to each.
 *
 * @module
 */

import type { KeyedDecoder } from "../../operators/decoder/keyed_decoder.ts";
import type { Edge } from "../stage_plan.ts";
import { ColumnEncoder, UncloneableRow, uncloneableRows } from "../transport/column_codec.ts";
import { DecodedRows } from "../transport/decoded_rows.ts";
import { decodeRows, encodeRows, type RowBatch, transferables } from "../transport/row_batch.ts";
import type { Rows } from "../transport/rows.ts";
import { type Delivery, InboundChannel, OutboundChannel } from "./channel.ts";
import type { Failures } from "./failures.ts";
import type { MoveMessage } from "./group_moves.ts";
import type { KeyedStage } from "./keyed_stage.ts";
import { PeerLink } from "./peer_link.ts";
import type { Link, PeerMessage } from "./protocol.ts";
import { RecordCursor } from "./record_cursor.ts";
import type { StageMessage } from "./stage_inputs.ts";

/** The channels of one worker. */
export class Exchange {
  readonly #worker: number;
  /** To each other worker that is there, by number. */
  readonly #links: (PeerLink | undefined)[];
  readonly #mayWait: () => boolean;
  readonly #failures: Failures;
  readonly #edges: readonly Edge[];
  /** By edge: what decoded the rows that come over it as columns. */
  readonly #decoders: readonly (KeyedDecoder | undefined)[];
  readonly #stages = new Map<string, KeyedStage>();
  readonly #moved: (message: MoveMessage) => void;
  /** By edge, then worker. */
  readonly #outbound = new Map<number, OutboundChannel[]>();
  readonly #inbound = new Map<number, InboundChannel[]>();
  /** Who waits for a worker's answer to `settle`, by its number. */
  readonly #settling = new Map<number, { readonly worker: number; readonly then: () => void }>();
  #settles = 0;

  constructor(options: {
    readonly worker: number;
    /** How many workers there may be. */
    readonly slots: number;
    /** To each other worker that is there, by number. */
    readonly links: readonly (Link | undefined)[];
    readonly edges: readonly Edge[];
    readonly decoders: readonly (KeyedDecoder | undefined)[];
    readonly failures: Failures;
    /** Keys have come from another worker. */
    readonly moved: (message: MoveMessage) => void;
    /** Whether {@linkcode flush} will be called soon: then rows and credit wait for that. */
    readonly mayWait: () => boolean;
  }) {
    const { worker, slots, links, edges } = options;
    this.#worker = worker;
    this.#moved = options.moved;
    this.#mayWait = options.mayWait;
    this.#links = links.map((link) => link && new PeerLink(link));
    const workers = Array.from({ length: slots }, (_, of) => of);
    this.#edges = edges;
    this.#decoders = options.decoders;
    this.#failures = options.failures;
    for (const edge of edges) {
      this.#outbound.set(
        edge.id,
        workers.map((to) => new OutboundChannel(this.#delivery(edge, to))),
      );
      this.#inbound.set(
        edge.id,
        workers.map((from) => new InboundChannel(this.#creditor(edge, from))),
      );
    }
  }

  /** Stages are there: what the other workers send can be taken. */
  open(stages: Iterable<KeyedStage>): void {
    for (const stage of stages) this.#stages.set(stage.name, stage);
    for (const [from, link] of this.#links.entries()) {
      link?.onMessage((message) => this.#take(from, message));
    }
  }

  /** Another worker will join: what it sends can be taken. */
  connect(worker: number, link: Link): void {
    const peer = this.#links[worker] = new PeerLink(link);
    peer.onMessage((message) => this.#take(worker, message));
  }

  /** A worker is there no more. */
  disconnect(worker: number): void {
    this.#links[worker]?.close();
    this.#links[worker] = undefined;
    for (const [id, of] of [...this.#settling]) if (of.worker === worker) this.#settled(id);
  }

  /** The ways out over an edge, by worker. */
  outbound(edge: Edge): readonly OutboundChannel[] {
    return this.#outbound.get(edge.id) ?? [];
  }

  /** The ways in over an edge, by worker. */
  inbound(edge: Edge): readonly InboundChannel[] {
    return this.#inbound.get(edge.id) ?? [];
  }

  /** Hands over what has come together; to other workers with the next {@linkcode flush}. */
  handOver(): void {
    for (const channels of this.#outbound.values()) for (const channel of channels) channel.flush();
    for (const channels of this.#inbound.values()) for (const channel of channels) channel.flush();
  }

  /** Hands over what has come together, and sends it. */
  flush(): void {
    this.handOver();
    for (const link of this.#links) link?.flush();
  }

  /** Calls `then` once all that went out over the edges so far has arrived, on every worker. */
  settle(edges: readonly Edge[], then: () => void): void {
    for (const channel of edges.flatMap((edge) => this.outbound(edge))) channel.flush();
    if (edges.length === 0) then();
    else this.settleAll(then);
  }

  /** The same for all that was posted, over edges or not. */
  settleAll(then: () => void): void {
    this.settleWith([...this.#links.keys()], then);
  }

  /** The same for some workers. */
  settleWith(workers: readonly number[], then: () => void): void {
    const others = workers.filter((worker) => this.#links[worker] !== undefined);
    let left = others.length;
    if (left === 0) return then();
    for (const worker of others) {
      const id = this.#settles++;
      const settled = () => {
        if (--left === 0) then();
      };
      this.#settling.set(id, { worker, then: settled });
      this.#links[worker]?.post({ type: "settle", id });
    }
  }

  #settled(id: number): void {
    const of = this.#settling.get(id);
    this.#settling.delete(id);
    of?.then();
  }

  /** Sends something that is about no edge. */
  post(to: number, message: PeerMessage, movable: ArrayBuffer[]): void {
    this.#links[to]?.post(message, movable);
  }

  close(): void {
    for (const link of this.#links) link?.close();
  }

  /** Sends with the next flush, if there will be one soon. */
  #put(to: number, message: PeerMessage, movable?: ArrayBuffer[]): void {
    if (this.#mayWait()) this.#links[to]?.put(message, movable);
    else this.#links[to]?.post(message, movable);
  }

  #delivery(edge: Edge, to: number): Delivery {
    return to === this.#worker ? this.#localDelivery(edge) : this.#remoteDelivery(edge, to);
  }

  #localDelivery(edge: Edge): Delivery {
    const { input } = edge;
    const take = (message: StageMessage) => {
      const channel = this.#inbound.get(edge.id)?.[this.#worker];
      if (channel !== undefined) this.#stages.get(edge.to)?.take(channel, message);
    };
    return {
      rows: (rows) => {
        take({ kind: "rows", input, rows });
        return rows.length;
      },
      watermark: (origin, event) => take({ kind: "watermark", input, origin, event }),
      barrier: (epoch) => take({ kind: "barrier", epoch }),
      end: (final) => take({ kind: "end", input, final }),
    };
  }

  #remoteDelivery(edge: Edge, to: number): Delivery {
    const encoder = new ColumnEncoder();
    const post = (message: PeerMessage) => this.#links[to]?.post(message);
    return {
      rows: (of) => {
        if (of.kind === "columns") {
          const rows = of.encode();
          this.#put(to, { type: "rows", edge: edge.id, rows }, [rows.buffer]);
          return rows.length;
        }
        const rows = this.#encode(edge, to, of, encoder);
        if (rows.length > 0) {
          this.#put(to, { type: "rows", edge: edge.id, rows }, transferables(rows));
        }
        return rows.length;
      },
      watermark: (origin, event) => post({ type: "watermark", edge: edge.id, origin, event }),
      barrier: (epoch) => post({ type: "barrier", edge: edge.id, epoch }),
      end: (final) => post({ type: "end", edge: edge.id, final }),
    };
  }

  /** Rows that can't be sent become dead letters; the others go. */
  #encode(
    edge: Edge,
    to: number,
    batch: RowBatch,
    encoder: ColumnEncoder,
  ): ReturnType<typeof encodeRows> {
    try {
      return encodeRows(batch, encoder);
    } catch (error) {
      if (!(error instanceof UncloneableRow)) throw error;
    }
    const refused = uncloneableRows(batch.values, batch.length);
    for (const error of refused) {
      const { row } = error;
      const key = batch.keys[row] ?? "";
      const cursor = Object.assign(new RecordCursor(), {
        timestamp: batch.timestampAt(row),
        keys: { keyAt: () => key },
        origin: batch.originAt(row),
        row: batch.originRowAt(row),
        sub: batch.subAt(row),
      });
      this.#failures.refused(
        `${edge.from}/${"keyBy" in edge ? "keyBy" : "broadcast"}`,
        undefined,
        `${error.message} (worker ${to})`,
        cursor,
        error,
      );
    }
    return encodeRows(batch.without(new Set(refused.map(({ row }) => row))), encoder);
  }

  #decode(edge: Edge, rows: Extract<PeerMessage, { type: "rows" }>["rows"]): Rows {
    if (rows.kind === "values") return decodeRows(rows);
    const decoder = this.#decoders[edge.id];
    if (decoder === undefined) {
      throw new Error(
        `Cannot take columns over edge ${edge.id}: its rows are decoded otherwise here`,
      );
    }
    return DecodedRows.decode(rows, decoder);
  }

  #creditor(edge: Edge, from: number): (rows: number, bytes: number) => void {
    if (from === this.#worker) {
      return (rows, bytes) => this.#outbound.get(edge.id)?.[this.#worker]?.credit(rows, bytes);
    }
    return (rows, bytes) => this.#put(from, { type: "credit", edge: edge.id, rows, bytes });
  }

  #take(from: number, message: PeerMessage): void {
    switch (message.type) {
      case "settle":
        return this.#links[from]?.post({ type: "settled", id: message.id });
      case "settled":
        return this.#settled(message.id);
      case "keys":
      case "rest":
        return this.#moved(message);
      default:
        return this.#takeOverEdge(from, message);
    }
  }

  #takeOverEdge(from: number, message: Extract<PeerMessage, { edge: number }>): void {
    const edge = this.#edges[message.edge];
    const stage = edge === undefined ? undefined : this.#stages.get(edge.to);
    const channel = this.#inbound.get(message.edge)?.[from];
    if (edge === undefined || stage === undefined || channel === undefined) {
      throw new Error(
        `Cannot take a message for edge ${message.edge} from worker ${from}: there is no such edge`,
      );
    }
    const { input } = edge;
    switch (message.type) {
      case "rows":
        return stage.take(channel, { kind: "rows", input, rows: this.#decode(edge, message.rows) });
      case "watermark": {
        const { origin, event } = message;
        return stage.take(channel, { kind: "watermark", input, origin, event });
      }
      case "barrier":
        return stage.take(channel, { kind: "barrier", epoch: message.epoch });
      case "end":
        return stage.take(channel, { kind: "end", input, final: message.final });
      case "credit":
        return this.#outbound.get(message.edge)?.[from]?.credit(message.rows, message.bytes);
    }
  }
}
