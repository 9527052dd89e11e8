import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { shareTable, stepShares } from "./profile.ts";

const frame = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url },
});

describe("stepShares()", () => {
  it("gives each file's own time to its step, and leaves out what comes before the run", () => {
    const shares = stepShares({
      nodes: [
        frame(1, "parsed", "file:///x/operators/flat_map_json.ts"),
        frame(2, "(garbage collector)", ""),
        frame(3, "loadShard", "file:///x/tests/bench/jobs/replay.ts"),
        frame(4, "begin", "file:///x/runtime/state/memory_state.ts"),
        frame(5, "left", "file:///x/tests/bench/jobs/booking.ts?data=a"),
        frame(6, "main", "file:///x/runtime/main.ts"),
      ],
      samples: [1, 2, 3, 4, 5, 6],
      timeDeltas: [40, 10, 1000, 20, 20, 10],
    });
    assertEquals(shares, {
      decode: 0.4,
      route: 0,
      mailbox: 0,
      handler: 0.4,
      encode: 0,
      collector: 0.1,
      other: 0.1,
    });
  });

  it("is a row a workload in the table", () => {
    const shares = {
      decode: 0.5,
      route: 0.1,
      mailbox: 0.1,
      handler: 0.2,
      encode: 0.1,
      collector: 0,
      other: 0,
    };
    assertEquals(
      shareTable([{ workload: "count", shares }]).split("\n").at(-1),
      "| count | 50 % | 10 % | 10 % | 20 % | 10 % | 0 % | 0 % |",
    );
  });
});
