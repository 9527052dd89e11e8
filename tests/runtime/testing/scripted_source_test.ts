import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ShardBatch } from "../../../connectors/source.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { ScriptedSource } from "../../../runtime/testing/scripted_source.ts";
import { connectorContext } from "../../connectors/connector_context.ts";
import { turns } from "../../connectors/event_loop.ts";

/** What a reader of a shard is given. */
function reading(source: ScriptedSource<string>, shard: string, after?: string) {
  const log: string[] = [];
  const demand = { next: () => Promise.resolve() };
  const written = ({ length, position, marks = [], ...batch }: ShardBatch<string>) => {
    const rows = Array.from(
      { length },
      (_, row) => `${batch.valueAt(row)}@${batch.positionAt(row)}`,
    );
    const words = marks.map(({ beforeRow, event }) => `${event.kind}<${beforeRow}`);
    return [...rows, ...words, `to ${position}`].join(" ");
  };
  const subscription = source.read(shard, after, { ...connectorContext(systemClock), demand })
    .subscribe({
      next: (batch) => log.push(written(batch)),
      error: (error) => log.push(String(error)),
      complete: () => log.push("end"),
    });
  return { log, subscription };
}

describe("ScriptedSource", () => {
  it("delivers what it is given, words about time between the rows", async () => {
    const source = new ScriptedSource<string>({ shards: ["a"] });
    source.push("a", { value: "x" }, { event: { kind: "idle" } }, { value: "y", timestamp: 4 });
    const { log } = reading(source, "a");
    await turns(2);
    source.push("a", { event: { kind: "advance", at: 4 } });
    await turns(2);
    source.end("a");
    await turns(2);
    assertEquals(log, ["x@0 y@2 idle<1 to 2", "advance<0 to 3", "end"]);
  });

  it("goes on from a position, and ends on its own terms when let go", async () => {
    const source = new ScriptedSource<string>({ shards: ["a"] });
    source.push("a", { value: "x" }, { value: "y" });
    const { log, subscription } = reading(source, "a", "0");
    await turns(2);
    subscription.unsubscribe();
    source.push("a", { value: "z" });
    await turns(2);
    assertEquals(log, ["y@1 to 1"]);
  });

  it("goes on behind a word, and behind a row with the words that follow it", async () => {
    const idle = { event: { kind: "idle" } } as const;
    const active = { event: { kind: "active" } } as const;
    const source = new ScriptedSource<string>({ shards: ["a"] });
    source.push("a", idle, { value: "x" }, idle, active, { value: "y" });
    const logs = ["0", "1", "2", "3"].map((after) => reading(source, "a", after).log);
    await turns(2);
    assertEquals(logs.flat(), [
      "x@1 y@4 idle<1 active<1 to 4",
      "y@4 idle<0 active<0 to 4",
      "y@4 active<0 to 4",
      "y@4 to 4",
    ]);
    const marks: (readonly [string, string])[] = [];
    const demand = { next: () => Promise.resolve() };
    source.read("a", undefined, { ...connectorContext(systemClock), demand }).subscribe((batch) => {
      for (const { event, position } of batch.marks ?? []) marks.push([event.kind, position]);
    });
    await turns(2);
    assertEquals(marks, [["idle", "0"], ["idle", "2"], ["active", "3"]]);
  });

  it("errors for a shard that is not there and a position that is no step", async () => {
    const source = new ScriptedSource<string>({ shards: ["a"] });
    const logs = [reading(source, "b").log, reading(source, "a", "x").log];
    await turns(2);
    assertEquals(logs.map(([line]) => line?.split(":")[0]), ["RangeError", "RangeError"]);
  });

  it("lists shards with their parents", async () => {
    const source = new ScriptedSource<string>({ shards: ["a"] });
    source.add("b", ["a"]);
    assertEquals(await source.shards(), [{ id: "a", parents: [] }, { id: "b", parents: ["a"] }]);
  });
});
