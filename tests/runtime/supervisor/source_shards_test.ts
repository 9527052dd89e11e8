import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type RestoredShard, SourceShards } from "../../../runtime/supervisor/source_shards.ts";

const shard = (id: string, ...parents: string[]) => ({ id, parents });

/** The shards of `in`, which is bounded, and of `grown`; what workers are told is written down. */
function sources(workers: number, restored: Readonly<Record<string, RestoredShard[]>> = {}) {
  const log: string[] = [];
  const of = new SourceShards({
    workers,
    restored,
    tell(worker, command) {
      const { type, ...more } = command;
      log.push([worker, type, ...Object.values(more)].join(" ").trimEnd());
    },
  });
  of.add("in", true);
  of.add("grown", false);
  return { of, log };
}

describe("SourceShards", () => {
  it("has shards read where there are the fewest, and tells all workers when a source is over", () => {
    const { of, log } = sources(2);
    of.list("in", [shard("a"), shard("b"), shard("c")]);
    of.openReadable();
    assertEquals(log, ["0 openShard in a", "1 openShard in b", "0 openShard in c"]);
    for (const [worker, id] of [[0, "a"], [0, "c"], [1, "b"]] as const) {
      of.ended("in", id);
      of.release(worker, "in", id);
      of.released("in", id);
    }
    assertEquals(log.slice(3), [
      "0 releaseShard in a",
      "0 releaseShard in c",
      "1 releaseShard in b",
      "0 endSource in",
      "1 endSource in",
    ]);
  });

  it("knows who reads a shard, wherever it moves, until it has ended", () => {
    const { of } = sources(3);
    of.list("in", [shard("a"), shard("b"), shard("c")]);
    of.list("grown", [shard("d")]);
    of.openReadable();
    const read = () =>
      of.byWorker.map((shards) => shards.map(({ source, shard }) => `${source}/${shard}`));
    assertEquals(read(), [["in/a", "grown/d"], ["in/b"], ["in/c"]]);
    of.moved("in", "a", 1);
    assertEquals(read(), [["grown/d"], ["in/b", "in/a"], ["in/c"]]);
    assertEquals([of.workerOf("in", "a"), of.workerOf("in", "d")], [1, undefined]);
    of.ended("in", "a");
    assertEquals([of.workerOf("in", "a"), read()[1]], [undefined, ["in/b"]]);
  });

  it("has children read in a parent's place, once it has been let go of", () => {
    const { of, log } = sources(2);
    of.list("grown", [shard("p"), shard("left", "p"), shard("right", "p")]);
    assertEquals([of.readable["grown"], of.growing], [["p"], ["grown"]]);
    of.open("grown");
    of.ended("grown", "p");
    assertEquals(log, ["0 openShard grown p"]);
    of.release(0, "grown", "p");
    // A listing comes meanwhile: nobody is to overtake what says that the parent has ended.
    of.open("grown");
    assertEquals(log.slice(1), ["0 releaseShard grown p left,right"]);
    of.released("grown", "p");
    assertEquals(log.slice(2), [
      "0 openShard grown left",
      "1 openShard grown right",
    ]);
    assertEquals(of.tracked["grown"]?.map(({ id, state }) => `${id} ${state}`), [
      "p ended",
      "left reading",
      "right reading",
    ]);
  });

  it("goes on from a checkpoint's positions, and reads nothing again that had ended", () => {
    const { of, log } = sources(1, {
      in: [
        { ...shard("p"), state: "ended", position: undefined },
        { ...shard("left", "p"), state: "reading", position: "7" },
        { ...shard("right", "p"), state: "reading", position: undefined },
      ],
    });
    of.list("in", [shard("p"), shard("left", "p"), shard("right", "p")]);
    of.open("in");
    assertEquals(log, ["0 openShard in left 7", "0 openShard in right"]);
  });

  it("ends a source at once whose shards had all ended at the checkpoint", () => {
    const { of, log } = sources(1, { in: [{ ...shard("a"), state: "ended", position: "9" }] });
    of.list("in", [shard("a")]);
    of.open("in");
    assertEquals(log, ["0 endSource in"]);
  });

  it("opens nothing any more once it is closed, but lets go of what ends", () => {
    const { of, log } = sources(1);
    of.list("grown", [shard("p"), shard("child", "p")]);
    of.open("grown");
    of.close();
    of.ended("grown", "p");
    of.release(0, "grown", "p");
    of.released("grown", "p");
    assertEquals(log.slice(1), ["0 releaseShard grown p child"]);
  });
});
