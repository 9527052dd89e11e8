import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { threadHeap } from "../../runtime/heap_memory.ts";

describe("threadHeap()", () => {
  it("grows with what is kept, and has room for what is used", () => {
    const before = threadHeap();
    const kept = Array.from({ length: 200_000 }, (_, number) => ({ number, text: `${number}` }));
    const after = threadHeap();
    assert(after.used - before.used > 4e6, `${before.used} to ${after.used} for ${kept.length}`);
    assert(after.total >= after.used && before.used > 0);
  });
});
