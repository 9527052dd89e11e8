import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { stub } from "@std/testing/mock";
import { file } from "../../../connectors/file/file.ts";
import { FILE_PENDING_BYTES_MAX } from "../../../connectors/file/file_sink.ts";
import type { SinkContext, SinkWriter } from "../../../connectors/sink.ts";
import { connectorContext } from "../connector_context.ts";
import { jumpingClock } from "../kinesis/jumping_clock.ts";
import { sinkBatch } from "../sink_batch.ts";
import { sinkSuite } from "../sink_suite.ts";
import { transactionalSuite } from "../transactional_suite.ts";

const temporaryFolder = () => Deno.makeTempDir({ prefix: "penstock-" });
const remove = (folder: string) => Deno.remove(folder, { recursive: true });
const namesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

/** Visible rows: parts in order of epoch, then worker, then number. */
async function visible<T>(folder: string): Promise<T[]> {
  const parts = (await namesIn(folder)).filter((name) => name.startsWith("part-"));
  const orderOf = (name: string) => {
    const [, worker = 0, epoch = 0, , number = 0] = name.split(/[-.]/).map((part) => Number(part));
    return epoch * 1e9 + worker * 1e6 + number;
  };
  parts.sort((a, b) => orderOf(a) - orderOf(b));
  const texts = await Promise.all(parts.map((name) => Deno.readTextFile(`${folder}/${name}`)));
  return texts.join("").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

sinkSuite("file.parts()", async () => {
  const folder = await temporaryFolder();
  return {
    sink: file.parts<unknown>(folder, { partBytesMax: 500 }),
    row: (number: number): unknown => ({ number, text: "x".repeat(10_000) }),
    keys: 1,
    written: async () => (await visible<{ number: number }>(folder)).map(({ number }) => number),
    unwritable: [undefined, 1n],
    pendingMax: Math.ceil(FILE_PENDING_BYTES_MAX / 10_000),
    clock: jumpingClock(),
    close: () => remove(folder),
  };
});

transactionalSuite("file.parts()", async () => {
  const folders = [await temporaryFolder()];
  const folder = () => folders.at(-1) ?? "";
  return {
    clock: jumpingClock(),
    sink: () => file.parts<number>(folder(), { partBytesMax: 1 }),
    visible: () => visible<number>(folder()),
    // Files as they are now, but no locks.
    crash: async () => {
      const copy = await temporaryFolder();
      for (const name of await namesIn(folder())) {
        await Deno.copyFile(`${folder()}/${name}`, `${copy}/${name}`);
      }
      folders.push(copy);
    },
    close: async () => {
      for (const made of folders) await remove(made);
    },
  };
});

describe("file.parts()", () => {
  let folder: string;
  let told: string[];
  let writers: SinkWriter<number>[];

  const openWriter = async (more: Partial<SinkContext> = {}, partBytesMax?: number) => {
    const { logger, ...rest } = connectorContext(jumpingClock());
    const writer = await file.parts<number>(folder, { partBytesMax }).open({
      ...rest,
      logger: {
        ...logger,
        warn: (message, fields) => void told.push(`${message} ${JSON.stringify(fields)}`),
      },
      worker: 0,
      restored: [],
      reject: ({ reason }) => told.push(`rejected: ${reason}`),
      fail: ({ message }) => told.push(`failed: ${message}`),
      ...more,
    });
    writers.push(writer);
    return writer;
  };
  const epoch = async (writer: SinkWriter<number>, number: number, ...rows: number[]) => {
    await writer.write(sinkBatch(rows));
    const prepared = await writer.prepare?.(number);
    await writer.commit?.(number);
    return prepared;
  };

  beforeEach(async () => {
    [told, writers] = [[], []];
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    for (const writer of writers) await writer.close();
    await remove(folder);
  });

  it("makes parts of bounded size, and none of an epoch without rows", async () => {
    const writer = await openWriter({ worker: 3 }, 4);
    await epoch(writer, 1);
    for (const row of [1, 2, 3, 4, 5]) await writer.write(sinkBatch([row]));
    await epoch(writer, 2);
    await writer.close();
    const names = await namesIn(folder);
    assertEquals(names.length, 3);
    for (const [index, name] of names.entries()) {
      assertMatch(name, new RegExp(`^part-3-2-[0-9a-z]{10}-${index}\\.ndjson$`));
    }
    const sizes = await Promise.all(
      names.map(async (name) => (await Deno.stat(`${folder}/${name}`)).size),
    );
    assertEquals(sizes, [4, 4, 2]);
    assertThrows(() => file.parts(folder, { partBytesMax: 0 }), RangeError, "partBytesMax 0");
  });

  it("never writes over a part of an earlier run, and says that rows come again", async () => {
    const first = await openWriter();
    const checkpoint = await epoch(first, 1, 1);
    await epoch(first, 2, 2);
    await first.close();
    const second = await openWriter({ restored: [checkpoint] });
    await epoch(second, 2, 2);
    await second.close();
    assertEquals(await visible(folder), [1, 2, 2]);
    assertEquals(told.length, 1);
    assertMatch(told[0] ?? "", /parts of later epochs.*"parts":1,"checkpoint":1/);
  });

  it("removes what writers that are gone have left, and leaves what others are writing", async () => {
    const dead = "0123456789";
    const left = [`.part-1-${dead}-0.open`, `.part-1-7-${dead}-1.pending`, `.part-${dead}.lock`];
    for (const name of [...left, `part-1-6-${dead}-0.ndjson`, ".part-of-mine"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "1\n");
    }
    const living = await openWriter({ worker: 1, random: () => 0.5 });
    await living.write(sinkBatch([2]));
    await living.prepare?.(1);
    await living.write(sinkBatch([3]));
    await living.flush();
    const before = await namesIn(folder);
    const first = await openWriter();
    const after = (await namesIn(folder)).filter((name) => before.includes(name));
    assertEquals(after, before.filter((name) => !left.includes(name)));
    await living.commit?.(1);
    await living.finish?.();
    await Promise.all([first.close(), living.close()]);
    assertEquals(await visible(folder), [2, 3, 1]);
    assertEquals((await namesIn(folder)).filter((name) => name.startsWith(".")), [".part-of-mine"]);
  });

  it("a part that its reader has moved away does not stop the job from starting", async () => {
    const first = await openWriter();
    const checkpoint = await epoch(first, 1, 1);
    await first.close();
    for (const name of await namesIn(folder)) await Deno.remove(`${folder}/${name}`);
    const second = await openWriter({ restored: [checkpoint] });
    await epoch(second, 2, 2);
    assertEquals(await visible(folder), [2]);
    assertMatch(told[0] ?? "", /not in its directory/);
  });

  it("is refused a directory that is not there, is a file, or is another sink's", async () => {
    const open = (path: string) => file.parts<number>(path).open({ ...contextOf(), worker: 0 });
    await assertRejects(() => open(`${folder}/absent`), Error, `absent" for part files: `);
    await Deno.writeTextFile(`${folder}/file`, "");
    await assertRejects(() => open(`${folder}/file`), Error, "it is not a directory");
    const writer = await openWriter();
    await assertRejects(() => open(folder), Error, "another sink writes to it");
    await writer.close();
    await (await open(folder)).close();
  });

  it("refuses a checkpoint that is of something else", async () => {
    for (const strange of [undefined, { parts: ["../x"] }, { parts: [1] }]) {
      await assertRejects(() => openWriter({ restored: [strange] }), TypeError, "Cannot restore");
    }
  });

  it("commits no part over another file, and none that is gone", async () => {
    const writer = await openWriter();
    await writer.write(sinkBatch([1]));
    await writer.prepare?.(1);
    const [pending = ""] = (await namesIn(folder)).filter((name) => name.endsWith(".pending"));
    const final = pending.slice(1).replace(".pending", ".ndjson");
    await Deno.writeTextFile(`${folder}/${final}`, "mine\n");
    await assertRejects(
      async () => await writer.commit?.(1),
      Error,
      "there is a file of this name",
    );
    assertEquals(await Deno.readTextFile(`${folder}/${final}`), "mine\n");
    await Deno.remove(`${folder}/${final}`);
    await writer.commit?.(1);
    assertEquals(await visible(folder), [1]);
    await writer.write(sinkBatch([2]));
    await writer.prepare?.(2);
    for (const name of await namesIn(folder)) {
      if (name.endsWith(".pending")) await Deno.remove(`${folder}/${name}`);
    }
    await assertRejects(async () => await writer.commit?.(2), Error, "it is not there any more");
  });

  it("tells a failure to write once, and prepares nothing after it", async () => {
    const writer = await openWriter();
    using _ = stub(
      Deno.FsFile.prototype,
      "write",
      () => Promise.reject(new Error("No space left on device")),
    );
    writer.write(sinkBatch([1, 2]));
    await assertRejects(async () => await writer.prepare?.(1), Error, "No space left on device");
    writer.write(sinkBatch([3]));
    await assertRejects(() => writer.flush(), Error, "No space left on device");
    assertEquals(writer.pending(), 3);
    assertEquals(told, [
      `failed: Cannot write parts to "${folder}": No space left on device; 2 rows are not written`,
    ]);
    await writer.close();
    assertEquals(await namesIn(folder), []);
  });

  function contextOf(): SinkContext {
    return {
      ...connectorContext(jumpingClock()),
      worker: 0,
      restored: [],
      reject: () => {},
      fail: () => {},
    };
  }
});
