/**
 * Which cuts records can pass as columns: from the bytes of a source through its schema or `flatMapJson`, and perhaps
 * `eventTime`, straight into a `keyBy`, where key and times are fields that are simply read. Every worker finds the same
 * cuts in the same topology, so that the number of an edge says what the columns that come over it are.
 *
 * @module
 */

import { type ColumnDecoder, decoderOf } from "../operators/decoder/column_decoder.ts";
import type { KeyedDecoder } from "../operators/decoder/keyed_decoder.ts";
import type { OperatorFunction } from "../deps.ts";
import { selectedField } from "../operators/field_selector.ts";
import {
  consumersOf,
  type Node,
  type NodeId,
  type NodeOf,
  type Output,
  type Topology,
} from "./topology.ts";

/** A cut that columns can pass. */
export interface ColumnarCut {
  readonly decoder: KeyedDecoder;
  /** The node that decodes. */
  readonly decodedBy: NodeId;
  /** The eventTime nodes on the way, in order, each with the column that has its times. */
  readonly times: readonly { readonly node: NodeOf<"eventTime">; readonly column: number }[];
}

/**
 * The cut at a keyBy; undefined if only rows can pass it.
 *
 * @example Fields and their key
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memory } from "../connectors/memory/memory.ts";
 * import { fields } from "../operators/fields.ts";
 * import { columnarCut } from "./columnar_cut.ts";
 * import { defineJob } from "./job.ts";
 * import { silentLogger } from "./logger.ts";
 * import { kinesis } from "../connectors/kinesis/kinesis.ts";
 * import { buildTopology } from "./stream_builder.ts";
 *
 * const job = defineJob({
 *   name: "copy",
 *   sources: { from: kinesis.source("orders") },
 *   sinks: { to: memory.sink<{ id: string }>() },
 *   build: ({ from }, { to }) => {
 *     from.flatMapJson("$", fields({ id: "string" }))
 *       .keyBy((order) => order.id)
 *       .process("copy", { state: {}, onEvent: (order) => [order] })
 *       .to(to);
 *   },
 * });
 * const topology = buildTopology(job, { params: undefined, logger: silentLogger });
 * const keyBy = topology.nodes.find((node) => node.kind === "keyBy");
 * assertEquals(keyBy && columnarCut(topology, keyBy.id)?.decoder.key.kind, "string");
 * ```
 */
export function columnarCut(topology: Topology, keyById: NodeId): ColumnarCut | undefined {
  const keyBy = topology.nodes[keyById];
  const key = keyBy?.kind === "keyBy" ? selectedField(keyBy.key) : undefined;
  // Key groups of columns are those of string forms.
  if (keyBy?.kind !== "keyBy" || key === undefined || keyBy.hash !== "string") return undefined;
  const timed: NodeOf<"eventTime">[] = [];
  let { input } = keyBy;
  for (;;) {
    const node = topology.nodes[input.node];
    // What takes another way as well goes as rows.
    if (node === undefined || input.port !== "main" || !isOnlyWay(topology, input)) {
      return undefined;
    }
    if (node.kind === "eventTime") {
      timed.unshift(node);
      input = node.input;
      continue;
    }
    const decoding = decodingNode(node, topology);
    const decoder = decoding?.decoder.keyedBy(key);
    if (decoding === undefined || decoder === undefined || decoding.rest.length > 0) {
      return undefined;
    }
    const times = timed.flatMap((node) => {
      // A watermark behind a record needs the record.
      if (node.timestamp === undefined || typeof node.watermark === "function") return [];
      const column = decoder.numbersAt(selectedField(node.timestamp) ?? []);
      return column === undefined ? [] : [{ node, column }];
    });
    return times.length < timed.length
      ? undefined
      : { decoder, decodedBy: decoding.node.id, times };
  }
}

/** A node that decodes what a source reads. */
export interface DecodingNode {
  readonly node: NodeOf<"source"> | NodeOf<"flatMapJson"> | NodeOf<"pipe">;
  readonly decoder: ColumnDecoder<unknown>;
  /** The operator that does; undefined if the source does itself. */
  readonly operator: OperatorFunction<unknown, unknown> | undefined;
  /** The operators of a pipe behind it. */
  readonly rest: readonly OperatorFunction<unknown, unknown>[];
}

/** The node as one that decodes; undefined if it does not begin with that, or stands elsewhere. */
export function decodingNode(node: Node, topology: Topology): DecodingNode | undefined {
  if (node.kind === "source") {
    const decoder = decoderOf(node.source);
    return decoder && { node, decoder, operator: undefined, rest: [] };
  }
  if (node.kind !== "flatMapJson" && node.kind !== "pipe") return undefined;
  const [operator, ...rest] = node.kind === "pipe" ? node.operators : [node.operator];
  const decoder = operator && decoderOf(operator);
  if (decoder === undefined || topology.nodes[node.input.node]?.kind !== "source") return undefined;
  return isOnlyWay(topology, node.input) ? { node, decoder, operator, rest } : undefined;
}

function isOnlyWay(topology: Topology, output: Output): boolean {
  return consumersOf(topology, output).length === 1;
}
