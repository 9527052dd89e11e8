import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fairShare } from "../../../runtime/scaling/fair_share.ts";
import { group } from "./loads.ts";

function shareOf(cores: readonly number[], workers: number) {
  const groups = cores.map((cores, index) => group(index, 0, cores));
  const total = cores.reduce((sum, cores) => sum + cores, 0);
  const { cores: share, heavy } = fairShare({ cores: total, groups }, workers);
  return { share, heavy: heavy.map(({ group }) => group) };
}

describe("fairShare()", () => {
  it("is the mean where every key group fits", () => {
    const { share, heavy } = shareOf([0.15, 0.15, 0.15, 0.15], 3);
    assertAlmostEquals(share, 0.2);
    assertEquals(heavy, []);
  });

  it("leaves key groups out that do not fit, also those that do not fit into the rest only", () => {
    const { share, heavy } = shareOf([0.1, 2, 0.5, 0.1], 4);
    assertAlmostEquals(share, 0.1);
    assertEquals(heavy, [1, 2]);
  });

  it("leaves a worker for all others", () => {
    assertEquals(shareOf([4, 2, 1], 2), { share: 3, heavy: [0] });
    assertEquals(shareOf([3], 1), { share: 3, heavy: [] });
  });
});
