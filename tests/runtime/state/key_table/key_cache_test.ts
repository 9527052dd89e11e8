import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KeyCache } from "../../../../runtime/state/key_table/key_cache.ts";

describe("KeyCache", () => {
  it("has what was set, in any order, until it is dropped", () => {
    const cache = new KeyCache();
    const slots = [9000, 0, 4095, 4096, 8191, 100_000];
    for (const slot of slots) assertEquals(cache.get(slot), undefined);
    for (const slot of slots) cache.set(slot, `key-${slot}`);
    for (const slot of slots) assertEquals(cache.get(slot), `key-${slot}`);
    assertEquals([cache.get(1), cache.get(50_000), cache.get(200_000)], [
      undefined,
      undefined,
      undefined,
    ]);
    for (const slot of [4096, 50_000, 200_000]) cache.drop(slot);
    assertEquals([cache.get(4096), cache.get(4095)], [undefined, "key-4095"]);
    cache.set(50_000, 0);
    assertEquals(cache.get(50_000), 0);
  });

  it("has nothing once it is cleared", () => {
    const cache = new KeyCache();
    cache.set(5000, "a");
    cache.clear();
    assertEquals(cache.get(5000), undefined);
  });
});
