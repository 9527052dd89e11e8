/**
 * Logging. The engine takes a {@linkcode Logger} and never configures one; its shape is that of `@std/log`, so that
 * package, LogTape or pino can be passed in. The default writes one JSON object a line.
 *
 * @module
 */

/** Levels, least to most severe. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "critical"] as const;
/** How severe a log line is. */
export type LogLevel = typeof LOG_LEVELS[number];
/** What belongs to a log line besides its text: plain values, no payloads of records. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log lines go. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  critical(message: string, fields?: LogFields): void;
}

/** Takes a line that is already formatted; `error` and `critical` lines come with their level so they can go elsewhere. */
export type LogWriter = (line: string, level: LogLevel) => void;

/* Console methods write to stdout and stderr, and are what Deno's OpenTelemetry listens to. */
const toConsole: LogWriter = (line, level) => {
  // deno-lint-ignore no-console
  if (level === "error" || level === "critical") console.error(line);
  // deno-lint-ignore no-console
  else console.log(line);
};

/**
 * A logger that writes JSON lines: `{"level","time","message",...fields}`, time in ISO 8601.
 *
 * @param options.level lines below it are dropped; `"info"` by default
 * @param options.now milliseconds since the epoch, for the `time` field
 * @param options.fields added to every line
 * @param options.write where lines go; the console by default, which Deno's OpenTelemetry picks up
 *
 * @example Lines above a level
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jsonLinesLogger } from "./logger.ts";
 * const lines: string[] = [];
 * const logger = jsonLinesLogger({ level: "warn", now: () => 0, write: (line) => lines.push(line) });
 * logger.info("not this");
 * logger.warn("Shard is slow", { lagMs: 1200 });
 * assertEquals(lines, ['{"level":"warn","time":"1970-01-01T00:00:00.000Z","message":"Shard is slow","lagMs":1200}']);
 * ```
 */
export function jsonLinesLogger(options: {
  level?: LogLevel;
  now: () => number;
  fields?: LogFields;
  write?: LogWriter;
}): Logger {
  const { level: threshold = "info", now, fields: shared, write = toConsole } = options;
  const lowest = LOG_LEVELS.indexOf(threshold);
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(level) < lowest) return;
    const time = new Date(now()).toISOString();
    write(JSON.stringify({ level, time, message, ...shared, ...fields }), level);
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    critical: at("critical"),
  };
}

/** A logger that drops everything. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  critical() {},
};
