/**
 * Where the engine differs from Flink on purpose. A case is recognised by what its spec and input say, never by which
 * one it is or what is expected of it.
 *
 * @module
 */

import type { GoldenCase } from "./golden_file.ts";

/** A feature that is not the same. */
export interface Difference {
  readonly feature: string;
  /** Families in which it shows. */
  readonly families: readonly string[];
  readonly reason: string;
  /** Whether a case has the feature. */
  readonly shows: (of: Pick<GoldenCase, "spec" | "input">) => boolean;
}

/** All of them. */
export const DIFFERENCES: readonly Difference[] = [
  {
    feature: "idleness said again at a period when a source has no split left",
    families: ["watermark"],
    reason:
      "A source here says nothing any more once its last shard has been let go: there is no actor that would, and " +
      "whoever listens knows already.",
    shows({ spec, input }) {
      if (spec["kind"] !== "splits") return false;
      let open = 0;
      let idleBefore = false;
      return input.some((step) => {
        if ("add" in step) open++;
        if ("remove" in step) open--;
        if (step["status"] === "idle") idleBefore = true;
        return "periodic" in step && open === 0 && idleBefore;
      });
    },
  },
];

/** The difference that a case of a family shows, if any. */
export function differenceOf(family: string, of: GoldenCase): Difference | undefined {
  return DIFFERENCES.find(({ families, shows }) => families.includes(family) && shows(of));
}
