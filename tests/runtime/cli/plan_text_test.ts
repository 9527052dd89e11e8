import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { planText } from "../../../runtime/cli/plan_text.ts";
import type { JobPlan } from "../../../runtime/stage_plan.ts";

const plan: JobPlan = {
  job: "demo",
  maxParallelism: 64,
  onError: "stop",
  sources: [
    { name: "bookings", kind: "kinesis", of: "booking-created", bounded: false },
    { name: "old", kind: "file", of: "old.ndjson", bounded: true },
  ],
  sinks: [{ name: "out", kind: "kinesis", of: "totals" }],
  stages: [
    { name: "bookings", kind: "source", states: [], calls: [] },
    { name: "old", kind: "source", states: [], calls: [] },
    { name: "correlate", kind: "keyed", states: [], calls: [] },
    { name: "sum", kind: "keyed", states: [], calls: [] },
  ],
  edges: [
    {
      id: 0,
      from: "bookings",
      to: "correlate",
      input: 0,
      keyBy: 4,
      as: "columns",
      key: "(b)=>b.id",
    },
    { id: 1, from: "old", to: "correlate", input: 1, keyBy: 5, as: "rows", key: "(o)=>o.id" },
    {
      id: 2,
      from: "correlate",
      to: "sum",
      input: 0,
      keyBy: 7,
      as: "rows",
      key: "(row)=>row.hotel",
    },
  ],
  decoding: [
    {
      operator: "bookings/pipe",
      paths: ["$.detail", "$.booking"],
      schema: "zod",
      way: "columns, then validate",
      why: "because",
    },
    {
      operator: "old/flatMapJson",
      paths: ["$[*]"],
      schema: "arktype",
      way: "JSON.parse",
      why: "the path $[*] may select several nodes",
    },
  ],
};

describe("planText()", () => {
  it("tells all of a plan in columns, and of inputs which is which where there are two", () => {
    assertEquals(
      planText(plan),
      `demo: key groups 64, on error "stop"

Sources
  bookings  kinesis  booking-created
  old       file     old.ndjson       ends by itself

Stages
  bookings   source
  old        source
  correlate  keyed
  sum        keyed

Edges
  bookings -> correlate  left   as columns  keyed by (b)=>b.id
  old -> correlate       right  as rows     keyed by (o)=>o.id
  correlate -> sum              as rows     keyed by (row)=>row.hotel

Sinks
  out  kinesis  totals

Decoding
  bookings/pipe    $.detail > $.booking  zod      by columns, then validate: because
  old/flatMapJson  $[*]                  arktype  by JSON.parse: the path $[*] may select several nodes`,
    );
  });

  it("tells which edge is a broadcast, and where it goes", () => {
    const text = planText({
      ...plan,
      edges: [
        ...plan.edges.slice(2),
        { id: 1, from: "bookings", to: "old", input: 0, keyBy: 4, as: "rows", key: "(b)=>b.id" },
        { id: 3, from: "old", to: "old", input: 1, broadcast: 8, as: "rows" },
      ],
    });
    assertEquals(
      text.split("\n\n")[3],
      `Edges
  correlate -> sum             as rows  keyed by (row)=>row.hotel
  bookings -> old   keyed      as rows  keyed by (b)=>b.id
  old -> old        broadcast  as rows  to all workers`,
    );
  });

  it("leaves out columns with nothing in them, and says where there is nothing at all", () => {
    const [edge] = plan.edges.slice(2);
    const text = planText({
      ...plan,
      sources: plan.sources.slice(0, 1),
      edges: edge === undefined ? [] : [edge],
      decoding: [],
    });
    assertEquals(text.split("\n\n").slice(1), [
      "Sources\n  bookings  kinesis  booking-created",
      "Stages\n  bookings   source\n  old        source\n  correlate  keyed\n  sum        keyed",
      "Edges\n  correlate -> sum  as rows  keyed by (row)=>row.hotel",
      "Sinks\n  out  kinesis  totals",
      "Decoding\n  none",
    ]);
  });
});
