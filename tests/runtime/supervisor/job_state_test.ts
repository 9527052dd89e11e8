import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type JobState, transition } from "../../../runtime/supervisor/job_state.ts";

const cause = new Error("boom");
const STATES: readonly JobState[] = [
  { kind: "created" },
  { kind: "starting", attempt: 1 },
  { kind: "running", attempt: 1 },
  { kind: "draining", attempt: 1 },
  { kind: "restarting", attempt: 1, afterMs: 250, cause },
  { kind: "finished" },
  { kind: "failed", cause },
];

describe("transition()", () => {
  it("takes the steps of the diagram and no others", () => {
    const taken: string[] = [];
    for (const from of STATES) {
      const kinds = STATES.flatMap((to) => {
        try {
          assertStrictEquals(transition(from, to), to);
          return [to.kind];
        } catch {
          return [];
        }
      });
      taken.push(`${from.kind}: ${kinds.join(" ")}`);
    }
    assertEquals(taken, [
      "created: starting",
      "starting: running draining restarting finished failed",
      "running: draining restarting finished failed",
      "draining: finished failed",
      "restarting: starting finished failed",
      "finished: ",
      "failed: ",
    ]);
  });

  it("names the step that it refuses", () => {
    assertThrows(
      () => transition({ kind: "finished" }, { kind: "starting", attempt: 2 }),
      Error,
      'Cannot take a job from "finished" to "starting"',
    );
  });
});
