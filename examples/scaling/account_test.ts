import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Account } from "./account.ts";

function audited(rows: readonly (readonly [booking: number, stay: number])[]) {
  const account = new Account(Uint32Array.of(2, 0, 1));
  for (const [booking, stay] of rows) account.add({ booking, stay });
  return account.audit();
}

describe("Account", () => {
  it("finds each stay once, in any order", () => {
    assertEquals(audited([[2, 1], [0, 2], [0, 1]]), { stays: 3, lost: 0, doubled: 0 });
  });

  it("finds what is lost, and what came again", () => {
    assertEquals(audited([]), { stays: 3, lost: 3, doubled: 0 });
    assertEquals(audited([[0, 1], [0, 1], [2, 1]]), { stays: 3, lost: 1, doubled: 1 });
  });

  it("takes a number that is too high for a stay that came twice", () => {
    assertEquals(audited([[0, 2], [0, 3], [2, 1]]), { stays: 3, lost: 1, doubled: 1 });
    assertEquals(audited([[0, 1], [0, 2], [1, 1], [2, 1], [9, 1], [2, 0]]), {
      ...{ stays: 3, lost: 0, doubled: 3 },
    });
  });
});
