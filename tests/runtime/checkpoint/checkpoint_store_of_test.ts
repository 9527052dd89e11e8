import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { checkpointStoreOf } from "../../../runtime/checkpoint/checkpoint_store_of.ts";

describe("checkpointStoreOf()", () => {
  it("tells stores by path and URL", () => {
    const stores: Readonly<Record<string, readonly [string, string]>> = {
      "a.db": ["sqlite", "a.db"],
      "/var/lib/a b.sqlite": ["sqlite", "/var/lib/a b.sqlite"],
      "C:\\jobs\\a.db": ["sqlite", "C:\\jobs\\a.db"],
      "file:a": ["sqlite", "a"],
      "file:///var/a%20b": ["sqlite", "/var/a b"],
      "s3://jobs": ["s3", "s3://jobs"],
      "s3://jobs/a/b": ["s3", "s3://jobs/a/b"],
    };
    for (const [url, expected] of Object.entries(stores)) {
      const { kind, name } = checkpointStoreOf(url);
      assertEquals([kind, name], expected);
    }
  });

  it("says what to write where it can't tell", () => {
    for (
      const url of ["", "a", "a/", ".db", "file:", "file:///a/", "file://host/a", "gs://a/b.db"]
    ) {
      assertThrows(() => checkpointStoreOf(url), TypeError, "write a path that ends in .db", url);
    }
    assertThrows(() => checkpointStoreOf("s3:jobs"), TypeError, "write s3://bucket/prefix");
  });
});
