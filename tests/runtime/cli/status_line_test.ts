import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { statusLine, summary } from "../../../runtime/cli/status_line.ts";
import type { JobStatus, WorkerStatus } from "../../../runtime/supervisor/job_status.ts";

const plan = {
  job: "demo",
  maxParallelism: 128,
  onError: "resume",
  sources: [{ name: "in", kind: "kinesis", of: "orders", bounded: false }],
  sinks: [{ name: "out", kind: "kinesis", of: "totals" }],
  stages: [],
  edges: [],
  decoding: [],
} as const;

const worker = (number: number, cpuMs: number, more: Partial<WorkerStatus> = {}): WorkerStatus => ({
  ...{ worker: number, cpuMs, waiting: 0, groups: 64, heapUsed: -1, heapTotal: -1, gcShare: -1 },
  ...more,
});
const status = (records: number, rows: number, more: Partial<JobStatus> = {}): JobStatus => ({
  state: "running",
  sources: { in: { records, bytes: 0, shards: 1, lagMs: 1250 } },
  stages: {},
  sinks: { out: { rows, pending: 0 } },
  deadLetters: 0,
  workers: [worker(0, 100, { waiting: 12345 }), worker(1, -1)],
  decisions: [],
  ...more,
});
const before = { at: 10_000, status: status(1000, 100) };

describe("statusLine()", () => {
  it("tells counts, rates since the line before, lag, and each worker's CPU, mailboxes and heap", () => {
    const heap = { heapUsed: 41_400_000, heapTotal: 60e6 };
    const workers = [worker(0, 1100, { waiting: 12345, ...heap }), worker(1, -1)];
    assertEquals(
      statusLine(plan, 2000, before, { at: 12_000, status: status(6000, 2100, { workers }) }),
      "10 s | orders 6,000 in 2,500/s | totals 2,100 out 1,000/s | lag 1,250 ms | " +
        "workers 2 | worker 0 cpu 50 % mailbox 12,345 heap 41 MB | worker 1 cpu ? % mailbox 0",
    );
  });

  it("tells when workers come and go", () => {
    const line = (count: number, from = before) => {
      const workers = Array.from({ length: count }, (_, number) => worker(number, 1000));
      return statusLine(plan, 0, from, { at: 11_000, status: status(0, 0, { workers }) });
    };
    assertStringIncludes(line(3), " | workers 2 to 3 | worker 0 ");
    assertStringIncludes(line(1), " | workers 2 to 1 | worker 0 ");
    // One that has come used what it has used within this second.
    assertStringIncludes(line(3), "worker 2 cpu 100 % mailbox 0");
    const none = { at: 10_000, status: status(0, 0, { workers: [] }) };
    assertStringIncludes(line(2, none), " | workers 2 | ");
  });

  it("names dead letters once there are any, and an unknown lag", () => {
    const sources = { in: { records: 0, bytes: 0, shards: 0, lagMs: -1 } };
    const now = { at: 11_000, status: status(0, 0, { sources, deadLetters: 1001, workers: [] }) };
    assertEquals(
      statusLine(plan, 10_000, before, now),
      "1 s | orders 0 in 0/s | totals 0 out 0/s | lag unknown | dead letters 1,001",
    );
  });

  it("tells of the last checkpoint once there is one", () => {
    const figures = { alignMs: 1, stopMs: 2, changedKeys: 3, keys: 4 };
    const checkpoint = { epoch: 7, tookMs: 12.4, bytes: 12345, ...figures };
    const line = statusLine(plan, 0, before, { at: 11_000, status: before.status, checkpoint });
    assertEquals(line.split(" | ").at(-1), "checkpoint 7 in 12 ms 12,345 bytes");
  });

  it("takes what nobody has reported yet for nothing", () => {
    const empty = status(0, 0, { sources: {}, sinks: {}, workers: [] });
    assertEquals(
      statusLine(plan, 0, { at: 0, status: empty }, { at: 0, status: empty }),
      "0 s | orders 0 in 0/s | totals 0 out 0/s | lag unknown",
    );
  });
});

describe("summary()", () => {
  it("tells what went in and out, and what was not confirmed", () => {
    assertEquals(
      summary(plan, 12.34, status(6000, 2100, { deadLetters: 3 })),
      "demo ended after 12.3 s\n  orders: 6,000 in\n  totals: 2,100 out\n  dead letters: 3",
    );
    const pending = status(0, 0, { sources: {}, sinks: { out: { rows: 2100, pending: 1500 } } });
    assertEquals(
      summary(plan, 0, pending),
      "demo ended after 0.0 s\n  orders: 0 in\n  totals: 2,100 out, 1,500 of them not confirmed\n  dead letters: 0",
    );
  });
});
