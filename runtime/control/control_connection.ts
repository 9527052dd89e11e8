/**
 * Lines over a connection between a command and a job: one each way, of bounded length, within bounded time.
 *
 * @module
 */

import { type Clock, delay } from "../clock.ts";
import { CONTROL_LINE_BYTES_MAX, CONTROL_REQUEST_MS_MAX } from "../limits.ts";
import {
  type ControlAnswer,
  controlLine,
  ControlProtocolError,
  type ControlRequest,
  parseAnswer,
  parseRequest,
} from "./control_protocol.ts";

/** A stream of bytes each way. */
export interface ControlConnection {
  /** Puts bytes at the beginning of `into`, and tells how many; null when the other side has ended. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends it; reads and writes under way are rejected. */
  close(): void;
}

/** Carries out what is asked; what it throws is answered as a failure. */
export type CarryOut = (request: ControlRequest) => Promise<ControlAnswer>;

const LINE_END = 0x0a;

/**
 * Answers one request, and closes the connection. A side that goes away, or sends nothing in time, gets no answer. Never
 * rejects.
 */
export async function serveRequest(
  connection: ControlConnection,
  clock: Clock,
  carryOut: CarryOut,
): Promise<void> {
  try {
    const answer = await answered(connection, clock, carryOut);
    if (answer !== undefined) await writeLine(connection, controlLine(answer));
  } catch {
    // Whoever asked is gone: there is nobody to tell.
  } finally {
    connection.close();
  }
}

async function answered(
  connection: ControlConnection,
  clock: Clock,
  carryOut: CarryOut,
): Promise<ControlAnswer | undefined> {
  let line: string | undefined;
  const given = new AbortController();
  const late = delay(clock, CONTROL_REQUEST_MS_MAX, given.signal).then(() => undefined);
  try {
    const reading = readLine(connection);
    // Closing ends the read if it is late; that is nobody's failure.
    reading.catch(() => {});
    line = await Promise.race([reading, late]);
    if (line === undefined) return undefined;
    return await carryOut(parseRequest(line));
  } catch (error) {
    return { type: "failed", reason: error instanceof Error ? error.message : String(error) };
  } finally {
    given.abort();
  }
}

/**
 * Asks a job, and closes the connection. Waits for as long as the job takes.
 *
 * @throws {ControlProtocolError} if what comes back is no answer
 * @throws {Error} if the job has ended before it has answered
 */
export async function askJob(
  connection: ControlConnection,
  request: ControlRequest,
): Promise<ControlAnswer> {
  try {
    await writeLine(connection, controlLine(request));
    const line = await readLine(connection);
    if (line === undefined) throw new Error("it has ended without an answer; see what it printed");
    return parseAnswer(line);
  } finally {
    connection.close();
  }
}

/**
 * The next line, without its end; undefined if the other side ends before one begins.
 *
 * @throws {ControlProtocolError} if it is too long, is no UTF-8, or breaks off
 */
export async function readLine(connection: ControlConnection): Promise<string | undefined> {
  const bytes = new Uint8Array(CONTROL_LINE_BYTES_MAX + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await connection.read(bytes.subarray(length));
    if (read === null) {
      if (length === 0) return undefined;
      throw new ControlProtocolError(`Cannot read a line: it breaks off after ${length} bytes`);
    }
    const end = bytes.subarray(length, length + read).indexOf(LINE_END);
    if (end >= 0) return lineOf(bytes.subarray(0, length + end));
    length += read;
  }
  throw new ControlProtocolError(
    `Cannot read a line: found more than ${CONTROL_LINE_BYTES_MAX} bytes without its end`,
  );
}

function lineOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ControlProtocolError("Cannot read a line: it is no UTF-8", { cause });
  }
}

async function writeLine(connection: ControlConnection, line: string): Promise<void> {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
