import { assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EventTrace, TRACE_EVENTS_MAX } from "../../../runtime/testing/event_trace.ts";

describe("EventTrace", () => {
  it("keeps the last events, and a fingerprint of all", () => {
    const traced = (events: number, first = 0) => {
      let now = 0;
      const trace = new EventTrace(() => now++);
      for (let event = first; event < first + events; event++) trace.add(`event ${event}`);
      return trace;
    };
    const trace = traced(500);
    assertEquals(trace.lines.length, TRACE_EVENTS_MAX);
    assertEquals(trace.lines.at(-1), "499 ms  event 499");
    assertEquals(trace.fingerprint, traced(500).fingerprint);
    assertNotEquals(trace.fingerprint, traced(501).fingerprint);
    assertNotEquals(trace.fingerprint, traced(500, 1).fingerprint);
  });
});
