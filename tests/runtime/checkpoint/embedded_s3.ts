/**
 * An S3 in this process, for tests: fauxqs, and in front of it what it lacks. That is conditional writes, as S3 has them,
 * and objects beyond 11 MiB, which go to it in several pieces. In front there are also faults: requests that fail, wait, or
 * whose answer gets lost.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { loadFauxqs } from "../../deps.ts";

const PIECE_BYTES = 8 << 20;
/** What is between two servers only. */
const HOP_HEADERS = [
  "connection",
  "content-length",
  "expect",
  "host",
  "if-none-match",
  "transfer-encoding",
];

/** A request as faults see it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
}

/** What becomes of a request: an answer of that status instead of S3's, or an answer that is lost. */
export type Fate = { readonly status: number; readonly code: string } | "lost" | undefined;

/** A running S3. */
export interface EmbeddedS3 {
  readonly endpoint: string;
  /** Asked about each request before it is carried out. */
  fate: (request: SeenRequest) => Fate | Promise<Fate>;
  /** Objects that one answer lists; as many as S3 does unless said. */
  pageKeys?: number;
  readonly close: () => Promise<void>;
}

/** Starts an S3 with one bucket. */
export async function startEmbeddedS3(bucket: string): Promise<EmbeddedS3> {
  const { startFauxqs } = await loadFauxqs();
  const emulator = await startFauxqs({ port: 0, logger: false });
  emulator.createBucket(bucket);
  const inner = `http://127.0.0.1:${emulator.port}`;
  const writing = new Set<string>();
  const front = createServer((request, response) => {
    answer(request, response).catch((error) => send(response, 500, "InternalError", String(error)));
  });
  const s3: EmbeddedS3 = {
    endpoint: await new Promise((resolve) => {
      front.listen(0, "127.0.0.1", () => {
        const address = front.address();
        resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : address}`);
      });
    }),
    fate: () => undefined,
    close: async () => {
      await new Promise((resolve) => front.close(resolve));
      await emulator.stop();
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const pieces: Uint8Array[] = [];
    for await (const piece of request) pieces.push(piece);
    const body = new Uint8Array(Buffer.concat(pieces));
    const fate = await s3.fate({ method, url });
    if (fate !== undefined && fate !== "lost") {
      send(response, fate.status, fate.code, "by the test");
      return;
    }
    const isConditional = request.headers["if-none-match"] === "*";
    const [path = ""] = url.split("?");
    if (isConditional && writing.has(path)) {
      send(response, 409, "ConditionalRequestConflict", "Another one is under way");
      return;
    }
    if (isConditional) writing.add(path);
    try {
      if (isConditional && (await fetch(inner + path, { method: "HEAD" })).ok) {
        send(response, 412, "PreconditionFailed", "There is one");
        return;
      }
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) {
        if (typeof value === "string" && !HOP_HEADERS.includes(name)) headers.set(name, value);
      }
      const answered = method === "PUT" && body.length > PIECE_BYTES
        ? await putLarge(inner + path, body)
        : await fetch(inner + url + pageSize(url), {
          method,
          headers,
          ...(body.length > 0 ? { body } : {}),
        });
      const answerBody = new Uint8Array(await answered.arrayBuffer());
      if (fate === "lost") {
        request.socket.destroy();
        return;
      }
      response.statusCode = answered.status;
      for (const [name, value] of answered.headers) {
        if (!HOP_HEADERS.includes(name)) response.setHeader(name, value);
      }
      response.end(answerBody);
    } finally {
      if (isConditional) writing.delete(path);
    }
  }

  function pageSize(url: string): string {
    return s3.pageKeys !== undefined && url.includes("list-type=2")
      ? `&max-keys=${s3.pageKeys}`
      : "";
  }
  return s3;
}

async function putLarge(object: string, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  const begun = await (await fetch(`${object}?uploads`, { method: "POST" })).text();
  const upload = /<UploadId>(.*?)<\/UploadId>/.exec(begun)?.[1];
  const tags: string[] = [];
  for (let from = 0; from < body.length; from += PIECE_BYTES) {
    const piece = await fetch(`${object}?partNumber=${tags.length + 1}&uploadId=${upload}`, {
      method: "PUT",
      body: body.subarray(from, from + PIECE_BYTES),
    });
    await piece.body?.cancel();
    tags.push(piece.headers.get("etag") ?? "");
  }
  const list = tags.map((tag, index) =>
    `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`
  );
  const ended = await fetch(`${object}?uploadId=${upload}`, {
    method: "POST",
    body: `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`,
  });
  const text = await ended.text();
  return new Response(ended.ok ? "" : text, { status: ended.status });
}

function send(response: ServerResponse, status: number, code: string, message: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/xml");
  response.end(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}
