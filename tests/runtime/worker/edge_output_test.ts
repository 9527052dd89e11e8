import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { keyGroupOf } from "../../../runtime/state/key_group.ts";
import type { Key } from "../../../runtime/key.ts";
import { OutboundChannel } from "../../../runtime/worker/channel.ts";
import { EdgeChannels } from "../../../runtime/worker/edge_channels.ts";
import { EdgeOutput } from "../../../runtime/worker/edge_output.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

const ROUTING = Array.from({ length: 8 }, (_, group) => group % 2);

/** A keyBy with an edge to each of two stages, over two workers; values are their own keys. */
function output(key: (value: unknown) => Key = (value) => value as Key) {
  const heard: string[] = [];
  const channel = (stage: string, worker: number) =>
    new OutboundChannel({
      rows(rows) {
        const keys = rows.kind === "values" ? rows.keys : [];
        for (const [row, key] of keys.entries()) {
          heard.push(`${stage}@${worker} ${key} ${rows.groups[row]}`);
        }
        return rows.length;
      },
      watermark: (origin, { kind }) => heard.push(`${stage}@${worker} ${origin} ${kind}`),
      barrier: (epoch) => heard.push(`${stage}@${worker} barrier ${epoch}`),
      end: (final) => heard.push(`${stage}@${worker} end ${final}`),
    });
  const failures = new RecordedFailures();
  const edge = new EdgeOutput({
    operator: "in/keyBy",
    key,
    routing: ROUTING,
    channels: new EdgeChannels(
      ["sum", "max"].map((stage) => [channel(stage, 0), channel(stage, 1)]),
      2,
    ),
    cursor: cursorAt(7),
    failures,
  });
  return { edge, heard, failures };
}

describe("EdgeOutput", () => {
  it("sends a record to the worker that has its key group, on every edge, when it is flushed", () => {
    const { edge, heard } = output();
    const keys = ["a", "b", 42, ""];
    for (const key of keys) edge.next(key);
    assertEquals(heard, []);
    edge.channels.flush();
    const expected = keys.flatMap((key) => {
      const group = keyGroupOf(key, ROUTING.length);
      return ["sum", "max"].map((stage) => `${stage}@${ROUTING[group]} ${key} ${group}`);
    });
    assertEquals(heard.toSorted(), expected.toSorted());
    assertEquals(
      new Set(heard.map((line) => line.split(" ")[0])).size,
      4,
      "keys must reach both workers",
    );
  });

  it("tells every worker of watermarks and the end", () => {
    const { edge, heard } = output();
    edge.channels.watermark("in/s0", { kind: "idle" });
    edge.channels.end(false);
    const channels = ["sum@0", "sum@1", "max@0", "max@1"];
    assertEquals(heard, [
      ...channels.map((of) => `${of} in/s0 idle`),
      ...channels.map((of) => `${of} end false`),
    ]);
  });

  it("makes one dead letter of a record whose key is none, or whose key function throws", () => {
    const { edge, failures, heard } = output((value) => {
      if (value === "boom") throw new RangeError("boom");
      return value as Key;
    });
    for (const value of [NaN, Infinity, undefined, null, {}, true, "boom"]) edge.next(value);
    edge.channels.flush();
    const reason = (found: string) =>
      `in/keyBy in/s0@7: Cannot key the record: its key is ${found}, expected a string or a finite number`;
    assertEquals(failures.reasons, [
      ...["NaN", "Infinity", "undefined", "object", "object", "boolean"].map(reason),
      "in/keyBy in/s0@7: RangeError: boom",
    ]);
    assertEquals(heard, []);
  });
});
