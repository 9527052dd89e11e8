import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { NO_ORIGIN, originText } from "../../../runtime/transport/origin.ts";

describe("originText()", () => {
  it("names shard and position of the row, or nothing where no record is the cause", () => {
    const origin = { shard: "orders/shard-0", positionAt: (row: number) => `49590${row}` };
    assertEquals(originText(origin, 7), "orders/shard-0@495907");
    assertEquals(originText(NO_ORIGIN, 7), "");
  });
});
