/**
 * A proxy in front of an embedded Kinesis that answers wrongly when told to: the faults that the real service and
 * real networks have and the emulator has not. A fault is used once, by the next call of its operation.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

/** What goes wrong with a call. */
export type Fault =
  /** It is not done, and answered with an error. */
  | {
    readonly kind: "error";
    readonly status: number;
    readonly type: string;
    readonly message?: string;
  }
  /** Its connection is cut, before it is done or after. */
  | { readonly kind: "drop"; readonly when: "before" | "after" }
  /** It is answered with this and not done. */
  | { readonly kind: "answer"; readonly body: string }
  /** PutRecords: entries for which `fails` holds are not put; the others are. */
  | { readonly kind: "partial"; readonly fails: (index: number) => boolean };

/** A running proxy. */
export interface FaultProxy {
  readonly endpoint: string;
  /** Lets the next calls of an operation go wrong, one fault each. */
  readonly inject: (operation: string, ...faults: Fault[]) => void;
  /** Faults not used yet. */
  readonly remaining: () => number;
  /** Bodies of the calls of an operation, in order of arrival. */
  readonly calls: (operation: string) => readonly string[];
  readonly close: () => Promise<void>;
}

interface Forwarded {
  readonly status: number;
  readonly body: string;
}

interface PutRecordsBody {
  readonly StreamName: string;
  readonly Records: readonly unknown[];
}

const THROTTLED = {
  ErrorCode: "ProvisionedThroughputExceededException",
  ErrorMessage: "Rate exceeded for shard",
};

/** Starts a proxy to `target`, such as `"http://127.0.0.1:4567"`. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const faults = new Map<string, Fault[]>();
  const calls = new Map<string, string[]>();
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  async function handle(incoming: IncomingMessage, response: ServerResponse) {
    const operation = String(incoming.headers["x-amz-target"]).split(".")[1] ?? "";
    const body = await textOfBody(incoming);
    calls.set(operation, [...calls.get(operation) ?? [], body]);
    const fault = faults.get(operation)?.shift();
    const { status, body: text } = await answered(target, incoming, body, fault);
    if (status === 0) {
      incoming.socket.destroy();
      return;
    }
    response.statusCode = status;
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(text);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("The proxy has no port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    inject: (operation, ...more) => {
      faults.set(operation, [...faults.get(operation) ?? [], ...more]);
    },
    remaining: () => [...faults.values()].reduce((sum, { length }) => sum + length, 0),
    calls: (operation) => calls.get(operation) ?? [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The answer to give; status 0 cuts the connection. */
async function answered(
  target: string,
  incoming: IncomingMessage,
  body: string,
  fault: Fault | undefined,
): Promise<Forwarded> {
  switch (fault?.kind) {
    case undefined:
      return await forward(target, incoming, body);
    case "error": {
      const { status, type, message = "Injected" } = fault;
      return { status, body: JSON.stringify({ __type: type, message }) };
    }
    case "drop":
      if (fault.when === "after") await forward(target, incoming, body);
      return { status: 0, body: "" };
    case "answer":
      return { status: 200, body: fault.body };
    case "partial":
      return await partial(target, incoming, body, fault.fails);
  }
}

async function partial(
  target: string,
  incoming: IncomingMessage,
  body: string,
  fails: (index: number) => boolean,
): Promise<Forwarded> {
  const asked: PutRecordsBody = JSON.parse(body);
  // Asked once per entry: the answer may be random.
  const failed = asked.Records.map((_, index) => fails(index));
  const Records = asked.Records.filter((_, index) => !failed[index]);
  let done: readonly unknown[] = [];
  if (Records.length > 0) {
    const { body: text } = await forward(target, incoming, JSON.stringify({ ...asked, Records }));
    const answer: { readonly Records: readonly unknown[] } = JSON.parse(text);
    done = answer.Records;
  }
  const rest = done.values();
  const merged = asked.Records.map((_, index) => failed[index] ? THROTTLED : rest.next().value);
  const FailedRecordCount = asked.Records.length - Records.length;
  return { status: 200, body: JSON.stringify({ FailedRecordCount, Records: merged }) };
}

function forward(target: string, incoming: IncomingMessage, body: string): Promise<Forwarded> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const headers = { ...incoming.headers, "content-length": String(bytes.length) };
    const outgoing = request(target, { method: "POST", headers, agent: false }, (response) => {
      textOfBody(response)
        .then((text) => resolve({ status: response.statusCode ?? 500, body: text }))
        .catch(reject);
    });
    outgoing.on("error", reject);
    outgoing.end(bytes);
  });
}

async function textOfBody(message: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
