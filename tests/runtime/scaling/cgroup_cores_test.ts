import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  coresOfCfsQuota,
  coresOfCpuMax,
  usableCoresOf,
} from "../../../runtime/scaling/cgroup_cores.ts";

describe("coresOfCpuMax()", () => {
  it("reads quotas, and no limit", () => {
    const texts = [
      "200000 100000\n",
      "50000 100000",
      "25000 50000",
      "150000",
      "max 100000\n",
      "max",
    ];
    assertEquals(texts.map(coresOfCpuMax), [2, 0.5, 0.5, 1.5, Infinity, Infinity]);
  });

  it("refuses anything else", () => {
    for (
      const text of ["", "0 100000", "-1 100000", "100000 0", "a 1", "1 b", "max 1 2", "1.5 1"]
    ) {
      assertThrows(() => coresOfCpuMax(text), SyntaxError, JSON.stringify(text));
    }
  });
});

describe("coresOfCfsQuota()", () => {
  it("reads quotas, and no limit", () => {
    assertEquals(coresOfCfsQuota("150000\n", "100000\n"), 1.5);
    assertEquals(coresOfCfsQuota("-1\n", "100000\n"), Infinity);
  });

  it("refuses anything else", () => {
    for (
      const [quota, period] of [["", "1"], ["1", ""], ["0", "1"], ["-2", "1"], ["-1", "0"]] as const
    ) {
      assertThrows(() => coresOfCfsQuota(quota, period), SyntaxError, "cpu.cfs_quota_us");
    }
  });
});

describe("usableCoresOf()", () => {
  it("is the least of the machine and its limits", () => {
    assertEquals([usableCoresOf(8, []), usableCoresOf(8, [Infinity, 2.5]), usableCoresOf(2, [4])], [
      8,
      2.5,
      2,
    ]);
  });
});
