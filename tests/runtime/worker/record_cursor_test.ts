import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { NO_ORIGIN, originText, RecordCursor } from "../../../runtime/worker/record_cursor.ts";

describe("originText()", () => {
  it("names shard and position of the row, or nothing where no record is the cause", () => {
    const origin = { shard: "orders/shard-0", positionAt: (row: number) => `49590${row}` };
    assertEquals(originText(origin, 7), "orders/shard-0@495907");
    assertEquals(originText(NO_ORIGIN, 7), "");
  });
});

describe("RecordCursor", () => {
  it("stands at no record to begin with", () => {
    const { timestamp, origin, row, key, bytes } = new RecordCursor();
    assertEquals([timestamp, originText(origin, row), key, bytes], [-Infinity, "", undefined, 0]);
  });
});
