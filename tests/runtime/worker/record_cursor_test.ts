import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { originText } from "../../../runtime/transport/origin.ts";
import { mixed } from "../../../runtime/worker/output_id.ts";
import { RecordCursor } from "../../../runtime/worker/record_cursor.ts";

describe("RecordCursor", () => {
  it("stands at no record to begin with", () => {
    const { timestamp, origin, row, key, bytes } = new RecordCursor();
    assertEquals([timestamp, originText(origin, row), key, bytes], [-Infinity, "", undefined, 0]);
  });

  it("numbers what leaves: from the row's number at a source, mixed with it behind a cut", () => {
    const cursor = Object.assign(new RecordCursor(), { sub: 5 });
    assertEquals([cursor.leaving(), cursor.leaving()], [5, 6]);
    Object.assign(cursor, { salt: 9, left: 0 });
    assertEquals([cursor.leaving(), cursor.leaving()], [mixed(5, 9), mixed(5, 9) + 1]);
    cursor.leave(7, { shard: "", positionAt: () => "timer" });
    assertEquals([cursor.timestamp, cursor.sub, cursor.left], [7, 0, 0]);
  });

  it("kept for a call takes a number, and what leaves from there has others", () => {
    const cursor = new RecordCursor();
    cursor.leaving();
    const kept = cursor.kept(9);
    assertEquals([kept.sub, kept.leaving(), cursor.leaving()], [1, mixed(1, 9), 2]);
  });
});
