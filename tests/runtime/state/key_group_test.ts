import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  defaultMaxParallelism,
  javaHash,
  keyGroupOf,
  type KeyHash,
  keyHashOf,
  murmurHash,
  operatorIndexOf,
} from "../../../runtime/state/key_group.ts";
import { fc } from "../../deps.ts";
import { goldenCases } from "../golden_cases.ts";

/** Hash code, murmur, key group of 128 and of 720, and worker of 4 and of 3, computed from Flink's formulas. */
const VECTORS: readonly [string, number, number, number, number, number, number][] = [
  ["a", 97, 1455541201, 81, 1, 2, 1],
  ["b", 98, 516420758, 22, 38, 0, 0],
  ["hello", 99162322, 1715862179, 35, 659, 1, 0],
  ["user-1", -836031825, 1662039673, 121, 313, 3, 2],
  ["user-2", -836031824, 2010244374, 22, 54, 0, 0],
];

/** Murmur of numbers, among them where signs turn. */
const MURMURS: readonly [number, number][] = [
  [0, 593689054],
  [1, 68075478],
  [-1, 1982413648],
  [42, 1134849565],
  [2147483647, 1653689534],
  [-2147483648, 1718298732],
];

interface KeyGroupCase {
  readonly spec: { readonly maxParallelism: number; readonly parallelism: number };
  readonly input: readonly { readonly type: string; readonly key: string }[];
  readonly expected: readonly {
    readonly step: number;
    readonly out: {
      hash: number;
      murmur: number;
      keyGroup: number;
      subtask: number;
      range: [number, number];
    };
  }[];
}

const golden = goldenCases<KeyGroupCase>("keygroups");

describe("keyGroupOf()", () => {
  it("agrees with Flink's formulas", () => {
    for (const [key, hash, murmur, of128, of720, worker4, worker3] of VECTORS) {
      assertEquals([key, javaHash(key), murmurHash(hash)], [key, hash, murmur]);
      assertEquals([keyGroupOf(key, 128), keyGroupOf(key, 720)], [of128, of720]);
      assertEquals([operatorIndexOf(of128, 128, 4), operatorIndexOf(of128, 128, 3)], [
        worker4,
        worker3,
      ]);
    }
    for (const [code, murmur] of MURMURS) assertEquals(murmurHash(code), murmur);
  });

  it({
    name: "agrees with what Flink did for keys that are texts",
    ignore: golden === undefined,
    fn() {
      let checked = 0;
      for (const { spec: { maxParallelism, parallelism }, input, expected } of golden ?? []) {
        for (const { step, out } of expected) {
          const { type, key } = input[step] ?? { type: "", key: "" };
          if (type !== "string") continue;
          const keyGroup = keyGroupOf(key, maxParallelism);
          const [first, last] = out.range;
          assertEquals(
            [
              javaHash(key),
              murmurHash(out.hash),
              keyGroup,
              operatorIndexOf(keyGroup, maxParallelism, parallelism),
            ],
            [out.hash, out.murmur, out.keyGroup, out.subtask],
            key,
          );
          const workers = [first - 1, first, last, last + 1].map((group) =>
            operatorIndexOf(group, maxParallelism, parallelism)
          );
          const { subtask } = out;
          assertEquals(workers, [subtask - 1, subtask, subtask, subtask + 1]);
          checked++;
        }
      }
      assert(checked > 100, `only ${checked} keys`);
    },
  });

  it("takes a number by its text", () => {
    for (const number of [0, 42, -7, 1.5, 1e21]) {
      assertEquals(keyGroupOf(number, 128), keyGroupOf(String(number), 128));
    }
  });
});

describe("keyHashOf()", () => {
  it("is Java's hash code of the type", () => {
    const codes: readonly (readonly [string | number, KeyHash, number])[] = [
      ["42", "string", 1662],
      [42, "string", 1662],
      [-42, "int", -42],
      ["-2147483648", "int", -2147483648],
      ["4294967296", "long", 1],
      [-173, "long", 172],
      ["-9223372036854775808", "long", -2147483648],
      ["9223372036854775807", "long", -2147483648],
      [1.5, "double", 1073217536],
      ["1.5", "double", 1073217536],
      [0, "double", 0],
      ["-0.0", "double", -2147483648],
      ["true", "boolean", 1231],
      ["false", "boolean", 1237],
    ];
    for (const [key, as, code] of codes) assertEquals(keyHashOf(key, as), code, `${key} ${as}`);
    assertEquals(keyGroupOf("-173", 128, "long"), murmurHash(172) % 128);
  });

  it("refuses what is no value of the type", () => {
    const wrong: readonly (readonly [string | number, KeyHash, string])[] = [
      ["2147483648", "int", "32 bits"],
      [1.5, "int", "whole number"],
      ["9223372036854775808", "long", "64 bits"],
      ["", "long", "whole number"],
      [" ", "double", "a number"],
      ["x", "double", "a number"],
      [1, "boolean", "text"],
    ];
    for (const [key, as, reason] of wrong) {
      assertThrows(() => keyHashOf(key, as), TypeError, reason, `${key} ${as}`);
    }
  });
});

describe("defaultMaxParallelism()", () => {
  it("is the next power of two of half as many again, within bounds", () => {
    const workers = [1, 85, 86, 170, 171, 21845, 32768];
    assertEquals(workers.map(defaultMaxParallelism), [128, 128, 256, 256, 256, 32768, 32768]);
  });
});

describe("operatorIndexOf()", () => {
  it("gives each worker one run of key groups, in order, nearly equal in size", () => {
    const sizes = fc.integer({ min: 1, max: 1024 }).chain((max) =>
      fc.tuple(fc.constant(max), fc.integer({ min: 1, max }))
    );
    fc.assert(
      fc.property(sizes, fc.string(), ([max, workers], key) => {
        const group = keyGroupOf(key, max);
        assert(Number.isInteger(group) && group >= 0 && group < max);
        const of = Array.from({ length: max }, (_, group) => operatorIndexOf(group, max, workers));
        assertEquals(of, of.toSorted((a, b) => a - b));
        const counts = Array.from(
          { length: workers },
          (_, worker) => of.filter((each) => each === worker).length,
        );
        assert(
          Math.max(...counts) - Math.min(...counts) <= 1 && Math.min(...counts) > 0,
          counts.join(" "),
        );
        // Flink's formula for the first group of a worker, which it computes apart from that for the worker of a group.
        for (let worker = 0; worker < workers; worker++) {
          assertEquals(of.indexOf(worker), Math.floor((worker * max + workers - 1) / workers));
        }
      }),
      { numRuns: 40 },
    );
  });
});
