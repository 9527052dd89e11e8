import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { openKinesis, SharedKinesis } from "../../../connectors/kinesis/client.ts";

const NAMES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_PROFILE",
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_EC2_METADATA_DISABLED",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_KINESIS",
] as const;

describe("openKinesis()", () => {
  const before = new Map<string, string | undefined>();
  beforeEach(() => {
    for (const name of NAMES) {
      before.set(name, Deno.env.get(name));
      Deno.env.delete(name);
    }
    Deno.env.set("AWS_EC2_METADATA_DISABLED", "true");
    Deno.env.set("AWS_CONFIG_FILE", "/nonexistent");
    Deno.env.set("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
  });
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  });

  it("needs neither region nor credentials for an emulator on this machine", async () => {
    for (const endpoint of ["http://localhost:4567", "http://127.0.0.1:1", "https://[::1]:2"]) {
      const { client } = await openKinesis({ endpoint });
      assertEquals(await client.config.region(), "us-east-1");
      assertEquals((await client.config.credentials()).accessKeyId, "emulator");
      client.destroy();
    }
  });

  it("uses credentials that are set, for an emulator too", async () => {
    Deno.env.set("AWS_ACCESS_KEY_ID", "mine");
    Deno.env.set("AWS_SECRET_ACCESS_KEY", "secret");
    const { client } = await openKinesis({ endpoint: "http://localhost:4567" });
    assertEquals((await client.config.credentials()).accessKeyId, "mine");
    client.destroy();
  });

  it("says what to set when there is no region", async () => {
    await assertRejects(() => openKinesis({}), Error, "set AWS_REGION");
  });

  it("says what to set when there are no credentials, for hosts that only look local", async () => {
    for (const endpoint of [undefined, "https://localhost.example.com", "http://127.example.com"]) {
      await assertRejects(
        () => openKinesis({ endpoint, region: "eu-west-1" }),
        Error,
        "set AWS_ACCESS_KEY_ID",
      );
    }
  });
});

describe("SharedKinesis", () => {
  const aws = { endpoint: "http://127.0.0.1:1", region: "us-east-1" };

  it("gives all users the same client and closes it with the last", async () => {
    const clients = new SharedKinesis();
    const [one, two] = await Promise.all([clients.acquire(aws), clients.acquire(aws)]);
    assert(one.connection === two.connection);
    let closed = 0;
    const destroy = one.connection.client.destroy.bind(one.connection.client);
    one.connection.client.destroy = () => (closed++, destroy());
    one.release();
    one.release();
    assertEquals(closed, 0);
    two.release();
    assertEquals(closed, 1);
    const three = await clients.acquire(aws);
    assert(three.connection !== one.connection);
    three.release();
  });
});
