/**
 * What a command on this machine and a running job say to each other: one line of JSON each way. Pure.
 *
 * ```
 * command                                              job
 * {"penstock":1,"type":"savepoint"} ────────────────>
 *                    <──────────────── {"penstock":1,"type":"kept","savepoint":{…}}
 * ```
 *
 * @module
 */

import type { KeptCheckpoint } from "../supervisor/checkpoint_shelf.ts";
import type { JobState } from "../supervisor/job_state.ts";

/** Raised whenever one that speaks the version before would misunderstand; both sides must speak the same. */
export const CONTROL_VERSION = 1;

/** What is asked of a job. */
export type ControlRequest =
  | { readonly type: "status" }
  /** A savepoint now; the job goes on. */
  | { readonly type: "savepoint" }
  /** To read no further, process and write what was read, and end; answered when it has. */
  | {
    readonly type: "stop";
    /** As if the input were over. */
    readonly drain: boolean;
    /** And a savepoint of that moment. */
    readonly savepoint: boolean;
  };

/** What a job answers. */
export type ControlAnswer =
  | { readonly type: "status"; readonly job: string; readonly state: JobState["kind"] }
  | { readonly type: "kept"; readonly savepoint: KeptCheckpoint }
  | { readonly type: "stopped"; readonly savepoint: KeptCheckpoint | undefined }
  /** It could not be done, and why. */
  | { readonly type: "failed"; readonly reason: string };

/** A line is not what the protocol has. */
export class ControlProtocolError extends Error {
  override readonly name = "ControlProtocolError";
}

type Fields = Readonly<Record<string, unknown>>;

const STATES: ReadonlySet<unknown> = new Set<JobState["kind"]>([
  "created",
  "starting",
  "running",
  "draining",
  "restarting",
  "finished",
  "failed",
]);

/**
 * A request or an answer as a line, without its end.
 *
 * @example A request
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { controlLine } from "./control_protocol.ts";
 * assertEquals(controlLine({ type: "savepoint" }), '{"penstock":1,"type":"savepoint"}');
 * ```
 */
export function controlLine(message: ControlRequest | ControlAnswer): string {
  return JSON.stringify({ penstock: CONTROL_VERSION, ...message });
}

/**
 * Reads a request.
 *
 * @throws {ControlProtocolError} if it is none, or one of another version
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { controlLine, parseRequest } from "./control_protocol.ts";
 * const request = { type: "stop", drain: true, savepoint: false } as const;
 * assertEquals(parseRequest(controlLine(request)), request);
 * ```
 */
export function parseRequest(line: string): ControlRequest {
  const fields = fieldsOf("a request", line);
  const { type, drain, savepoint } = fields;
  if (type === "status" || type === "savepoint") return { type };
  if (type === "stop" && typeof drain === "boolean" && typeof savepoint === "boolean") {
    return { type, drain, savepoint };
  }
  throw new ControlProtocolError(
    `Cannot read a request: found ${excerpt(line)}, expected status, savepoint or stop`,
  );
}

/**
 * Reads an answer.
 *
 * @throws {ControlProtocolError} if it is none, or one of another version
 */
export function parseAnswer(line: string): ControlAnswer {
  const { type, job, state, savepoint, reason } = fieldsOf("a job's answer", line);
  if (type === "status" && typeof job === "string" && isState(state)) return { type, job, state };
  if (type === "kept" && isKept(savepoint)) return { type, savepoint };
  if (type === "stopped" && (savepoint === undefined || isKept(savepoint))) {
    return { type, savepoint };
  }
  if (type === "failed" && typeof reason === "string") return { type, reason };
  throw new ControlProtocolError(
    `Cannot read a job's answer: found ${excerpt(line)}, expected status, kept, stopped or failed`,
  );
}

function fieldsOf(what: string, line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ControlProtocolError(
      `Cannot read ${what}: found ${excerpt(line)}, expected a line of JSON`,
      { cause },
    );
  }
  if (!isFields(value) || !("penstock" in value)) {
    throw new ControlProtocolError(
      `Cannot read ${what}: found ${excerpt(line)}, expected an object with "penstock"`,
    );
  }
  if (value["penstock"] === CONTROL_VERSION) return value;
  throw new ControlProtocolError(
    `Cannot read ${what}: found version ${JSON.stringify(value["penstock"])} of the protocol, ` +
      `expected ${CONTROL_VERSION}; run the command of the Penstock that the job runs on`,
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isState(value: unknown): value is JobState["kind"] {
  return STATES.has(value);
}

function isKept(value: unknown): value is KeptCheckpoint {
  if (!isFields(value)) return false;
  const { id, store, kind, writtenBytes } = value;
  return Number.isSafeInteger(id) && typeof store === "string" &&
    typeof writtenBytes === "number" &&
    (kind === "savepoint" || kind === "checkpoint");
}

function excerpt(line: string): string {
  return line === ""
    ? "nothing"
    : JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
