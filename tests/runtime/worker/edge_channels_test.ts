import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RowBatch } from "../../../runtime/transport/row_batch.ts";
import { OutboundChannel } from "../../../runtime/worker/channel.ts";
import { EdgeChannels } from "../../../runtime/worker/edge_channels.ts";
import { CHANNEL_ROWS_MAX } from "../../../runtime/limits.ts";

/** One edge with channels to three workers, of which two are there; what goes out is written down. */
function edge() {
  const log: string[] = [];
  const channels = [0, 1, 2].map((worker) =>
    new OutboundChannel({
      rows: (rows) => rows.length,
      watermark: (origin, { kind }) => log.push(`${worker} ${origin} ${kind}`),
      barrier: (epoch) => log.push(`${worker} barrier ${epoch}`),
      end: (final) => log.push(`${worker} end ${final}`),
    })
  );
  return { log, channels, edge: new EdgeChannels([channels], 2) };
}

describe("EdgeChannels", () => {
  it("send a barrier to those who were there, and what is behind it to the one that joins too", () => {
    const { log, edge: of } = edge();
    of.barrier(1, { kind: "join", worker: 2 });
    of.watermark("in/a", { kind: "idle" });
    of.barrier(2, { kind: "snapshot" });
    assertEquals(log, [
      ...["0 barrier 1", "1 barrier 1"],
      ...["0 in/a idle", "1 in/a idle", "2 in/a idle"],
      ...["0 barrier 2", "1 barrier 2", "2 barrier 2"],
    ]);
  });

  it("tell one that joins behind their end that they have ended, once", () => {
    const { log, edge: of } = edge();
    of.end(true);
    of.join(2);
    of.join(2);
    assertEquals(log, ["0 end true", "1 end true", "2 end true"]);
  });

  it("send nothing more to one that has left, and wait for no credit from it", () => {
    const { log, channels, edge: of } = edge();
    const full = new RowBatch();
    for (let row = 0; row < CHANNEL_ROWS_MAX; row++) full.values.push(row);
    channels[1]?.addRows(full);
    assertEquals(of.gates.map(({ closed }) => closed), [false, true, false]);
    of.left(1);
    assertEquals(of.gates.map(({ closed }) => closed), [false, false, false]);
    of.watermark("in/a", { kind: "idle" });
    assertEquals(log, ["0 in/a idle"]);
    of.join(1);
    of.watermark("in/a", { kind: "active" });
    assertEquals(log.slice(1), ["0 in/a active", "1 in/a active"]);
  });
});
