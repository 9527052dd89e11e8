import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob, isJob } from "../../runtime/job.ts";

const parts = {
  name: "demo",
  sources: { numbers: memory.source([1]) },
  sinks: { out: memory.sink<number>() },
  build() {},
};

describe("defineJob()", () => {
  it("gives back the job as it is", () => {
    const job = { ...parts, maxParallelism: 32768 };
    assertStrictEquals(defineJob(job), job);
  });

  it("refuses a job without a name", () => {
    for (const name of ["", undefined, 5]) {
      const message = `Cannot define a job as its name is ${JSON.stringify(name)}: give it a text`;
      assertThrows(() => defineJob({ ...parts, name: name as string }), TypeError, message);
    }
  });

  it("refuses a maxParallelism that is no whole number from 1 to 32768", () => {
    for (const maxParallelism of [0, 32769, 1.5, NaN]) {
      const message = `Cannot define job "demo" as maxParallelism is ${maxParallelism}`;
      assertThrows(() => defineJob({ ...parts, maxParallelism }), RangeError, message);
    }
  });

  it("refuses a job that lacks a part", () => {
    for (const part of ["sources", "sinks", "build"]) {
      const broken = { ...parts, [part]: undefined };
      assertThrows(
        () => defineJob(broken),
        TypeError,
        "it needs sources, sinks and a build method",
      );
    }
  });
});

describe("isJob()", () => {
  it("tells jobs from other values", () => {
    assertEquals(isJob(parts), true);
    for (const value of [undefined, null, "job", () => {}, {}, { ...parts, sinks: null }]) {
      assertEquals(isJob(value), false);
    }
  });
});
