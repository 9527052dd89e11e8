import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  decodeRest,
  encodeRest,
  type RestOfCheckpoint,
} from "../../../runtime/checkpoint/rest_of_checkpoint.ts";
import { stageTime } from "./stage_parts.ts";

function restWith(value: unknown): RestOfCheckpoint {
  return {
    stages: [stageTime("sum", {
      pending: [{
        operator: "look up",
        owner: 3,
        value,
        timestamp: -Infinity,
        shard: "in/s0",
        position: "7",
        sub: 0,
        key: 5,
        bytes: 10,
      }],
      broadcast: { rules: new Map([["a", new Set([1n])]]) },
    })],
    sinks: { out: [{ parts: ["a"] }, undefined] },
  };
}

describe("encodeRest()", () => {
  it("gives back what was put in, Maps, dates and times without an end included", () => {
    const rest = restWith({ at: new Date(5), bytes: new Uint8Array([1, 2]), nothing: undefined });
    assertEquals(decodeRest(encodeRest(rest)), rest);
  });

  it("says which mapAsync had a record that is no plain data", () => {
    assertThrows(
      () => encodeRest(restWith({ call: () => {} })),
      Error,
      "Cannot keep calls under way of look up in a checkpoint",
    );
  });
});
