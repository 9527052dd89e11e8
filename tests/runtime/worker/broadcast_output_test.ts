import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { BroadcastOutput } from "../../../runtime/worker/broadcast_output.ts";
import { OutboundChannel } from "../../../runtime/worker/channel.ts";
import { EdgeChannels } from "../../../runtime/worker/edge_channels.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

/** A broadcast to two stages on so many workers. */
function output(workers = 3) {
  const heard: string[] = [];
  const channel = (name: string) =>
    new OutboundChannel({
      rows(rows) {
        const values = rows.kind === "values" ? rows.values : [];
        heard.push(`${name} ${values.join(",")} ${rows.timestampAt(0)}`);
        return rows.length;
      },
      watermark: (origin, { kind }) => heard.push(`${name} ${origin} ${kind}`),
      barrier: (epoch) => heard.push(`barrier ${epoch}`),
      end: (final) => heard.push(`${name} end ${final}`),
    });
  const failures = new RecordedFailures();
  const edges = ["a", "b"].map((stage) =>
    Array.from({ length: workers }, (_, worker) => channel(`${stage}@${worker}`))
  );
  const broadcast = new BroadcastOutput({
    operator: "in/broadcast",
    channels: new EdgeChannels(edges, workers),
    cursor: cursorAt(7, { timestamp: 5 }),
    failures,
  });
  return { broadcast, heard, failures, flush: () => broadcast.channels.flush() };
}

describe("BroadcastOutput", () => {
  it("sends each record to all workers, on every edge", () => {
    const { broadcast, heard, flush } = output();
    for (const n of [1, 2]) broadcast.next(n);
    flush();
    assertEquals(
      heard,
      ["a@0", "a@1", "a@2", "b@0", "b@1", "b@2"].map((channel) => `${channel} 1,2 5`),
    );
  });

  it("tells every worker of watermarks and the end, behind the records", () => {
    const { broadcast, heard } = output();
    broadcast.next(1);
    broadcast.channels.watermark("in/s0", { kind: "idle" });
    broadcast.channels.end(true);
    assertEquals(heard.filter((line) => line.startsWith("a@1")), [
      "a@1 1 5",
      "a@1 in/s0 idle",
      "a@1 end true",
    ]);
    assertEquals(heard.filter((line) => line.includes("idle")).length, 6);
    assertEquals(heard.filter((line) => line.includes("end true")).length, 6);
  });

  it("sends a record that can't leave the worker nowhere, if it would have to", () => {
    const there = output();
    there.broadcast.next(() => {});
    there.flush();
    assertEquals(there.heard, []);
    assertEquals(there.failures.letters.map(({ operator, origin }) => [operator, origin]), [
      ["in/broadcast", "in/s0@7"],
    ]);
    const here = output(1);
    here.broadcast.next(() => {});
    here.flush();
    assertEquals([here.heard.length, here.failures.letters], [2, []]);
  });
});
