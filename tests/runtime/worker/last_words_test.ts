import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LastWords } from "../../../runtime/worker/last_words.ts";

const at = (at: number) => ({ kind: "advance", at }) as const;
const [idle, active] = [{ kind: "idle" }, { kind: "active" }] as const;

describe("LastWords", () => {
  it("says again what an origin has said last: that it is there, its time, and that it fell idle", () => {
    const words = new LastWords();
    assertEquals(words.again("a"), []);
    for (const event of [at(3), idle, active, at(7)]) words.note("a", event);
    words.note("b", idle);
    assertEquals(words.again("a"), [active, at(7)]);
    assertEquals(words.again("b"), [active, idle]);
    words.note("a", idle);
    // Whoever is idle says no time: that comes first.
    assertEquals(words.again("a"), [active, at(7), idle]);
  });

  it("forgets an origin that has ended, and takes nothing else for its words", () => {
    const words = new LastWords();
    words.note("a", at(3));
    words.note("a", { kind: "settle" });
    assertEquals(words.again("a"), [active, at(3)]);
    words.note("a", { kind: "ended", successors: ["b"] });
    assertEquals([words.again("a"), words.again("b"), words.snapshot()], [[], [], []]);
  });

  it("goes on from a checkpoint", () => {
    const before = new LastWords();
    before.note("a", at(3));
    before.note("a", idle);
    before.note("b", active);
    const kept = structuredClone(before.snapshot());
    assertEquals(kept, [
      { origin: "a", advance: at(3), status: idle },
      { origin: "b", advance: undefined, status: active },
    ]);
    const after = new LastWords(kept);
    assertEquals(after.again("a"), [active, at(3), idle]);
    after.note("a", at(5));
    assertEquals(after.again("a"), [active, at(5), idle]);
    assertEquals(after.again("b"), [active]);
  });

  it("hands an origin on to another worker", () => {
    const [here, there] = [new LastWords(), new LastWords()];
    there.note("a", at(1));
    there.note("a", idle);
    here.note("a", at(5));
    here.note("b", at(6));
    there.adopt("a", here.snapshot().filter(({ origin }) => origin === "a"));
    here.forget("a");
    assertEquals([here.again("a"), here.again("b")], [[], [active, at(6)]]);
    assertEquals(there.again("a"), [active, at(5)]);
    there.adopt("a", []);
    assertEquals(there.again("a"), []);
  });
});
