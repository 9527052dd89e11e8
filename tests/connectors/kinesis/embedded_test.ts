import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { openKinesis } from "../../../connectors/kinesis/client.ts";
import { createStream, startEmbeddedKinesis } from "../../../connectors/kinesis/embedded.ts";
import { GetRecordsAnswer } from "../../../connectors/kinesis/get_records_protocol.ts";
import { systemClock } from "../../../runtime/clock.ts";

describe("startEmbeddedKinesis()", () => {
  it("answers iterators for times before, between and after the records", async () => {
    const { endpoint, close } = await startEmbeddedKinesis();
    const connection = await openKinesis({ endpoint });
    const { client, sdk } = connection;
    await createStream(connection, "s", 1);
    const put = async (text: string) => {
      const before = systemClock.now();
      while (systemClock.now() <= before) await Promise.resolve();
      const Data = new TextEncoder().encode(text);
      await client.send(new sdk.PutRecordCommand({ StreamName: "s", PartitionKey: "a", Data }));
    };
    const from = async (timestampMs: number) => {
      const { ShardIterator } = await client.send(
        new sdk.GetShardIteratorCommand({
          StreamName: "s",
          ShardId: "shardId-000000000000",
          ShardIteratorType: "AT_TIMESTAMP",
          Timestamp: new Date(timestampMs),
        }),
      );
      const answer: unknown = await client.send(new sdk.GetRecordsCommand({ ShardIterator }));
      if (!(answer instanceof GetRecordsAnswer)) throw new TypeError("No answer");
      return { texts: new TextDecoder().decode(answer.arena), arrivals: answer.arrivals };
    };
    await put("1");
    await put("2");
    const { texts, arrivals } = await from(0);
    assertEquals(texts, "12");
    assertEquals((await from(arrivals[1] ?? 0)).texts, "2");
    assertEquals((await from((arrivals[1] ?? 0) + 1)).texts, "");
    await assertRejects(() => from(systemClock.now() + 60_000), Error, "timestampInMillis");
    client.destroy();
    await close();
  });
});
