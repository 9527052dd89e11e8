import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { MadeDecision } from "../../mod.ts";
import { type DemoState, line, screen } from "./view.ts";

const figures = {
  ...{ workers: 1, cores: 1.2, maxLoad: 0.9, rowsPerSecond: 100, lagMs: -1, oldestMs: 0 },
  ...{ backPressured: 0, starved: 0 },
};
const cost = { groups: 16, bytes: 1_200_000, pauseMs: 11.2, shards: 1, tookMs: 310 };
const made = (number: number, text: string, outcome: MadeDecision["outcome"]): MadeDecision => ({
  ...{ number, kind: "scale up", at: 1000 + number * 5000, text, figures, outcome },
  workers: { from: 1, to: 2 },
});
const state: DemoState = {
  ...{ second: 12.3, seconds: 90, phase: "rising", due: 2500, rates: [0, 1000, 2000, 1234.5] },
  ...{ lagMs: 12, workersMax: 3, startedAt: 1000 },
  workers: [
    { worker: 0, busy: 0.5, groups: 64, heapMb: 23.4, age: 12 },
    { worker: 1, busy: 1.2, groups: 64, heapMb: 9, age: 1 },
  ],
  decisions: [
    made(1, "Scale up from 1 to 2 workers: so much to do", { kind: "done", cost }),
    made(2, "Scale up from 2 to 3 workers: even more", { kind: "under way", cost }),
  ],
};

describe("screen()", () => {
  it("has the load, a bar for each worker there may be, and decisions with what came of them", () => {
    assertEquals(screen(state, { columns: 120, rows: 40 }).split("\n"), [
      "Penstock scaling rising: second 12 of 90",
      "records/s 1,235, due 2,500, lag 12 ms",
      "▁▅█▅",
      "",
      "worker 0  ████████████░░░░░░░░░░░░  50 %   64 key groups  heap   23 MB",
      "worker 1  ████████████████████████ 120 %   64 key groups  heap    9 MB  new",
      "worker 2  ························",
      "",
      "   5 s  Scale up from 1 to 2 workers: so much to do",
      "        Done, scale up to 2 workers: 16 key groups and 1 shard moved with 1.2 MB, stopped for 12 ms at most, in 310 ms",
      "  10 s  Scale up from 2 to 3 workers: even more",
      "        under way",
    ]);
  });

  it("fits into a small terminal, with the last decisions", () => {
    const lines = screen(state, { columns: 30, rows: 11 }).split("\n");
    assertEquals(lines.filter((line) => line.length > 30), []);
    assertEquals(lines.slice(8), ["  10 s  Scale up from 2 to 3 …", "        under way"]);
  });

  it("does without what is not known", () => {
    const unknown = {
      ...{ ...state, lagMs: -1, rates: [], workersMax: 1, decisions: [] },
      workers: [{ worker: 0, busy: -1, groups: 128, heapMb: 1, age: 9 }],
    };
    assertEquals(screen(unknown, { columns: 80, rows: 24 }).split("\n").slice(1, 5), [
      "records/s 0, due 2,500, lag unknown",
      "",
      "",
      "worker 0  ░░░░░░░░░░░░░░░░░░░░░░░░   ? %  128 key groups  heap    1 MB",
    ]);
  });
});

describe("line()", () => {
  it("has the same in a line, but for decisions", () => {
    assertEquals(
      line(state),
      "12 s rising | 1,235 records/s of 2,500 | lag 12 ms | worker 0 50 % 64 groups 23 MB | " +
        "worker 1 120 % 64 groups 9 MB",
    );
  });
});
