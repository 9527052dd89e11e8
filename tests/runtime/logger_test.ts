import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { jsonLinesLogger, LOG_LEVELS, type LogLevel, silentLogger } from "../../runtime/logger.ts";

function collecting(level?: LogLevel) {
  const lines: [LogLevel, Record<string, unknown>][] = [];
  const logger = jsonLinesLogger({
    ...(level === undefined ? {} : { level }),
    now: () => 1500,
    fields: { job: "demo", worker: 0 },
    write: (line, level) => lines.push([level, JSON.parse(line)]),
  });
  return { logger, lines };
}

describe("jsonLinesLogger()", () => {
  it("writes level, time, message, shared fields and the line's own, which win", () => {
    const { logger, lines } = collecting();
    logger.warn("Shard is slow", { worker: 3, lagMs: 1200 });
    const time = "1970-01-01T00:00:01.500Z";
    const line = {
      level: "warn",
      time,
      message: "Shard is slow",
      job: "demo",
      worker: 3,
      lagMs: 1200,
    };
    assertEquals(lines, [["warn", line]]);
  });

  it("drops what is below its level, info unless said", () => {
    for (const level of [undefined, ...LOG_LEVELS]) {
      const { logger, lines } = collecting(level);
      for (const each of LOG_LEVELS) logger[each](each);
      const expected = LOG_LEVELS.slice(LOG_LEVELS.indexOf(level ?? "info"));
      assertEquals(lines.map(([level]) => level), expected);
    }
  });
});

describe("silentLogger", () => {
  it("has every level and returns nothing", () => {
    for (const level of LOG_LEVELS) assertEquals(silentLogger[level]("dropped"), undefined);
  });
});
