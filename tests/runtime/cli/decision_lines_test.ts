import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decisionLines } from "../../../runtime/cli/decision_lines.ts";
import type { DecisionOutcome, MadeDecision } from "../../../runtime/supervisor/decision_log.ts";

const figures = {
  ...{ workers: 1, cores: 1.2, maxLoad: 0.9, rowsPerSecond: 100, lagMs: -1, oldestMs: 0 },
  ...{ backPressured: 0, starved: 0 },
};
const cost = { groups: 16, bytes: 1_200_000, pauseMs: 11.2, shards: 1, tookMs: 310 };
const nothing = { groups: 0, bytes: 0, pauseMs: 0, shards: 0, tookMs: 2 };

function made(
  number: number,
  outcome: DecisionOutcome,
  kind: MadeDecision["kind"] = "scale up",
): MadeDecision {
  const text = `Decision ${number}`;
  return { number, kind, at: 0, text, figures, workers: { from: 1, to: 2 }, outcome };
}

describe("decisionLines()", () => {
  it("tells a decision when it comes, and what came of it when it is done", () => {
    const first = made(1, { kind: "under way", cost: nothing });
    assertEquals(decisionLines([], [first]), ["Decision 1"]);
    assertEquals(decisionLines([first], [first]), []);
    const further = made(1, { kind: "under way", cost });
    assertEquals(decisionLines([first], [further]), []);
    const done = made(1, { kind: "done", cost });
    assertEquals(decisionLines([further], [done, made(2, { kind: "told" }, "hot key")]), [
      "Done, scale up to 2 workers: 16 key groups and 1 shard moved with 1.2 MB, stopped for 12 ms at most, in 310 ms",
      "Decision 2",
    ]);
    assertEquals(decisionLines([done], [done]), []);
  });

  it("tells what failed, and what was left, also within one look", () => {
    const failed = made(3, { kind: "failed", cost: nothing, reason: "no threads" }, "rebalance");
    assertEquals(decisionLines([], [failed]), [
      "Decision 3",
      "Failed, rebalance: no threads; until then 0 key groups moved with 0 B, stopped for 0 ms at most, in 2 ms",
    ]);
    const [, left] = decisionLines([], [made(4, { kind: "left", cost: nothing }, "scale down")]);
    assertEquals(left?.startsWith("Left, scale down to 2 workers, as the job ends"), true);
  });

  it("takes nothing for new that was there before", () => {
    const list = [5, 6, 7].map((number) => made(number, { kind: "told" }));
    assertEquals(decisionLines(list.slice(1), list), []);
    assertEquals(decisionLines(list, list.slice(2)), []);
  });
});
