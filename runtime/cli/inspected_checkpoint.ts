/**
 * What a checkpoint has, but for the content of its keyed state: as plain data, and as text for a terminal. Pure.
 *
 * @module
 */

import { inspect } from "node:util";
import type { LoadedCheckpoint } from "../checkpoint/loaded_checkpoint.ts";
import type { Manifest, ManifestOperator, ManifestState } from "../checkpoint/manifest.ts";
import { decodeRest } from "../checkpoint/rest_of_checkpoint.ts";
import { timeText } from "./list_command.ts";
import { textColumns } from "./text_columns.ts";

/** An operator of a checkpoint. */
export interface InspectedOperator extends ManifestOperator {
  /** Key groups that have state. */
  readonly groups: number;
  /** Pieces that its state lies in: a base and changes upon it for each key group. */
  readonly chunks: number;
  /** Content of its broadcast state by name; undefined where it has none. */
  readonly broadcastContent: Readonly<Record<string, unknown>> | undefined;
}

/** What a checkpoint has. */
export interface InspectedCheckpoint extends Omit<Manifest, "operators" | "chunks" | "rest"> {
  /** Bytes of all parts. */
  readonly bytes: number;
  readonly operators: readonly InspectedOperator[];
  /** Event time behind each stage. */
  readonly watermarks: Readonly<Record<string, number>>;
  /** How many calls of each `mapAsync` were under way. */
  readonly calls: Readonly<Record<string, number>>;
}

/** What a checkpoint has. */
export function inspectedCheckpoint(loaded: LoadedCheckpoint): InspectedCheckpoint {
  const { chunks, rest: _, operators, ...manifest } = loaded.manifest;
  const { stages } = decodeRest(loaded.rest);
  const calls = Map.groupBy(stages.flatMap(({ pending }) => pending), ({ operator }) => operator);
  return {
    ...manifest,
    bytes: manifest.parts.reduce((sum, part) => sum + part.bytes, 0),
    operators: operators.map((operator) => {
      const of = chunks.filter((chain) => chain.operator === operator.name);
      return {
        ...operator,
        groups: of.length,
        chunks: of.reduce((sum, { chain }) => sum + chain.length, 0),
        broadcastContent: stages.find(({ name }) => name === operator.name)?.broadcast,
      };
    }),
    watermarks: Object.fromEntries(stages.map(({ name, watermark }) => [name, watermark])),
    calls: Object.fromEntries([...calls].map(([operator, { length }]) => [operator, length])),
  };
}

/** The same for a terminal. */
export function inspectedText(checkpoint: InspectedCheckpoint): string {
  const { job, kind, id, at, startedAt, maxParallelism, workers, bytes } = checkpoint;
  const lines = [
    `${kind} ${id} of job "${job}", made ${timeText(at)}, ${bytes.toLocaleString("en-US")} bytes`,
    `${maxParallelism} key groups, on ${counted(workers, "worker")}; the job was first started ${
      timeText(startedAt)
    }`,
  ];
  const section = (heading: string, rows: readonly string[]) => {
    if (rows.length > 0) lines.push("", heading, ...rows.map((row) => `  ${row}`));
  };
  section("Operators", checkpoint.operators.flatMap(operatorLines));
  section(
    "Watermarks",
    textColumns(
      Object.entries(checkpoint.watermarks).map(([stage, at]) => [stage, watermarkText(at)]),
    ),
  );
  section(
    "Calls under way",
    textColumns(Object.entries(checkpoint.calls).map(([name, calls]) => [name, String(calls)])),
  );
  section(
    "Sources",
    checkpoint.sources.flatMap(({ name, kind, of, shards }) => [
      `${name}  ${kind}  ${of}`,
      ...textColumns(shards.map(({ id, state, position }) => [
        `  ${id}`,
        state === "ended" ? "read to its end" : position ?? "not read yet",
      ])),
    ]),
  );
  section(
    "Sinks",
    textColumns(checkpoint.sinks.map(({ name, kind, of }) => [name, kind, of])),
  );
  return lines.join("\n");
}

function operatorLines(
  { name, kind, keys, timers = 0, bytes, groups, chunks, states, broadcast = [], broadcastContent }:
    InspectedOperator,
): string[] {
  const figures = [
    counted(keys, "key"),
    counted(bytes, "byte"),
    counted(timers, "timer"),
    `${counted(chunks, "chunk")} in ${counted(groups, "key group")}`,
  ];
  return [
    `${name}  ${kind}  ${figures.join(", ")}`,
    ...textColumns(states.map((state) => ["  state", ...stateCells(state)])),
    ...broadcast.flatMap((state) => [
      ...textColumns([["  broadcast", ...stateCells(state)]]),
      `    ${contentText(broadcastContent?.[state.name], "    ")}`,
    ]),
  ];
}

function stateCells({ name, kind, version, holds }: ManifestState): string[] {
  const what = kind === "value" && holds !== "undefined" && holds !== ""
    ? `value of ${holds}`
    : kind;
  return [name, what, `version ${version}`];
}

/**
 * A content as text, further lines indented.
 *
 * @example A map
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { contentText } from "./inspected_checkpoint.ts";
 * assertEquals(contentText(new Map([["a", 1]]), ""), "Map(1) { 'a' => 1 }");
 * ```
 */
export function contentText(content: unknown, indent: string): string {
  return inspect(content, { depth: 8, maxArrayLength: 1000, maxStringLength: 10_000 })
    .replaceAll("\n", `\n${indent}`);
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

function watermarkText(at: number): string {
  if (at === Infinity) return "the end";
  return at === -Infinity ? "none yet" : String(at);
}
