import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { jobStatus } from "../../../runtime/supervisor/job_status.ts";

describe("jobStatus()", () => {
  it("adds up what workers report: the furthest lag, the least watermark", () => {
    const status = jobStatus("running", [
      {
        worker: 0,
        sources: { in: { records: 10, bytes: 100, shards: 2, lagMs: -1 } },
        stages: {
          sum: { rows: 4, waiting: 1, keys: 2, watermark: 50 },
          join: { rows: 1, waiting: 2, keys: 0, watermark: -Infinity },
        },
        sinks: { out: { rows: 3, pending: 1 } },
        deadLetters: 1,
        cpuMs: 12,
      },
      {
        worker: 1,
        sources: { in: { records: 5, bytes: 50, shards: 0, lagMs: 700 } },
        stages: { sum: { rows: 6, waiting: 4, keys: 3, watermark: 40 } },
        sinks: { out: { rows: 2, pending: 0 } },
        deadLetters: 2,
        cpuMs: -1,
      },
    ]);
    assertEquals(status, {
      state: "running",
      sources: { in: { records: 15, bytes: 150, shards: 2, lagMs: 700 } },
      stages: {
        sum: { rows: 10, waiting: 5, keys: 5, watermark: 40 },
        join: { rows: 1, waiting: 2, keys: 0, watermark: -Infinity },
      },
      sinks: { out: { rows: 5, pending: 1 } },
      deadLetters: 3,
      workers: [{ worker: 0, cpuMs: 12, waiting: 3 }, { worker: 1, cpuMs: -1, waiting: 4 }],
    });
  });

  it("is empty before anybody has reported", () => {
    assertEquals(jobStatus("created", []), {
      state: "created",
      sources: {},
      stages: {},
      sinks: {},
      deadLetters: 0,
      workers: [],
    });
  });
});
