import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Account } from "./account.ts";

function audited(rows: readonly (readonly [booking: number, count: number])[]) {
  const account = new Account(Uint32Array.of(2, 0, 1));
  for (const [booking, count] of rows) account.add({ booking, count });
  return account.audit();
}

describe("Account", () => {
  it("finds each event once, in any order", () => {
    assertEquals(audited([[2, 1], [0, 2], [0, 1]]), { events: 3, lost: 0, doubled: 0 });
  });

  it("finds what is lost, and what came again", () => {
    assertEquals(audited([]), { events: 3, lost: 3, doubled: 0 });
    assertEquals(audited([[0, 1], [0, 1], [2, 1]]), { events: 3, lost: 1, doubled: 1 });
  });

  it("takes a count that is too high for an event that was counted twice", () => {
    assertEquals(audited([[0, 2], [0, 3], [2, 1]]), { events: 3, lost: 1, doubled: 1 });
    assertEquals(audited([[0, 1], [0, 2], [1, 1], [2, 1], [9, 1], [2, 0]]), {
      ...{ events: 3, lost: 0, doubled: 3 },
    });
  });
});
