/**
 * Entries of generated literals: whatever a field is called, it is an own property with that name.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { codeGenerationAllowed, literalEntry } from "../../../runtime/transport/generated_code.ts";

describe("literalEntry()", () => {
  it("defines an own property whatever the name is", () => {
    for (
      const name of [
        "a",
        "",
        "a b",
        'a"b',
        "\\",
        "`${1}",
        "\n",
        "\u2029",
        "\uD800",
        "1",
        "__proto__",
      ]
    ) {
      const made: unknown = new Function(`return { ${literalEntry(name, "7")} };`)();
      assertEquals(Object.entries(made ?? {}), [[name, 7]]);
    }
  });
});

describe("codeGenerationAllowed()", () => {
  it("is so where nothing forbids it", () => {
    assertEquals(codeGenerationAllowed(), true);
  });
});
