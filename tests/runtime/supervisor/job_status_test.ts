import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DecisionLog } from "../../../runtime/supervisor/decision_log.ts";
import { jobStatus } from "../../../runtime/supervisor/job_status.ts";

function made(): DecisionLog {
  const log = new DecisionLog();
  const figures = { workers: 2, cores: 1, maxLoad: 1, rowsPerSecond: 1, lagMs: -1, oldestMs: 0 };
  log.add(
    {
      ...{ kind: "blocked", at: 0, what: "scale up", reason: "bounds", because: "it is so" },
      ...{ until: undefined, figures: { ...figures, backPressured: 0, starved: 0 } },
    },
    1000,
    { kind: "told" },
  );
  return log;
}

describe("jobStatus()", () => {
  it("adds up what workers report: the furthest lag, the least watermark", () => {
    const { decisions } = made();
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
        heap: { used: 30, total: 40 },
        gcShare: 0.1,
      },
      {
        worker: 1,
        sources: { in: { records: 5, bytes: 50, shards: 0, lagMs: 700 } },
        stages: { sum: { rows: 6, waiting: 4, keys: 3, watermark: 40 } },
        sinks: { out: { rows: 2, pending: 0 } },
        deadLetters: 2,
        cpuMs: -1,
      },
    ], { routing: [0, 1, 1, 2], decisions });
    assertEquals(status, {
      state: "running",
      sources: { in: { records: 15, bytes: 150, shards: 2, lagMs: 700 } },
      stages: {
        sum: { rows: 10, waiting: 5, keys: 5, watermark: 40 },
        join: { rows: 1, waiting: 2, keys: 0, watermark: -Infinity },
      },
      sinks: { out: { rows: 5, pending: 1 } },
      deadLetters: 3,
      workers: [
        { worker: 0, cpuMs: 12, waiting: 3, groups: 1, heapUsed: 30, heapTotal: 40, gcShare: 0.1 },
        { worker: 1, cpuMs: -1, waiting: 4, groups: 2, heapUsed: -1, heapTotal: -1, gcShare: -1 },
      ],
      decisions,
    });
  });

  it("has workers by number, in whatever order they reported", () => {
    const report = { sources: {}, stages: {}, sinks: {}, deadLetters: 0, cpuMs: 0 };
    const { workers } = jobStatus("running", [2, 0, 1].map((worker) => ({ worker, ...report })));
    assertEquals(workers.map(({ worker }) => worker), [0, 1, 2]);
  });

  it("is empty before anybody has reported", () => {
    assertEquals(jobStatus("created", []), {
      state: "created",
      sources: {},
      stages: {},
      sinks: {},
      deadLetters: 0,
      workers: [],
      decisions: [],
    });
  });
});
