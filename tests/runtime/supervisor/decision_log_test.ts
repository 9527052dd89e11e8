import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DECISIONS_KEPT } from "../../../runtime/limits.ts";
import type { ScalingDecision } from "../../../runtime/scaling/decision.ts";
import { DecisionLog } from "../../../runtime/supervisor/decision_log.ts";

const figures = {
  ...{ workers: 2, cores: 1.2, maxLoad: 0.9, rowsPerSecond: 100, lagMs: -1, oldestMs: 0 },
  ...{ backPressured: 0, starved: 0 },
};
const blocked: ScalingDecision = {
  ...{ kind: "blocked", at: 5, figures, what: "scale up", reason: "bounds", because: "it is so" },
  until: undefined,
};
const up: ScalingDecision = {
  ...{ kind: "scale up", at: 5, figures, because: "it is so", considered: [], moves: [] },
  ...{ cost: { groups: 0, bytes: 0, pauseMs: 0 }, maxLoadAfter: 0.5, policy: "responsive" },
  ...{ from: 2, to: 3, added: [2] },
};
const cost = { groups: 3, bytes: 4, pauseMs: 5, shards: 0, tookMs: 6 };

describe("DecisionLog", () => {
  it("keeps what was decided, when, from which figures, and what came of it", () => {
    const log = new DecisionLog();
    const made = log.add(up, 1000, { kind: "under way", cost });
    log.add(blocked, 2000, { kind: "told" });
    const done = log.update(made, { kind: "done", cost });
    assertEquals(log.decisions[0], done);
    assertEquals(
      log.decisions.map(({ number, kind, at, workers, outcome }) => [
        ...[number, kind, at, workers.from, workers.to, outcome.kind],
      ]),
      [[1, "scale up", 1000, 2, 3, "done"], [2, "blocked", 2000, 2, 2, "told"]],
    );
    assertEquals([log.decisions[1]?.text, log.decisions[1]?.figures], [
      "No scale up: it is so",
      figures,
    ]);
  });

  it("keeps the last ones, and what was given out stays as it was", () => {
    const log = new DecisionLog();
    const first = log.add(up, 0, { kind: "under way", cost });
    const before = log.decisions;
    for (let at = 1; at <= DECISIONS_KEPT; at++) log.add(blocked, at, { kind: "told" });
    log.update(first, { kind: "done", cost });
    assertEquals(log.decisions.length, DECISIONS_KEPT);
    assertEquals([log.decisions[0]?.number, log.decisions.at(-1)?.number], [2, DECISIONS_KEPT + 1]);
    assertEquals(before, [first]);
  });
});
