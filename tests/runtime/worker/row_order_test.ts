import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { orderByGroup } from "../../../runtime/worker/row_order.ts";

const rowsOf = (...groups: number[]) => ({ groups, length: groups.length });

describe("orderByGroup()", () => {
  it("puts rows in order of their groups, and leaves those of a group in theirs", () => {
    const ends = new Int32Array(5);
    assertEquals([...orderByGroup(rowsOf(2, 0, 3, 2, 0), ends)], [1, 4, 0, 3, 2]);
    assertEquals([...ends].slice(0, 4), [2, 2, 4, 5]);
  });

  it("knows nothing of the batch before", () => {
    const ends = new Int32Array(3);
    orderByGroup(rowsOf(1, 1, 1, 0), ends);
    assertEquals([...orderByGroup(rowsOf(1, 0), ends)], [1, 0]);
    assertEquals([...ends].slice(0, 2), [1, 2]);
    assertEquals([...orderByGroup(rowsOf(), ends)], []);
    assertEquals([...ends].slice(0, 2), [0, 0]);
  });

  it("takes as many rows as there are, though there is room for more", () => {
    const ends = new Int32Array(3);
    assertEquals([...orderByGroup({ groups: [1, 0, 0, 0], length: 2 }, ends)], [1, 0]);
    assertEquals([...ends].slice(0, 2), [1, 2]);
  });
});
