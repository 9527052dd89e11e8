import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { selectedField } from "../../operators/field_selector.ts";

interface Row {
  readonly id: string;
  readonly at: number;
  readonly $a_1: string;
  readonly place: { readonly zip: { readonly code: number } };
}

const other = { id: "other" };

describe("selectedField()", () => {
  it("names the field that an arrow function reads", () => {
    assertEquals(selectedField((row: Row) => row.id), ["id"]);
    assertEquals(selectedField((row: Row) => row.$a_1), ["$a_1"]);
    assertEquals(selectedField((row: Row) => row.place.zip.code), ["place", "zip", "code"]);
    assertEquals(selectedField(({ id }: Row) => id), ["id"]);
  });

  it("knows nothing of a function that does anything else, or might", () => {
    const selections: ((row: Row) => unknown)[] = [
      (row) => row,
      (row) => row.at + 1,
      (row) => row.id.length + row.at,
      (row) => row["id"],
      (row) => String(row.id),
      (row) => row.id ?? "none",
      (_row) => other.id,
      (row) => {
        return row.id;
      },
      ({ id: renamed }) => renamed,
      ({ id = "none" }) => id,
      function (row) {
        return row.id;
      },
      ((row: Row) => row.id).bind(undefined),
      new Proxy((row: Row) => row.id, {}),
    ];
    assertEquals(selections.map(selectedField), selections.map(() => undefined));
  });

  it("does not believe a text that a function gives of itself", () => {
    const select = Object.assign((row: Row) => row.at * 2, { toString: () => "(row) => row.id" });
    assertEquals(selectedField(select), undefined);
  });
});
