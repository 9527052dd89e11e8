import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { WorkerReports } from "../../../runtime/supervisor/worker_reports.ts";

const report = (worker: number, deadLetters: number) => ({
  ...{ worker, deadLetters, sources: {}, stages: {}, sinks: {}, cpuMs: 0 },
});

describe("WorkerReports", () => {
  it("keep the last one of a worker that has left, and begin anew with the next of its number", () => {
    const reports = new WorkerReports();
    const letters = () =>
      [reports.present, reports.departed].map((of) =>
        [...of].map(({ deadLetters }) => deadLetters)
      );
    reports.take(0, report(0, 1));
    reports.take(1, report(1, 2));
    reports.left(1);
    assertEquals(letters(), [[1], [2]]);
    // It is let go of, and says what it has counted since.
    reports.take(1, report(1, 5));
    assertEquals(letters(), [[1], [5]]);
    reports.joined(1);
    reports.take(1, report(1, 0));
    assertEquals(letters(), [[1, 0], [5]]);
    reports.left(1);
    assertEquals(letters(), [[1], [5, 0]]);
  });
});
