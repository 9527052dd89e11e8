import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Alignment } from "../../../runtime/worker/alignment.ts";

type Channel = "a" | "b" | "c";

/** With epochs 1 and 2 announced. */
function aligned(...channels: Channel[]): Alignment<Channel, string> {
  const alignment = new Alignment<Channel, string>(channels);
  alignment.announced(2);
  return alignment;
}

describe("Alignment", () => {
  it("holds what a channel brings behind its barrier, and lets the others go on", () => {
    const alignment = aligned("a", "b");
    assertEquals(alignment.take("a", "before"), "go on");
    assertEquals(alignment.barrier("a", 1, 10), false);
    assertEquals(alignment.state, { kind: "aligning", epoch: 1, since: 10 });
    assertEquals([alignment.take("a", "a1"), alignment.take("b", "b1")], ["held", "go on"]);
    assertEquals(alignment.held, 1);
  });

  it("holds everything between the last barrier and the release, in the order in which it came", () => {
    const alignment = aligned("a", "b");
    alignment.barrier("a", 1, 10);
    alignment.take("a", "a1");
    assertEquals(alignment.barrier("b", 1, 15), true);
    assertEquals(alignment.state, { kind: "reached", epoch: 1, since: 10 });
    assertEquals([alignment.take("b", "b1"), alignment.take("a", "a2")], ["held", "held"]);
    assertEquals(alignment.release(), ["a1", "b1", "a2"]);
    assertEquals([alignment.state, alignment.held], [{ kind: "flowing" }, 0]);
    assertEquals(alignment.take("a", "a3"), "go on");
  });

  it("takes an end for a barrier, and waits for the channel no more", () => {
    const alignment = aligned("a", "b", "c");
    assertEquals(alignment.ended("c"), false);
    alignment.barrier("a", 1, 0);
    assertEquals(alignment.ended("b"), true);
    assertEquals(alignment.release(), []);
    assertEquals(alignment.barrier("a", 2, 5), true);
  });

  it("still waits for the others when a channel ends whose barrier has come", () => {
    const alignment = aligned("a", "b");
    alignment.barrier("a", 1, 0);
    assertEquals(alignment.ended("a"), false);
    assertEquals(alignment.barrier("b", 1, 0), true);
    assertEquals(alignment.ended("b"), false, "reached once only");
  });

  it("is reached at once by the only channel, and forgets who has passed with each epoch", () => {
    const only = aligned("a");
    assertEquals(only.barrier("a", 1, 0), true);
    const alignment = aligned("a", "b");
    alignment.barrier("a", 1, 0);
    alignment.barrier("b", 1, 0);
    alignment.release();
    assertEquals(alignment.barrier("b", 2, 3), false);
    assertEquals([alignment.take("a", "a1"), alignment.take("b", "b1")], ["go on", "held"]);
  });

  it("is not reached before the epoch is announced, though its barrier has come over all", () => {
    const alignment = new Alignment<Channel, string>(["a", "b"]);
    alignment.announced(1);
    assertEquals(alignment.barrier("a", 2, 10), false);
    assertEquals(alignment.take("a", "a1"), "held");
    assertEquals(alignment.barrier("b", 2, 15), false);
    assertEquals(alignment.state, { kind: "aligning", epoch: 2, since: 10 });
    assertEquals([alignment.take("b", "b1"), alignment.held], ["held", 2]);
    assertEquals(alignment.announced(2), true);
    assertEquals(alignment.state, { kind: "reached", epoch: 2, since: 10 });
    assertEquals(alignment.release(), ["a1", "b1"]);
  });

  it("is not reached by an end before the epoch is announced", () => {
    const alignment = new Alignment<Channel, string>(["a", "b"]);
    alignment.barrier("a", 1, 0);
    assertEquals(alignment.ended("b"), false);
    assertEquals(alignment.announced(1), true);
  });

  it("is reached by no announcement while a barrier is still to come, or none has come", () => {
    const alignment = new Alignment<Channel, string>(["a", "b"]);
    assertEquals(alignment.announced(1), false);
    assertEquals(alignment.state, { kind: "flowing" });
    alignment.barrier("a", 1, 0);
    assertEquals(alignment.announced(1), false);
    assertEquals(alignment.barrier("b", 1, 0), true);
    assertEquals(alignment.announced(2), false, "reached once only");
    assertEquals(alignment.state, { kind: "reached", epoch: 1, since: 0 });
  });

  it("passes an epoch that was given up, though the next one is announced before its barrier has come over all", () => {
    const alignment = new Alignment<Channel, string>(["a", "b"]);
    alignment.announced(1);
    alignment.barrier("a", 1, 0);
    alignment.take("a", "a1");
    assertEquals(alignment.announced(2), false);
    assertEquals(alignment.barrier("b", 1, 5), true);
    assertEquals(alignment.state, { kind: "reached", epoch: 1, since: 0 });
    assertEquals(alignment.release(), ["a1"]);
    assertEquals([alignment.barrier("a", 2, 6), alignment.barrier("b", 2, 7)], [false, true]);
  });

  it("refuses the barrier of another epoch while one is under way", () => {
    const alignment = aligned("a", "b");
    alignment.barrier("a", 1, 0);
    assertThrows(
      () => alignment.barrier("b", 2, 0),
      Error,
      "Cannot align epoch 2: epoch 1 is under way",
    );
  });
});
