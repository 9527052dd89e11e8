import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ShardTracker } from "../../../runtime/supervisor/shard_tracker.ts";

const shard = (id: string, ...parents: string[]) => ({ id, parents });

describe("ShardTracker", () => {
  it("holds a shard back until all its parents have been read to their end", () => {
    const tracker = new ShardTracker();
    tracker.list([shard("a"), shard("b"), shard("merged", "a", "b"), shard("child", "merged")]);
    assertEquals([tracker.readable, tracker.takeReadable(), tracker.readable], [["a", "b"], [
      "a",
      "b",
    ], []]);
    tracker.end("a");
    assertEquals(tracker.takeReadable(), []);
    tracker.end("b");
    assertEquals([tracker.takeReadable(), tracker.allEnded], [[], false]);
    for (const id of ["a", "b"]) tracker.release(id);
    assertEquals([tracker.takeReadable(), tracker.allEnded], [["merged"], false]);
    tracker.end("merged");
    tracker.release("merged");
    assertEquals(tracker.takeReadable(), ["child"]);
    tracker.end("child");
    assertEquals([tracker.takeReadable(), tracker.allEnded], [[], true]);
  });

  it("reads a shard whose parents are no longer listed", () => {
    const tracker = new ShardTracker();
    tracker.list([shard("child", "expired")]);
    assertEquals(tracker.takeReadable(), ["child"]);
  });

  it("takes later listings without forgetting how far it is", () => {
    const tracker = new ShardTracker();
    tracker.list([shard("a")]);
    tracker.takeReadable();
    tracker.list([shard("a"), shard("left", "a"), shard("right", "a")]);
    assertEquals([tracker.readable, tracker.successorsOf("a")], [[], ["left", "right"]]);
    tracker.end("a");
    tracker.release("a");
    tracker.list([shard("left", "a"), shard("right", "a")]);
    assertEquals([tracker.takeReadable(), tracker.successorsOf("left")], [["left", "right"], []]);
  });

  it("refuses the end of a shard that is not being read", () => {
    const tracker = new ShardTracker();
    tracker.list([shard("a")]);
    const message = (state: string) =>
      `Cannot end shard "a": it is ${state}, expected one that is being read`;
    assertThrows(() => tracker.end("a"), Error, message("waiting"));
    tracker.takeReadable();
    tracker.end("a");
    assertThrows(() => tracker.end("a"), Error, message("ended"));
    assertThrows(() => tracker.end("b"), Error, 'Cannot end shard "b": it is not known');
  });

  it("goes on from a checkpoint: reads again what was being read, and nothing that had ended", () => {
    const tracker = new ShardTracker([
      { ...shard("parent"), state: "ended" },
      { ...shard("left", "parent"), state: "reading" },
    ]);
    assertEquals(tracker.tracked, [{ ...shard("parent"), state: "ended" }]);
    // The listing may have no more of it than its children.
    tracker.list([shard("left", "parent"), shard("right", "parent"), shard("last", "left")]);
    assertEquals(tracker.takeReadable(), ["left", "right"]);
    tracker.end("left");
    tracker.release("left");
    assertEquals(tracker.tracked, [
      { ...shard("parent"), state: "ended" },
      { ...shard("left", "parent"), state: "ended" },
      { ...shard("right", "parent"), state: "reading" },
    ]);
    assertEquals(tracker.takeReadable(), ["last"]);
  });

  it("holds children back of a shard that was being read at the checkpoint", () => {
    const tracker = new ShardTracker([{ ...shard("parent"), state: "reading" }]);
    tracker.list([shard("child", "parent")]);
    assertEquals([tracker.takeReadable(), tracker.allEnded], [["parent"], false]);
    tracker.end("parent");
    tracker.release("parent");
    assertEquals(tracker.takeReadable(), ["child"]);
  });

  it("has ended when nothing was ever listed", () => {
    assertEquals(new ShardTracker().allEnded, true);
  });
});
