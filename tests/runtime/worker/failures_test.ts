import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Failures } from "../../../runtime/worker/failures.ts";
import { RecordCursor } from "../../../runtime/worker/record_cursor.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

describe("Failures", () => {
  it("makes a dead letter that names operator, key, origin, time and reason", () => {
    const failures = new RecordedFailures();
    failures.thrown(
      "sum",
      { id: 1 },
      new RangeError("boom"),
      cursorAt(7, { key: "a", timestamp: 5 }),
    );
    failures.refused("in/pipe", 3, "no number", new RecordCursor());
    assertEquals(failures.letters, [
      {
        operator: "sum",
        key: "a",
        origin: "in/s0@7",
        reason: "RangeError: boom",
        timestamp: 5,
        value: { id: 1 },
      },
      { operator: "in/pipe", origin: "", reason: "no number", value: 3 },
    ]);
    assertEquals(failures.failed, []);
  });

  it("ends the attempt as the policy says, with the letter made all the same", () => {
    for (const policy of ["restart", "stop"] as const) {
      const failures = new RecordedFailures(policy);
      failures.thrown("sum", 1, new Error("boom"), cursorAt(7));
      failures.thrown("sum", 1, new Error("boom"), new RecordCursor());
      assertEquals(failures.letters.length, 2);
      assertEquals(failures.failed, [
        `${policy}: Operator "sum" failed on the record at in/s0@7: Error: boom`,
        `${policy}: Operator "sum" failed on a timer: Error: boom`,
      ]);
    }
  });

  it("can't go on after something else than a record failed, whatever the policy for records", () => {
    const outcomes = (["resume", "restart", "stop"] as const).map((policy) => {
      const failures = new RecordedFailures(policy);
      failures.fatal("lost");
      return failures.failed;
    });
    assertEquals(outcomes, [["stop: lost"], ["restart: lost"], ["stop: lost"]]);
  });

  it("keeps the cause", () => {
    const cause = new Error("boom");
    const errors: Error[] = [];
    const failures = new Failures("stop", {
      deadLetter() {},
      failed: (error) => errors.push(error),
    });
    failures.thrown("sum", 1, cause, new RecordCursor());
    assertStrictEquals(errors[0]?.cause, cause);
  });
});
