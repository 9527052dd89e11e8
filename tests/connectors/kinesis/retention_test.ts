import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { openKinesis } from "../../../connectors/kinesis/client.ts";
import { agedByMs, shardExists } from "../../../connectors/kinesis/retention.ts";
import { StreamFixture } from "./stream_fixture.ts";

describe("agedByMs()", () => {
  it("is how much of the time since the position is past retention", () => {
    assertEquals([agedByMs(100, 50, 160), agedByMs(100, 60, 160), agedByMs(100, 61, 160)], [
      10,
      0,
      0,
    ]);
  });
});

describe("shardExists()", () => {
  let fixture: StreamFixture;
  beforeEach(async () => void (fixture = await StreamFixture.open()));
  afterEach(() => fixture.close());

  it("tells a missing shard from a missing stream, and from not knowing", async () => {
    const stream = await fixture.stream("exists", 1);
    const connection = await openKinesis(fixture.context.aws);
    const { signal } = fixture.context;
    const ask = (name: string, shard: string) =>
      shardExists(connection, { stream: name, shard, signal });
    assertEquals(await ask(stream, "shardId-000000000000"), "yes");
    assertEquals(await ask(stream, "shardId-000000000001"), "no shard");
    assertEquals(await ask("absent", "shardId-000000000000"), "no stream");
    fixture.proxy.inject("ListShards", { kind: "error", status: 500, type: "InternalFailure" });
    assertEquals(await ask(stream, "shardId-000000000000"), "unknown");
    fixture.proxy.inject("ListShards", {
      kind: "error",
      status: 400,
      type: "AccessDeniedException",
    });
    await assertRejects(() => ask(stream, "shardId-000000000000"));
    connection.client.destroy();
  });
});
