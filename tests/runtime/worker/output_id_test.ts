import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { originText } from "../../../runtime/transport/origin.ts";
import {
  deadLetterOrigin,
  endOrigin,
  mixed,
  outputId,
  saltOf,
  timerOrigin,
} from "../../../runtime/worker/output_id.ts";
import { fc } from "../../deps.ts";

describe("outputId()", () => {
  it("is of shard, position and number", () => {
    const origin = { shard: "in/s0", positionAt: (row: number) => `4${row}` };
    assertEquals(outputId(origin, 2, 0), "in/s0@42#0");
    assertEquals(outputId(origin, 2, 2 ** 52 - 1), "in/s0@42#18ce53un18f");
  });

  it("tells timers, ends and dead letters apart, whatever is in their names", () => {
    const ids = [
      timerOrigin("a", "event", { key: "k", name: "n/1", at: 5 }),
      timerOrigin("a", "event", { key: "k", name: "n", at: 5 }),
      timerOrigin("a", "processing", { key: "k", name: "n", at: 5 }),
      timerOrigin("a/k", "event", { key: "k", name: "n", at: 5 }),
      timerOrigin("a", "event", { key: "k/event", name: "n", at: 5 }),
      timerOrigin("a", "event", { key: "~1", name: "n", at: 5 }),
      timerOrigin("a", "event", { key: 1, name: "n", at: 5 }),
      timerOrigin("a", "event", { key: "1", name: "n", at: 5 }),
      timerOrigin("a", "event", { key: "\ud800", name: "n", at: 5 }),
      endOrigin("a", "group", 1),
      endOrigin("a", "key", 1),
      endOrigin("a", "key", "1"),
      deadLetterOrigin("in/s0@42#0"),
    ].map((origin) => {
      assertEquals(originText(origin, 0), "", "no record is the cause");
      return outputId(origin, 0, 0);
    });
    assertEquals(new Set(ids).size, ids.length);
    assertEquals(ids[0], "timer/a/k/event/n%2f1/5#0");
  });
});

describe("mixed()", () => {
  it("gives whole numbers of 52 bits, different ones for different numbers", () => {
    const numbers = fc.integer({ min: 0, max: 2 ** 52 - 1 });
    fc.assert(fc.property(numbers, numbers, fc.integer(), (one, other, salt) => {
      const [a, b] = [mixed(one, salt), mixed(other, salt)];
      assert(Number.isInteger(a) && a >= 0 && a < 2 ** 52);
      assertEquals(a === b, one === other);
    }));
  });

  it("gives different ones along chains of stages, and for small numbers", () => {
    const salts = ["sum/0", "sum/1", "max/0", "a", "b"].map(saltOf);
    assertEquals(new Set(salts).size, salts.length);
    const seen = new Set<number>();
    let count = 0;
    for (let sub = 0; sub < 200; sub++) {
      for (const first of salts) {
        for (const second of salts) {
          for (let n = 0; n < 10; n++, count++) seen.add(mixed(mixed(sub, first) + n, second));
        }
      }
    }
    assertEquals(seen.size, count);
  });

  it("stays what it is: ids are compared over versions of the engine", () => {
    assertNotEquals(mixed(0, 1), 0);
    assertEquals([saltOf("sum"), mixed(0, saltOf("sum")), mixed(7, 1)], [
      2121037573,
      504680555723134,
      4087830725728583,
    ]);
  });
});
