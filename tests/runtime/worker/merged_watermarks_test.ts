import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { WatermarkEvent } from "../../../runtime/time/watermark.ts";
import { MergedWatermarks } from "../../../runtime/worker/merged_watermarks.ts";

const at = (at: number) => ({ kind: "advance", at }) as const;
const ended: WatermarkEvent = { kind: "ended", successors: ["b"] };

/** A merge of so many branches; what becomes of their words is written down, in short. */
function merged(branches: number) {
  const merge = new MergedWatermarks();
  for (let branch = 0; branch < branches; branch++) merge.join(branch);
  const say = (branch: number, event: WatermarkEvent, origin = "a") =>
    merge.apply(branch, origin, event)
      .map(({ kind, ...of }) => "at" in of ? `${kind} ${of.at}` : kind).join(", ");
  return { merge, say };
}

describe("MergedWatermarks", () => {
  it("lets everything through where there is one branch", () => {
    const { merge } = merged(1);
    for (const event of [at(3), { kind: "idle" }, ended] as const) {
      assertEquals(merge.apply(0, "a", event), [event]);
    }
    assertEquals(merge.snapshot(), []);
  });

  it("says of each origin what both branches have said", () => {
    const { say } = merged(2);
    const said = [say(0, at(5)), say(0, at(9), "other"), say(1, at(3)), say(1, at(9))];
    assertEquals(said, ["", "", "advance 3", "advance 5"]);
  });

  it("waits for a branch that is idle no more once it says a time", () => {
    const { say } = merged(2);
    for (const branch of [0, 1]) say(branch, at(5));
    assertEquals([say(0, { kind: "idle" }), say(1, at(8))], ["", "advance 8"]);
    assertEquals(say(1, { kind: "idle" }), "idle");
    assertEquals([say(0, at(9)), say(1, at(9))], ["active, advance 9", ""]);
  });

  it("passes on what makes splits count", () => {
    const { merge, say } = merged(2);
    assertEquals([say(0, { kind: "settle" }), merge.snapshot()], ["settle", []]);
  });

  it("ends an origin when both branches have, with its successors", () => {
    const { merge, say } = merged(2);
    say(0, at(5));
    say(1, at(3));
    // Nobody waits for the branch that has ended.
    assertEquals(say(1, ended), "advance 5");
    assertEquals(merge.snapshot().map(({ ended }) => ended), [1]);
    assertEquals(merge.apply(0, "a", ended), [ended]);
    assertEquals(merge.snapshot(), []);
  });

  it("goes on from a checkpoint, where one branch has ended and where none has", () => {
    const steps: readonly (readonly [branch: number, event: WatermarkEvent])[] = [
      ...[[0, at(5)], [1, at(3)], [1, { kind: "idle" }], [0, at(6)]] as const,
      ...[[1, at(7)], [0, ended], [1, at(8)], [1, ended]] as const,
    ];
    const whole = merged(2);
    const expected = steps.map(([branch, event]) => whole.say(branch, event));
    for (let cut = 0; cut <= steps.length; cut++) {
      const [before, after] = [merged(2), merged(2)];
      const said = steps.slice(0, cut).map(([branch, event]) => before.say(branch, event));
      for (const { origin, branches, ended } of structuredClone(before.merge.snapshot())) {
        after.merge.restore(origin, branches, ended);
      }
      said.push(...steps.slice(cut).map(([branch, event]) => after.say(branch, event)));
      assertEquals(said, expected, `cut behind ${cut}`);
    }
  });
});
