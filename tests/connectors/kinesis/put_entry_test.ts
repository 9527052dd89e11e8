import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type KinesisSinkOptions,
  PARTITION_KEY_LENGTH_MAX,
  putEntry,
  RECORD_BYTES_MAX_DEFAULT,
} from "../../../connectors/kinesis/put_entry.ts";

const put = (value: unknown, options: Partial<KinesisSinkOptions<unknown>> = {}) =>
  putEntry(value, "s@1", { partitionKey: () => "key", ...options });

describe("putEntry()", () => {
  it("takes keys of 1 to 256 characters, counted as code points", () => {
    for (
      const key of [
        "a",
        "a".repeat(PARTITION_KEY_LENGTH_MAX),
        "😀".repeat(PARTITION_KEY_LENGTH_MAX),
      ]
    ) {
      assertEquals(put(1, { partitionKey: () => key }).partitionKey, key);
    }
    for (const key of ["", "a".repeat(257), "😀".repeat(257)]) {
      assertThrows(() => put(1, { partitionKey: () => key }), RangeError, "characters");
    }
  });

  it("adds the id as the last property of an object, and rejects what can't have one", () => {
    const put = (value: unknown, encoded?: Uint8Array) => {
      const options = { partitionKey: () => "key", idField: 'the "id"' };
      const { data, bytes } = putEntry(value, "s@1", options, encoded, { id: 's@"1#0' });
      assertEquals(bytes, data.length + 3);
      return new TextDecoder().decode(data);
    };
    const dated = { a: "}", toJSON: () => ({ b: "é" }) };
    assertEquals(put({}), '{"the \\"id\\"":"s@\\"1#0"}');
    assertEquals(put(dated), '{"b":"é","the \\"id\\"":"s@\\"1#0"}');
    const encoded = new TextEncoder().encode('{"a":1}');
    assertEquals(JSON.parse(put({ a: 1 }, encoded)), { a: 1, 'the "id"': 's@"1#0' });
    assertEquals(new TextDecoder().decode(encoded), '{"a":1}');
    for (const value of [1, "{", [], null]) assertThrows(() => put(value), TypeError, "no object");
    assertThrows(() => put({ 'the "id"': 1 }), TypeError, "a property of that name");
  });

  it("gives encode the id", () => {
    const encode = (value: unknown, { id }: { id: string }) =>
      new TextEncoder().encode(`${value} ${id}`);
    const options = { partitionKey: () => "key", encode };
    const { data } = putEntry("v", "s@1", options, undefined, { id: "s@1#0" });
    assertEquals(new TextDecoder().decode(data), "v s@1#0");
  });

  it("counts payload and key in bytes", () => {
    assertEquals(put("é", { partitionKey: () => "😀" }).bytes, 4 + 4);
  });

  it("takes records up to the limit, or the limit that is set", () => {
    const sized = (bytes: number) => ({ encode: () => new Uint8Array(bytes - 3) });
    assertEquals(put(0, sized(RECORD_BYTES_MAX_DEFAULT)).bytes, RECORD_BYTES_MAX_DEFAULT);
    assertThrows(() => put(0, sized(RECORD_BYTES_MAX_DEFAULT + 1)), RangeError, "maxRecordBytes");
    const maxRecordBytes = RECORD_BYTES_MAX_DEFAULT * 2;
    assertEquals(put(0, { ...sized(maxRecordBytes), maxRecordBytes }).bytes, maxRecordBytes);
  });

  it("takes a payload that has been made already, and holds it to the same limits", () => {
    const options = { partitionKey: () => "key" };
    const encoded = new Uint8Array([1, 2]);
    assertStrictEquals(putEntry("other", "s@1", options, encoded).data, encoded);
    const large = new Uint8Array(RECORD_BYTES_MAX_DEFAULT);
    assertThrows(() => putEntry(0, "s@1", options, large), RangeError, "maxRecordBytes");
  });

  it("refuses values without JSON", () => {
    assertThrows(() => put(undefined), TypeError, "has no JSON");
    assertThrows(() => put(1n), TypeError);
  });

  it("takes explicit hash keys from 0 to 2^128 - 1", () => {
    const hash = (key: string) => put(1, { explicitHashKey: () => key }).explicitHashKey;
    const largest = String((1n << 128n) - 1n);
    assertEquals([hash("0"), hash(largest)], ["0", largest]);
    for (const key of ["-1", "a", "", String(1n << 128n)]) {
      assertThrows(() => hash(key), RangeError);
    }
  });
});
