import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { FaultPlan, FAULTS } from "../../../runtime/testing/fault_plan.ts";

describe("FaultPlan", () => {
  it("has some of those that are allowed, others with each seed", () => {
    const sizes = new Set<number>();
    for (let seed = 1; seed <= 50; seed++) {
      const { on } = new FaultPlan(seededRandom(seed), FAULTS);
      sizes.add(on.size);
      assert([...on].every((fault) => FAULTS.includes(fault)));
    }
    assert(sizes.size > 5);
    assertEquals(new FaultPlan(seededRandom(1), []).on.size, 0);
  });

  it("strikes only with what is on, and only while it is active", () => {
    let struck = 0;
    for (let seed = 1; seed <= 50; seed++) {
      const plan = new FaultPlan(seededRandom(seed), ["worker killed"]);
      const isOn = plan.on.has("worker killed");
      for (let time = 0; time < 20; time++) {
        assert(!plan.strikes("sink fails"));
        if (plan.strikes("worker killed")) {
          assert(isOn);
          struck++;
        }
      }
      plan.active = false;
      for (let time = 0; time < 20; time++) assert(!plan.strikes("worker killed"));
      assertEquals(plan.delayMs("worker killed", 100), 0);
    }
    assert(struck > 0);
  });

  it("ends attempts, and fails writes, only so often", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const plan = new FaultPlan(seededRandom(seed), ["worker killed", "store fails"]);
      const count = (strike: () => boolean) =>
        Array.from({ length: 500 }, strike).filter((struck) => struck).length;
      assert(count(() => plan.ends("worker killed", 1)) <= 6);
      assert(count(() => plan.failsWrite("store fails")) <= 8);
    }
  });
});
