import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  askJob,
  type ControlConnection,
  readLine,
  serveRequest,
} from "../../../runtime/control/control_connection.ts";
import {
  type ControlAnswer,
  controlLine,
  ControlProtocolError,
  type ControlRequest,
} from "../../../runtime/control/control_protocol.ts";
import { CONTROL_LINE_BYTES_MAX, CONTROL_REQUEST_MS_MAX } from "../../../runtime/limits.ts";
import { HandClock } from "../hand_clock.ts";

/** A connection whose other side has sent pieces; at their end it has ended, or says nothing more. */
class SentConnection implements ControlConnection {
  readonly #pieces: Uint8Array[];
  readonly #ends: boolean;
  readonly #stuck = Promise.withResolvers<never>();
  /** What was written. */
  written = "";
  closed = false;

  constructor(pieces: readonly (string | Uint8Array)[], ends = true) {
    const encoder = new TextEncoder();
    this.#pieces = pieces.map((piece) => typeof piece === "string" ? encoder.encode(piece) : piece);
    this.#ends = ends;
    this.#stuck.promise.catch(() => {});
  }

  read(into: Uint8Array): Promise<number | null> {
    const piece = this.#pieces.shift();
    if (piece === undefined) return this.#ends ? Promise.resolve(null) : this.#stuck.promise;
    into.set(piece.subarray(0, into.length));
    if (piece.length > into.length) this.#pieces.unshift(piece.subarray(into.length));
    return Promise.resolve(Math.min(piece.length, into.length));
  }

  /** A few bytes at a time. */
  write(bytes: Uint8Array): Promise<number> {
    const taken = bytes.subarray(0, 7);
    this.written += new TextDecoder().decode(taken);
    return Promise.resolve(taken.length);
  }

  close(): void {
    this.closed = true;
    this.#stuck.reject(new Error("closed"));
  }
}

/** What a job answers to what was sent, and what it was asked. */
async function served(
  connection: SentConnection,
  answer: () => Promise<ControlAnswer> = () =>
    Promise.resolve({ type: "status", job: "orders", state: "running" }),
) {
  const asked: ControlRequest[] = [];
  const clock = new HandClock();
  await serveRequest(connection, clock, (request) => {
    asked.push(request);
    return answer();
  });
  assertEquals([connection.closed, clock.waiting], [true, 0]);
  return { asked, written: connection.written };
}

describe("serveRequest()", () => {
  it("answers a request that comes in pieces, by one line", async () => {
    const line = `${controlLine({ type: "stop", drain: true, savepoint: true })}\n`;
    const { asked, written } = await served(new SentConnection([...line]));
    assertEquals(asked, [{ type: "stop", drain: true, savepoint: true }]);
    assertEquals(written, '{"penstock":1,"type":"status","job":"orders","state":"running"}\n');
  });

  it("answers with the reason what can't be done or read", async () => {
    const failing = () => Promise.reject(new Error("it is not running"));
    const { written } = await served(
      new SentConnection([`${controlLine({ type: "savepoint" })}\n`]),
      failing,
    );
    assertEquals(written, '{"penstock":1,"type":"failed","reason":"it is not running"}\n');
    for (const line of ['{"penstock":9,"type":"status"}\n', "no\n", '{"penstock":1', "\xff\n"]) {
      const { asked, written } = await served(new SentConnection([line]));
      assertEquals(asked, []);
      assertEquals(JSON.parse(written).type, "failed", line);
    }
    const broken = await served(new SentConnection([new Uint8Array([0xff, 0x0a])]));
    assertEquals(JSON.parse(broken.written).reason, "Cannot read a line: it is no UTF-8");
  });

  it("takes a line as long as may be, and none that is longer", async () => {
    const request = controlLine({ type: "status" });
    const longest = `${request}${" ".repeat(CONTROL_LINE_BYTES_MAX - request.length)}\n`;
    assertEquals((await served(new SentConnection([longest]))).asked, [{ type: "status" }]);
    const { asked, written } = await served(new SentConnection([` ${longest}`], false));
    assertEquals(asked, []);
    assertEquals(
      JSON.parse(written).reason,
      `Cannot read a line: found more than ${CONTROL_LINE_BYTES_MAX} bytes without its end`,
    );
  });

  it("lets a side go that says nothing", async () => {
    assertEquals((await served(new SentConnection([]))).written, "");
    const silent = new SentConnection(["{"], false);
    const clock = new HandClock();
    const serving = serveRequest(silent, clock, () => Promise.reject(new Error("not asked")));
    clock.pass(CONTROL_REQUEST_MS_MAX - 1);
    assertEquals(silent.closed, false);
    clock.pass(1);
    await serving;
    assertEquals([silent.closed, silent.written], [true, ""]);
  });
});

describe("askJob()", () => {
  it("sends a line and gives the answer", async () => {
    const connection = new SentConnection([`${controlLine({ type: "failed", reason: "no" })}\n`]);
    assertEquals(await askJob(connection, { type: "savepoint" }), { type: "failed", reason: "no" });
    assertEquals(connection.written, '{"penstock":1,"type":"savepoint"}\n');
    assertEquals(connection.closed, true);
  });

  it("says when there is no answer, or half of one", async () => {
    const ended = new SentConnection([]);
    await assertRejects(() => askJob(ended, { type: "status" }), Error, "ended without an answer");
    const half = new SentConnection(['{"penstock":1,']);
    await assertRejects(() => askJob(half, { type: "status" }), ControlProtocolError, "breaks off");
    assertEquals([ended.closed, half.closed], [true, true]);
  });
});

describe("readLine()", () => {
  it("ends a line at its end, whatever comes behind it", async () => {
    assertEquals(await readLine(new SentConnection(["a", "b\nc\n"])), "ab");
    assertEquals(await readLine(new SentConnection(["\n"])), "");
    assertEquals(await readLine(new SentConnection([])), undefined);
  });
});
