/**
 * Which queries select one node at most.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseJsonPath } from "../../../operators/json_path/parser.ts";
import { singularQuery } from "../../../operators/json_path/syntax.ts";

describe("singularQuery()", () => {
  it("gives the steps of names and indexes", () => {
    const query = singularQuery(parseJsonPath("$.a['b'][-1]"));
    assertEquals(query, { from: "root", steps: ["a", "b", -1] });
  });

  it("gives nothing for what can select more", () => {
    for (const path of ["$[0,1]", "$..a", "$.*", "$[0:1]", "$[?@]"]) {
      assertEquals(singularQuery(parseJsonPath(path)), undefined, path);
    }
  });
});
