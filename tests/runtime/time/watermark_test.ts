import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  InputWatermark,
  OperatorWatermark,
  type WatermarkEvent,
} from "../../../runtime/time/watermark.ts";
import { fc } from "../../deps.ts";
import { goldenCases } from "../golden_cases.ts";

/**
 * What Flink's `StatusWatermarkValve` did: number of origins; what they said, `origin=watermark` or a status; what came
 * out, `step=watermark` or a status. Taken from the recorded cases: for each rule the shortest that depend on it.
 */
const FLINK: readonly (readonly [number, string, string])[] = [
  [1, "0=4, 0=7, 0 idle, 0 active, 0=0, 0=max", "0=4 1=7 2=idle 3=active 5=max"],
  [1, "0 idle, 0 active, 0=4, 0=1, 0=6, 0=3", "0=idle 1=active 2=4 4=6"],
  [
    1,
    "0 idle, 0 active, 0=3, 0 idle, 0 active, 0=0, 0=0, 0 idle",
    "0=idle 1=active 2=3 3=idle 4=active 7=idle",
  ],
  [2, "0=-2, 0 idle, 1=-2, 1=4, 0 active, 1 idle", "2=-2 3=4"],
  [2, "0=1, 1 idle, 1 active, 1=0, 0=3, 0=max, 1=max", "1=1 4=3 5=max"],
  [2, "1=5, 0=-3, 1=3, 1 active, 1=0, 1=-1, 0=1", "1=-3 6=1"],
  [2, "1=2, 0=7, 1=-1, 1 idle, 1 active, 0=3, 0=max, 1=max", "1=2 3=7 6=max"],
  [2, "1=4, 1=0, 0 active, 1=0, 1=5, 1=-2, 0=max, 1=max", "6=5 7=max"],
  [2, "0=4, 0 idle, 0 active, 1=-2, 1 idle, 1 active, 1=3, 0=1, 1 idle, 0=7", "3=-2 4=4 9=7"],
  [
    2,
    "0=-4, 0 idle, 1 active, 1 idle, 1 active, 1=5, 0 active, 0=-2, 1=3, 0=-1, 0=max, 1=max",
    "3=-4 3=idle 4=active 5=5 11=max",
  ],
  [
    2,
    "0 idle, 0 active, 0=5, 1 idle, 0 idle, 0 active, 0=2, 0=3, 1 active, 0 idle, 1=5, 0 active, 0=3, 0=9, 1=5, 0=8, 0 idle",
    "3=5 4=idle 5=active",
  ],
  [3, "2=-1, 1=5, 2=-1, 0 idle, 2=-2, 2 idle", "3=-1 5=5"],
  [3, "1 idle, 1 active, 2=-2, 0=-2, 2=8, 1 idle, 0=max, 1 active, 1=max, 2=max", "5=-2 6=8 9=max"],
  [
    3,
    "0 idle, 1 idle, 1 active, 1=5, 2=4, 2=-2, 0 active, 2=5, 0=max, 1=max, 2=max",
    "4=4 7=5 10=max",
  ],
  [
    3,
    "0=4, 2 idle, 1=-3, 0=-2, 0=1, 2 active, 2=4, 2=5, 1=1, 0 idle, 2 idle, 1 idle, 1 idle, 1 active",
    "2=-3 8=1 11=5 11=idle 13=active",
  ],
  [4, "2=1, 1 idle, 1 active, 1=-1, 0 idle, 1=1, 3=9", "6=1"],
  [4, "3=0, 0 idle, 1=5, 1 idle, 0 active, 0=3, 2 idle, 0 idle, 3 idle", "6=0 8=5 8=idle"],
  [
    4,
    "2=3, 0=5, 2 idle, 2 active, 2=-2, 3=6, 0=4, 1=9, 2=6, 2=10, 0=max, 1=max, 2=max, 3=max",
    "7=3 8=5 10=6 13=max",
  ],
  [
    4,
    "2 idle, 3 idle, 0 idle, 3 active, 2 active, 2=5, 0 active, 0=5, 1=3, 1=3, 2=6, 3=6, 0=6, 3=7, 0 active, 0=9, 0=7, 0 idle",
    "11=3",
  ],
];

type Time = number | "min" | "max";
type Said = {
  readonly watermark?: Time | undefined;
  readonly status?: "idle" | "active" | undefined;
};

interface ValveCase {
  readonly id: string;
  readonly spec: { readonly kind: string; readonly channels: number };
  readonly input: readonly ({ readonly channel: number } & Said)[];
  readonly expected: readonly ({ readonly step: number } & Said)[];
}

interface TwoInputCase {
  readonly id: string;
  readonly input: readonly {
    readonly leftWatermark?: Time;
    readonly rightWatermark?: Time;
    readonly leftStatus?: "idle" | "active";
    readonly rightStatus?: "idle" | "active";
  }[];
  readonly expected: readonly ({ readonly step: number } & Said)[];
}

const text = (at: Time) => at === Infinity ? "max" : at === -Infinity ? "min" : String(at);

function eventOf({ watermark, status }: Said): WatermarkEvent | undefined {
  if (watermark === undefined) return status === undefined ? undefined : { kind: status };
  return {
    kind: "advance",
    at: watermark === "max" ? Infinity : watermark === "min" ? -Infinity : watermark,
  };
}

/** What comes out of a clock, as `step=watermark` and `step=status`, while things are said. */
function outcome(
  clock: InputWatermark | OperatorWatermark,
  steps: readonly (() => void)[],
): string {
  const out: string[] = [];
  for (const [step, say] of steps.entries()) {
    const { at, idle } = clock;
    say();
    if (idle && !clock.idle) out.push(`${step}=active`);
    if (clock.at !== at) out.push(`${step}=${text(clock.at)}`);
    if (!idle && clock.idle) out.push(`${step}=idle`);
  }
  return out.join(" ");
}

function valveOutcome(
  origins: number,
  said: readonly (readonly [string, WatermarkEvent | undefined])[],
): string {
  const input = new InputWatermark(Array.from({ length: origins }, (_, origin) => String(origin)));
  return outcome(
    input,
    said.map(([origin, event]) => () => {
      if (event !== undefined) input.apply(origin, event);
    }),
  );
}

const outputsOf = (expected: readonly ({ readonly step: number } & Said)[]) =>
  expected.flatMap(({ step, watermark, status }) => {
    if (watermark !== undefined) return [`${step}=${text(watermark)}`];
    return status === undefined ? [] : [`${step}=${status}`];
  }).join(" ");

const valves = goldenCases<ValveCase>("watermark")?.filter(({ spec }) => spec.kind === "valve");
const operators = goldenCases<TwoInputCase>("coprocess");

const advance = (at: number): WatermarkEvent => ({ kind: "advance", at });
const idle: WatermarkEvent = { kind: "idle" };
const ended = (...successors: string[]): WatermarkEvent => ({ kind: "ended", successors });

describe("InputWatermark", () => {
  it("does as Flink's valve", () => {
    for (const [origins, said, expected] of FLINK) {
      const events = said.split(", ").map((one): [string, WatermarkEvent | undefined] => {
        const [, origin = "", at, status] = /^(\d)(?:=(\S+)| (idle|active))$/.exec(one) ?? [];
        if (status === "idle" || status === "active") return [origin, { kind: status }];
        return [origin, eventOf({ watermark: at === "max" ? at : Number(at) })];
      });
      assertEquals(valveOutcome(origins, events), expected, said);
    }
  });

  it({
    name: "does as Flink's valve in every recorded case",
    ignore: valves === undefined,
    fn() {
      for (const { id, spec, input, expected } of valves ?? []) {
        const said = input.map((
          step,
        ): [string, WatermarkEvent | undefined] => [String(step.channel), eventOf(step)]);
        assertEquals(valveOutcome(spec.channels, said), outputsOf(expected), id);
      }
    },
  });

  it("never goes back, and never passes an origin that it waits for", () => {
    const names = fc.constantFrom("a", "b", "c", "d", "e");
    const events: fc.Arbitrary<WatermarkEvent> = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -5, max: 30 }).map(advance) },
      fc.constant(idle),
      fc.constant<WatermarkEvent>({ kind: "active" }),
      fc.array(names, { maxLength: 2 }).map((names) => ended(...names)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, events), { maxLength: 40 }), (said) => {
        const input = new InputWatermark(["a", "b"]);
        const operator = new OperatorWatermark([input]);
        const waitedFor = new Map([["a", -Infinity], ["b", -Infinity]]);
        let before = -Infinity;
        for (const [origin, event] of said) {
          input.apply(origin, event);
          if (event.kind !== "advance") waitedFor.delete(origin);
          else if (waitedFor.has(origin)) {
            waitedFor.set(origin, Math.max(event.at, waitedFor.get(origin) ?? 0));
          }
          for (const at of waitedFor.values()) assert(input.at <= at, `${input.at} passed ${at}`);
          assert(input.at >= before, `${input.at} after ${before}`);
          operator.update();
          assertEquals(operator.at, input.at);
          before = input.at;
        }
      }),
      { numRuns: 300 },
    );
  });

  it("lets one that was not known join from the present on", () => {
    const input = new InputWatermark(["a"]);
    input.apply("a", advance(10));
    input.apply("new", advance(3));
    input.apply("a", advance(20));
    assertEquals(input.at, 20);
    input.apply("new", advance(21));
    input.apply("a", advance(30));
    assertEquals(input.at, 21);
  });

  it("waits for those that take the place of one that ended, from its watermark on", () => {
    const input = new InputWatermark(["parent", "other"]);
    input.apply("parent", advance(10));
    input.apply("other", advance(50));
    input.apply("parent", ended("left", "right"));
    assertEquals(input.at, 10);
    input.apply("left", advance(30));
    assertEquals(input.at, 10);
    input.apply("right", advance(40));
    assertEquals(input.at, 30);
  });

  it("takes a child's own word over its parent's, whichever comes first", () => {
    const input = new InputWatermark(["parent"]);
    input.apply("parent", advance(10));
    input.apply("child", advance(20));
    input.apply("parent", ended("child"));
    assertEquals(input.at, 20);
  });

  it("starts a merged shard at its older parent, an idle one left out, in either order", () => {
    const after = (order: readonly string[], idleParent?: string) => {
      const input = new InputWatermark(["p", "q", "other"]);
      input.apply("p", advance(5));
      input.apply("q", advance(8));
      if (idleParent !== undefined) input.apply(idleParent, idle);
      input.apply("other", advance(50));
      for (const parent of order) input.apply(parent, ended("child"));
      return [input.at, input.idle];
    };
    for (const order of [["p", "q"], ["q", "p"]]) {
      assertEquals(after(order), [5, false]);
      assertEquals(after(order, "p"), [8, false]);
      assertEquals(after(order, "q"), [5, false]);
    }
  });

  it("starts a merged shard as waited for if one of its parents was", () => {
    const input = new InputWatermark(["back", "q", "other"]);
    input.apply("back", advance(5));
    input.apply("q", advance(20));
    input.apply("other", advance(30));
    input.apply("back", idle);
    input.apply("back", { kind: "active" });
    for (const parent of ["back", "q"]) input.apply(parent, ended("child"));
    input.apply("other", advance(50));
    assertEquals(input.at, 20);
    input.apply("child", advance(40));
    assertEquals(input.at, 40);
  });

  it("takes one that has ended for gone, though it says so again over the longer side of a merge", () => {
    const input = new InputWatermark(["parent", "other"]);
    input.apply("parent", advance(30));
    input.apply("other", advance(10));
    for (let time = 0; time < 2; time++) input.apply("parent", ended("child"));
    input.apply("other", advance(25));
    assertEquals(input.at, 25);
    input.apply("child", ended());
    input.apply("parent", ended("child"));
    input.apply("other", advance(40));
    assertEquals([input.at, input.idle], [40, false]);
  });

  it("moves on when one ends that held it back, and is idle when only idle ones are left", () => {
    const input = new InputWatermark(["slow", "fast", "idle"]);
    input.apply("idle", advance(30));
    input.apply("idle", idle);
    input.apply("slow", advance(1));
    input.apply("fast", advance(9));
    input.apply("slow", ended());
    assertEquals([input.at, input.idle], [9, false]);
    input.apply("fast", ended());
    assertEquals([input.at, input.idle], [30, true]);
  });

  it("expects nothing more once it is finished", () => {
    const input = new InputWatermark(["a"]);
    input.finish();
    assertEquals(input.at, Infinity);
  });
});

describe("OperatorWatermark", () => {
  const inputs = () => [new InputWatermark(["x"]), new InputWatermark(["x"])] as const;

  it("is the least of its active inputs', and takes one that comes back at once", () => {
    const [left, right] = inputs();
    const clock = new OperatorWatermark([left, right]);
    left.apply("x", advance(10));
    assertEquals([clock.update(), clock.at], [false, -Infinity]);
    right.apply("x", advance(4));
    assertEquals([clock.update(), clock.at], [true, 4]);
    right.apply("x", idle);
    assertEquals([clock.update(), clock.at], [true, 10]);
    right.apply("x", { kind: "active" });
    right.apply("x", advance(7));
    left.apply("x", advance(20));
    assertEquals([clock.update(), clock.at], [false, 10]);
    right.apply("x", advance(12));
    assertEquals([clock.update(), clock.at], [true, 12]);
  });

  it("goes to the furthest when the last input turns idle", () => {
    const [left, right] = inputs();
    const clock = new OperatorWatermark([left, right]);
    left.apply("x", advance(10));
    left.apply("x", idle);
    right.apply("x", advance(4));
    assertEquals([clock.update(), clock.at, clock.idle], [true, 4, false]);
    right.apply("x", idle);
    assertEquals([clock.update(), clock.at, clock.idle], [true, 10, true]);
  });

  it({
    name: "does as Flink's operators with two inputs in every recorded case",
    ignore: operators === undefined,
    fn() {
      for (const { id, input, expected } of operators ?? []) {
        const [left, right] = inputs();
        const clock = new OperatorWatermark([left, right]);
        const steps = input.map((step) => () => {
          const sides = [
            [left, eventOf({ watermark: step.leftWatermark, status: step.leftStatus })],
            [right, eventOf({ watermark: step.rightWatermark, status: step.rightStatus })],
          ] as const;
          for (const [side, event] of sides) if (event !== undefined) side.apply("x", event);
          clock.update();
        });
        assertEquals(outcome(clock, steps), outputsOf(expected), id);
      }
    },
  });
});
