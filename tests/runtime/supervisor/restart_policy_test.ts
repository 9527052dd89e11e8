import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  RESTART_DELAY_MS,
  RESTART_DELAY_MS_MAX,
  RESTART_WINDOW_MS,
  RESTARTS_MAX,
} from "../../../runtime/limits.ts";
import { decideRestart } from "../../../runtime/supervisor/restart_policy.ts";

const NOW = 5_000_000;
const recent = (count: number) => new Array<number>(count).fill(NOW - 1);

describe("decideRestart()", () => {
  it("waits twice as long each time, up to a maximum", () => {
    const waits = [0, 1, 2, 6, 7, 9].map((restarts) => {
      const decision = decideRestart(recent(restarts), NOW, () => 1);
      return decision.kind === "restart" ? decision.afterMs : undefined;
    });
    const [d, max] = [RESTART_DELAY_MS, RESTART_DELAY_MS_MAX];
    assertEquals(waits, [d, 2 * d, 4 * d, 64 * d, max, max]);
  });

  it("waits between half of that and all of it", () => {
    const wait = (random: number) => decideRestart(recent(1), NOW, () => random);
    assertEquals([wait(0), wait(0.5)], [
      { kind: "restart", afterMs: RESTART_DELAY_MS },
      { kind: "restart", afterMs: 1.5 * RESTART_DELAY_MS },
    ]);
  });

  it("takes other limits", () => {
    const limits = { restartsMax: 2, windowMs: 1000, delayMs: 10, delayMsMax: 15 };
    const decide = (restarts: readonly number[]) => decideRestart(restarts, NOW, () => 1, limits);
    assertEquals([decide([NOW - 1000, NOW - 1000]), decide([NOW - 1]), decide([NOW, NOW])], [
      { kind: "restart", afterMs: 10 },
      { kind: "restart", afterMs: 15 },
      { kind: "give up", restarts: 2, windowMs: 1000 },
    ]);
  });

  it("gives up at the limit, and forgets what is older than its window", () => {
    const last = recent(RESTARTS_MAX - 1);
    assertEquals(decideRestart(last, NOW, () => 1).kind, "restart");
    assertEquals(decideRestart([NOW - RESTART_WINDOW_MS, ...last], NOW, () => 1).kind, "restart");
    assertEquals(decideRestart([NOW - RESTART_WINDOW_MS + 1, ...last], NOW, () => 1), {
      kind: "give up",
      restarts: RESTARTS_MAX,
      windowMs: RESTART_WINDOW_MS,
    });
  });
});
