import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  backoffMs,
  Retries,
  RETRY_DELAY_MS_BASE,
  RETRY_DELAY_MS_MAX,
  RETRY_LOG_INTERVAL_MS,
} from "../../../connectors/kinesis/backoff.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";

describe("backoffMs()", () => {
  it("spreads over all of a bound that doubles up to its maximum", () => {
    const bounds = [0, 1, 2, 3].map((attempt) => backoffMs(attempt, () => 1));
    assertEquals(bounds, [1, 2, 4, 8].map((factor) => RETRY_DELAY_MS_BASE * factor));
    assertEquals(backoffMs(1e6, () => 1), RETRY_DELAY_MS_MAX);
    assertEquals(backoffMs(5, () => 0), 0);
  });
});

describe("Retries", () => {
  const logged: unknown[] = [];
  let nowMs = 0;
  const context = {
    clock: { ...systemClock, monotonic: () => nowMs },
    random: () => 1,
    logger: {
      ...silentLogger,
      warn: (_: string, fields: unknown) => void logged.push(fields),
    },
  };

  it("waits longer with each failure and starts over after a success", () => {
    const retries = new Retries(context, {});
    const waits = [retries.failed("", 0), retries.failed("", 0)];
    retries.succeeded();
    assertEquals([...waits, retries.failed("", 0)], [100, 200, 100]);
  });

  it("logs a failure that goes on once per interval, with the number of failures", () => {
    logged.length = 0;
    const retries = new Retries(context, { shard: "s" });
    for (let failure = 0; failure < 10; failure++) retries.failed("Fails", new Error("why"));
    nowMs += RETRY_LOG_INTERVAL_MS;
    retries.failed("Fails", new Error("why"));
    assertEquals(logged, [
      { shard: "s", failures: 1, error: "Error", text: "why" },
      { shard: "s", failures: 11, error: "Error", text: "why" },
    ]);
  });

  it("counts what the caller counts where it is told", () => {
    const retries = new Retries(context, {});
    retries.failed("", 0);
    assertEquals(retries.failed("", 0, 0), 100);
  });
});
