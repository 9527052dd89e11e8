import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { threadCpuMs } from "../../runtime/cpu_time.ts";

describe("threadCpuMs()", () => {
  it("grows by the work that the thread does, or is -1 all the time", () => {
    const before = threadCpuMs();
    let sum = 0;
    for (let i = 0; i < 2_000_000; i++) sum = (sum + i * i) % 1_000_003;
    const after = threadCpuMs();
    assert(sum >= 0);
    if (before === -1) assert(after === -1);
    else assert(before > 0 && after > before && after - before < 10_000, `${before} ${after}`);
  });
});
