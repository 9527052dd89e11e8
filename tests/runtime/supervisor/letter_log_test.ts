import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DEAD_LETTERS_LOGGED_PER_SECOND } from "../../../runtime/limits.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { LetterLog } from "../../../runtime/supervisor/letter_log.ts";
import { HandClock } from "../hand_clock.ts";

describe("LetterLog", () => {
  it("logs so many letters a second, and in a later one how many it did not", () => {
    const clock = new HandClock();
    const lines: string[] = [];
    const letters = new LetterLog(clock, {
      ...silentLogger,
      warn: (message, fields) =>
        lines.push(
          message === "Dead letter" ? String(fields?.["reason"]) : `${fields?.["letters"]}`,
        ),
    });
    const letter = { operator: "sum", key: "a", origin: "in/0@1", value: 1, timestamp: 0 };
    for (let n = 0; n < DEAD_LETTERS_LOGGED_PER_SECOND + 3; n++) {
      letters.log({ ...letter, reason: `bad ${n}` });
    }
    assertEquals(lines.length, DEAD_LETTERS_LOGGED_PER_SECOND);
    clock.pass(1000);
    letters.log({ ...letter, reason: "later" });
    assertEquals(lines.slice(-2), ["3", "later"]);
  });
});
