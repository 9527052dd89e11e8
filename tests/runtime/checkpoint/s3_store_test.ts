import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { S3_ATTEMPTS_MAX } from "../../../runtime/checkpoint/s3_client.ts";
import {
  S3_CONFLICT_MS,
  S3_ORPHAN_AGE_MS,
  S3_SWEEP_MS,
  S3_WRITE_MS_MAX,
  s3Store,
} from "../../../runtime/checkpoint/s3_store.ts";
import {
  CheckpointExistsError,
  CheckpointMissingError,
  CheckpointStoreError,
  type StoreContext,
} from "../../../runtime/checkpoint/store.ts";
import { type Clock, systemClock } from "../../../runtime/clock.ts";
import { type EmbeddedS3, startEmbeddedS3 } from "./embedded_s3.ts";
import { manifestNaming, someBytes, storeContext, storeSuite } from "./store_suite.ts";

const UNSET_S3 = new URL("./unset_s3.ts", import.meta.url).pathname;
const UNAVAILABLE = { status: 503, code: "ServiceUnavailable" };
const isWrite = (method: string) => method === "PUT";

storeSuite("s3Store()", async () => {
  const s3 = await startEmbeddedS3("jobs");
  const context = { aws: { endpoint: s3.endpoint } };
  return {
    store: s3Store("s3://jobs/check/points", { attemptsMax: 1 }),
    context,
    failAt(step) {
      let puts = 0;
      s3.fate = ({ method }) => {
        if (isWrite(method)) puts++;
        // From this one on nothing gets through, tidying up included.
        return puts >= step ? UNAVAILABLE : undefined;
      };
      return { context, isReached: () => puts >= step, mend: () => s3.fate = () => undefined };
    },
    holdAt(step) {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
      const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
      let puts = 0;
      s3.fate = ({ method }) => {
        if (!isWrite(method) || ++puts !== step) return undefined;
        reach();
        return released;
      };
      return { context, reached, release: () => release(undefined) };
    },
    close: s3.close,
  };
});

describe("s3Store()", () => {
  let s3: EmbeddedS3;
  let jobs = 0;
  let job: string;
  const context = (more: Partial<StoreContext> = {}) =>
    storeContext({ aws: { endpoint: s3.endpoint }, job, ...more });
  const open = (more: Partial<StoreContext> = {}, attemptsMax = 1) =>
    s3Store("s3://jobs/", { attemptsMax }).open(context(more));
  const checkpoint = (id: number, part: string) => ({
    id,
    manifest: manifestNaming(part),
    parts: [{ name: part, bytes: someBytes(10, id) }],
  });
  const later = (ms: number) => ({
    ...systemClock,
    now: () => systemClock.now() + ms,
    monotonic: () => systemClock.monotonic() + ms,
  });

  beforeAll(async () => {
    s3 = await startEmbeddedS3("jobs");
  });
  beforeEach(() => {
    s3.fate = () => undefined;
    job = `job${++jobs}`;
  });
  afterAll(() => s3.close());

  it("writes a checkpoint whose answers all got lost", async () => {
    const store = await open();
    s3.fate = ({ method }) => isWrite(method) ? "lost" : undefined;
    await store.write(checkpoint(1, "a"));
    assertEquals(await store.list(), [1]);
    assertEquals(await store.readPart("a"), someBytes(10, 1));
    await store.close();
  });

  it("writes a checkpoint when the SDK tries again after a lost answer", async () => {
    const store = await open({}, S3_ATTEMPTS_MAX);
    const lost = new Set<string>();
    s3.fate = ({ method, url }) => {
      if (!isWrite(method) || lost.has(url)) return undefined;
      lost.add(url);
      return "lost";
    };
    await store.write(checkpoint(1, "a"));
    assertEquals(lost.size, 2);
    assertEquals(await store.list(), [1]);
    await store.close();
  });

  it("keeps the parts when it can't know whether the manifest has arrived", async () => {
    const store = await open();
    s3.fate = ({ method, url }) => {
      if (!url.includes("/checkpoints/")) return undefined;
      return isWrite(method) ? "lost" : UNAVAILABLE;
    };
    await assertRejects(() => store.write(checkpoint(1, "a")), CheckpointStoreError);
    s3.fate = () => undefined;
    assertEquals(await store.list(), [1]);
    assertEquals(await store.readPart("a"), someBytes(10, 1));
    await store.close();
  });

  it("deletes the parts of a write that failed, or lost against another", async () => {
    const store = await open();
    s3.fate = ({ url }) => url.includes("/parts/b") ? UNAVAILABLE : undefined;
    const parts = [...checkpoint(1, "a").parts, ...checkpoint(2, "b").parts];
    const both = { id: 1, manifest: manifestNaming("a", "b"), parts };
    await assertRejects(() => store.write(both), CheckpointStoreError, "ServiceUnavailable");
    await assertRejects(() => store.readPart("a"), CheckpointMissingError);
    s3.fate = () => undefined;
    await store.write(checkpoint(1, "c"));
    await assertRejects(() => store.write(checkpoint(1, "d")), CheckpointExistsError);
    await assertRejects(() => store.readPart("d"), CheckpointMissingError);
    await store.close();
  });

  it("tries again while another write of the number is under way, then takes it for written", async () => {
    const waits: number[] = [];
    const clock: Clock = {
      ...systemClock,
      setTimer(ms, callback) {
        waits.push(ms);
        return systemClock.defer(callback);
      },
    };
    const store = await open({ clock });
    let conflicts = 0;
    const conflict = { status: 409, code: "ConditionalRequestConflict" };
    let conflictsMax = 2;
    s3.fate = ({ method, url }) =>
      isWrite(method) && url.includes("/checkpoints/") && conflicts++ < conflictsMax
        ? conflict
        : undefined;
    await store.write(checkpoint(1, "a"));
    assertEquals(conflicts, 3);
    assertEquals(waits, [S3_CONFLICT_MS, S3_CONFLICT_MS]);
    conflictsMax = Infinity;
    await assertRejects(() => store.write(checkpoint(2, "b")), CheckpointExistsError);
    await store.close();
  });

  it("deletes old parts that no manifest names, and no others", async () => {
    const writer = await open();
    await writer.write(checkpoint(1, "named"));
    // Nothing of this write gets deleted when it fails.
    s3.fate = ({ method, url }) =>
      url.includes("/checkpoints/") || method === "POST" ? UNAVAILABLE : undefined;
    await assertRejects(() => writer.write(checkpoint(2, "left")), CheckpointStoreError);
    s3.fate = () => undefined;
    const young = await open({ clock: later(S3_ORPHAN_AGE_MS - 60_000) });
    await young.remove(9, []);
    assertEquals((await young.readPart("left")).length, 10);
    const old = await open({ clock: later(S3_ORPHAN_AGE_MS + 60_000) });
    await old.remove(9, []);
    await assertRejects(() => old.readPart("left"), CheckpointMissingError);
    assertEquals((await old.readPart("named")).length, 10);
    for (const store of [writer, young, old]) await store.close();
  });

  it("deletes nothing while a manifest can't be read, says so, and looks again later", async () => {
    let ms = S3_ORPHAN_AGE_MS + 60_000;
    const warnings: string[] = [];
    const logger = { ...storeContext().logger, warn: (text: string) => void warnings.push(text) };
    const clock = {
      ...systemClock,
      now: () => systemClock.now() + ms,
      monotonic: () => systemClock.monotonic() + ms,
    };
    const store = await open({ clock, logger });
    await store.write({ ...checkpoint(1, "unnamed"), manifest: new Uint8Array([1]) });
    await store.remove(9, []);
    assertEquals((await store.readPart("unnamed")).length, 10);
    assertEquals(warnings, ["Cannot look for parts left by checkpoints that failed"]);
    await store.remove(1, []);
    assertEquals((await store.readPart("unnamed")).length, 10);
    ms += S3_SWEEP_MS;
    await store.remove(1, []);
    await assertRejects(() => store.readPart("unnamed"), CheckpointMissingError);
    await store.close();
  });

  it("gives up a write whose parts may soon count as left over", async () => {
    let ms = 0;
    const clock = { ...systemClock, monotonic: () => ms };
    const store = await open({ clock });
    s3.fate = () => {
      ms += S3_WRITE_MS_MAX + 1;
      return undefined;
    };
    await assertRejects(() => store.write(checkpoint(1, "a")), CheckpointStoreError, "took more");
    assertEquals(await store.list(), []);
    await store.close();
  });

  it("lists and removes more objects than fit one answer", async () => {
    const store = await open();
    s3.pageKeys = 3;
    for (let id = 1; id <= 8; id++) await store.write(checkpoint(id, `p${id}`));
    assertEquals(await store.list(), [8, 7, 6, 5, 4, 3, 2, 1]);
    delete s3.pageKeys;
    const names = Array.from({ length: 1100 }, (_, index) => `none${index}`);
    await store.remove(1, ["p1", ...names, "p2"]);
    await assertRejects(() => store.readPart("p1"), CheckpointMissingError);
    await assertRejects(() => store.readPart("p2"), CheckpointMissingError);
    assertEquals((await store.readPart("p3")).length, 10);
    await store.close();
  });

  it("says what to do about what S3 refuses", async () => {
    const store = await open();
    s3.fate = () => ({ status: 403, code: "AccessDenied" });
    const error = await assertRejects(() => store.write(checkpoint(1, "a")), CheckpointStoreError);
    for (const said of ["checkpoint 1", "s3://jobs/", "AccessDenied", "s3:PutObject"]) {
      assert(error.message.includes(said), `${error.message} has no ${said}`);
    }
    s3.fate = () => undefined;
    await store.write(checkpoint(1, "a"));
    await store.close();
    const elsewhere = await s3Store("s3://no-such-bucket/a", { attemptsMax: 1 }).open(context());
    await assertRejects(() => elsewhere.list(), CheckpointStoreError, "create the bucket");
    await elsewhere.close();
  });

  it("says what to set where region or credentials are missing", async () => {
    const env = {
      ...Object.fromEntries(
        ["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
          const value = Deno.env.get(name);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      AWS_CONFIG_FILE: "/nonexistent",
      AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-A", UNSET_S3],
      clearEnv: true,
      env,
      stderr: "null",
    }).output();
    const [region, credentials] = new TextDecoder().decode(stdout).split("\n");
    assertMatch(region ?? "", /^CheckpointStoreError: Cannot open s3 store .*; set AWS_REGION/);
    assertMatch(
      credentials ?? "",
      /^CheckpointStoreError: Cannot open s3 store .*; set AWS_ACCESS_KEY_ID/,
    );
  });

  it("refuses a URL that names no bucket", () => {
    for (const url of ["s3://", "s3:///a", "s3:jobs", "https://jobs", "s3://Jobs/a"]) {
      assertThrows(() => s3Store(url), TypeError, "write s3://bucket/prefix");
    }
  });
});
