import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { openKinesis } from "../../../connectors/kinesis/client.ts";
import { LIST_PAGES_MAX, listShards } from "../../../connectors/kinesis/list_shards.ts";
import { StreamFixture } from "./stream_fixture.ts";

describe("listShards()", () => {
  let fixture: StreamFixture;
  beforeEach(async () => void (fixture = await StreamFixture.open()));
  afterEach(() => fixture.close());

  it("asks for the stream and filter once, then by token alone", async () => {
    const connection = await openKinesis(fixture.context.aws);
    const page = (ShardId: string, more: object) =>
      JSON.stringify({ Shards: [{ ShardId, HashKeyRange: {}, SequenceNumberRange: {} }], ...more });
    fixture.proxy.inject(
      "ListShards",
      { kind: "answer", body: page("a", { NextToken: "t" }) },
      { kind: "answer", body: page("b", {}) },
    );
    const listed = await listShards(connection, {
      stream: "s",
      filter: { Type: "FROM_TIMESTAMP", Timestamp: new Date(5000) },
      signal: fixture.context.signal,
    });
    assertEquals(listed.map(({ ShardId }) => ShardId), ["a", "b"]);
    assertEquals(fixture.proxy.calls("ListShards").map((body) => JSON.parse(body)), [
      { StreamName: "s", ShardFilter: { Type: "FROM_TIMESTAMP", Timestamp: 5 } },
      { NextToken: "t" },
    ]);
    connection.client.destroy();
  });

  it("gives up a listing without an end", async () => {
    const connection = await openKinesis(fixture.context.aws);
    const endless = { kind: "answer", body: '{"Shards":[],"NextToken":"t"}' } as const;
    fixture.proxy.inject("ListShards", ...Array.from({ length: LIST_PAGES_MAX }, () => endless));
    const { signal } = fixture.context;
    await assertRejects(
      () => listShards(connection, { stream: "s", filter: undefined, signal }),
      RangeError,
      "no end",
    );
    connection.client.destroy();
  });
});
