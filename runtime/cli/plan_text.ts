/**
 * A job's plan as text for a terminal. Pure.
 *
 * @module
 */

import type { JobPlan, PlannedEdge } from "../stage_plan.ts";

/**
 * What a job consists of: sources, stages, edges with what they are keyed by, sinks, and how records are decoded, each
 * with why.
 *
 * @example A job that copies
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { planText } from "./plan_text.ts";
 * const text = planText({
 *   job: "copy",
 *   maxParallelism: 128,
 *   onError: "resume",
 *   sources: [{ name: "from", kind: "memory", of: "ones", bounded: true }],
 *   sinks: [{ name: "to", kind: "memory", of: "copies" }],
 *   stages: [{ name: "from", kind: "source", states: [], calls: [] }],
 *   edges: [],
 *   decoding: [],
 * });
 * assertEquals(text.split("\n").slice(0, 4), [
 *   'copy: key groups 128, on error "resume"',
 *   "",
 *   "Sources",
 *   "  from  memory  ones  ends by itself",
 * ]);
 * ```
 */
export function planText(
  { job, maxParallelism, onError, sources, stages, edges, sinks, decoding }: JobPlan,
): string {
  const inputsOf = (stage: string) =>
    edges.filter(({ to }) => to === stage).map(({ input }) => input);
  const inputs = new Map(stages.map(({ name }) => [name, new Set(inputsOf(name)).size]));
  const parts = [
    `${job}: key groups ${maxParallelism}, on error ${JSON.stringify(onError)}`,
    section(
      "Sources",
      sources.map((
        { name, kind, of, bounded },
      ) => [name, kind, of, bounded ? "ends by itself" : ""]),
    ),
    section("Stages", stages.map(({ name, kind }) => [name, kind])),
    section(
      "Edges",
      edges.map((edge) => [
        `${edge.from} -> ${edge.to}`,
        (inputs.get(edge.to) ?? 0) > 1 ? sideOf(edge, edges) : "",
        `as ${edge.as}`,
        "keyBy" in edge ? `keyed by ${edge.key}` : "to all workers",
      ]),
    ),
    section("Sinks", sinks.map(({ name, kind, of }) => [name, kind, of])),
    section(
      "Decoding",
      decoding.map(({ operator, paths, schema, way, why }) => [
        operator,
        paths.join(" > "),
        schema,
        `by ${way}: ${why}`,
      ]),
    ),
  ];
  return parts.join("\n\n");
}

/** Which input it is of a stage that has two. */
function sideOf(edge: PlannedEdge, edges: readonly PlannedEdge[]): string {
  if ("broadcast" in edge) return "broadcast";
  const isBeside = edges.some((other) => other.to === edge.to && "broadcast" in other);
  return isBeside ? "keyed" : ["left", "right"][edge.input] ?? "";
}

/** Rows under a heading, in columns; a column that is empty throughout is left out. */
function section(heading: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return `${heading}\n  none`;
  const columns = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  const lines = rows.map((row) => {
    const cells = row.flatMap((cell, column) => {
      const width = columns[column] ?? 0;
      return width === 0 ? [] : [cell.padEnd(width)];
    });
    return `  ${cells.join("  ")}`.trimEnd();
  });
  return [heading, ...lines].join("\n");
}
