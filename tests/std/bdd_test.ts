import { assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";

const log: string[] = [];

describe("describe()", () => {
  beforeAll(() => void log.push("all"));
  beforeEach(() => void log.push("each"));
  afterEach(async () => {
    await Promise.resolve();
    log.push("after each");
  });
  afterAll(() => {
    log.push("after all");
    // The hooks of an outer suite enclose those of an inner one; what is skipped runs no hooks.
    assertEquals(log, [
      ...["all", "each", "first", "after each"],
      ...["inner all", "each", "inner each", "second", "inner after each", "after each"],
      "after all",
    ]);
  });

  it("runs cases in order", () => void log.push("first"));
  it.skip("skips what it is told to skip", () => void log.push("skipped"));
  it.ignore("ignores what it is told to ignore", () => void log.push("ignored"));
  describe.skip("skips suites", () => {
    it("with their cases", () => void log.push("skipped suite"));
  });
  describe("runs nested suites", () => {
    beforeAll(() => void log.push("inner all"));
    beforeEach(() => void log.push("inner each"));
    afterEach(() => void log.push("inner after each"));
    it("with the hooks of both", () => void log.push("second"));
  });
});

interface Shared {
  value: number;
}

describe("a suite's context", () => {
  beforeEach(function (this: Shared) {
    this.value = 1;
  });
  it("is given to cases as this", function (this: Shared) {
    assertEquals(this.value, 1);
    this.value = 2;
  });
  it("starts afresh for each case", function (this: Shared) {
    assertEquals(this.value, 1);
  });
});
