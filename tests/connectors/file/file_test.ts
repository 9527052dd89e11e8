import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertSpyCalls, stub } from "@std/testing/mock";
import { file } from "../../../connectors/file/file.ts";
import { FILE_PENDING_BYTES_MAX } from "../../../connectors/file/file_sink.ts";
import { FILE_WRITE_BYTES_MAX } from "../../../connectors/file/lines_of_rows.ts";
import { FILE_LINE_BYTES_MAX, FILE_READ_BYTES_MAX } from "../../../connectors/file/line_reader.ts";
import { FILE_POLL_INTERVAL_MS } from "../../../connectors/file/line_files.ts";
import { textOf } from "../../../connectors/raw_record.ts";
import type { SinkContext } from "../../../connectors/sink.ts";
import type { Demand, ShardBatch, Source } from "../../../connectors/source.ts";
import type { StandardSchema } from "../../../operators/standard_schema.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { connectorContext } from "../connector_context.ts";
import { turns, until } from "../event_loop.ts";
import { jumpingClock } from "../kinesis/jumping_clock.ts";
import { sinkBatch as batchOf } from "../sink_batch.ts";
import { sinkSuite } from "../sink_suite.ts";
import { sourceSuite } from "../source_suite.ts";

const temporaryFolder = () => Deno.makeTempDir({ prefix: "penstock-" });
const remove = (folder: string) => Deno.remove(folder, { recursive: true });
const always: Demand = { next: () => Promise.resolve() };

/** Lines of about 100 bytes, with text beyond ASCII in every tenth. */
const lines = (count: number) =>
  Array.from({ length: count }, (_, number) => {
    const text = (number % 10 === 0 ? "ä€😀" : "abc").padEnd(80, ".");
    return JSON.stringify({ number, text });
  });

const Numbered: StandardSchema<{ number: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "object" && value !== null && "number" in value &&
        typeof value.number === "number"
        ? { value: { number: value.number } }
        : { issues: [{ message: "Expected a number", path: ["number"] }] },
  },
};

const ROWS = Math.ceil(2.5 * FILE_READ_BYTES_MAX / 100);

async function twoFiles() {
  const folder = await temporaryFolder();
  const shards = new Map([[`${folder}/a`, lines(ROWS)], [`${folder}/b`, lines(3)]]);
  for (const [path, content] of shards) await Deno.writeTextFile(path, content.join("\n") + "\n");
  return { folder, shards, paths: [...shards.keys()] };
}

for (const follow of [false, true]) {
  sourceSuite(`file.source(), ${follow ? "followed" : "bounded"},`, async () => {
    const { folder, shards, paths } = await twoFiles();
    return {
      source: file.source(paths, { follow }),
      contents: shards,
      comparable: textOf,
      ends: !follow,
      clock: jumpingClock(),
      close: () => remove(folder),
    };
  });
}

sourceSuite("file.source() with a schema", async () => {
  const { folder, shards, paths } = await twoFiles();
  return {
    source: file.source(paths, { schema: Numbered }),
    contents: new Map([...shards].map(([path, { length }]) => [
      path,
      Array.from({ length }, (_, number) => ({ number })),
    ])),
    comparable: (value) => value,
    ends: true,
    clock: jumpingClock(),
    close: () => remove(folder),
  };
});

sinkSuite("file.sink()", async () => {
  const folder = await temporaryFolder();
  const path = `${folder}/out.ndjson`;
  // Rows so long that the suite's rows are more than a writer holds.
  const padding = "x".repeat(Math.ceil(FILE_PENDING_BYTES_MAX / 150));
  return {
    sink: file.sink<{ number: number; padding: string } | undefined>(path),
    row: (number) => ({ number, padding }),
    keys: 1,
    written: async () => {
      const text = await Deno.readTextFile(path);
      assert(text === "" || text.endsWith("\n"));
      return text.split("\n").slice(0, -1).map((line) => JSON.parse(line).number);
    },
    unwritable: [undefined],
    pendingMax: 150,
    clock: jumpingClock(),
    close: () => remove(folder),
  };
});

/** Reads a shard: what has come, how it ended, and a way to stop. */
function reading<T>(
  source: Source<T>,
  shard: string,
  clock: Clock = jumpingClock(),
  after?: string,
) {
  const batches: ShardBatch<T>[] = [];
  const state: { end?: unknown } = {};
  const subscription = source.read(shard, after, { ...connectorContext(clock), demand: always })
    .subscribe({
      next: (batch) => batches.push(batch),
      error: (error) => state.end = error,
      complete: () => state.end = "completed",
    });
  const values = () =>
    batches.flatMap((batch) =>
      Array.from({ length: batch.length }, (_, row) => batch.valueAt(row))
    );
  return {
    batches,
    values,
    state,
    stop: () => subscription.unsubscribe(),
    ended: () => until(() => state.end !== undefined, "the end").then(() => state.end),
  };
}

/** A clock whose timers fire when told to. */
function handClock() {
  const timers = new Map<() => void, number>();
  const clock: Clock = {
    ...jumpingClock(),
    setTimer(delayMs, callback) {
      const run = () => callback();
      timers.set(run, delayMs);
      return () => void timers.delete(run);
    },
  };
  const fire = () => {
    for (const [run] of [...timers]) {
      timers.delete(run);
      run();
    }
  };
  return { clock, timers, fire };
}

describe("file.source()", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    path = `${folder}/in.ndjson`;
  });
  afterEach(() => remove(folder));

  it("takes what ends a line away and leaves empty lines out", async () => {
    await Deno.writeTextFile(path, 'a\r\n\n\r\nb c\n\n"ä"\nlast');
    const { values, batches, ended } = reading(file.source(path), path);
    assertEquals(await ended(), "completed");
    assertEquals(values().map(textOf), ["a", "b c", '"ä"', "last"]);
    const [first, last] = batches;
    assertEquals(first?.positionAt(0), "3");
    assertEquals(first?.position, "16");
    assertEquals(last?.position, "20");
    assertEquals(values().map(({ shardId, partitionKey }) => [shardId, partitionKey])[0], [
      path,
      "",
    ]);
  });

  it("reads a line that is longer than one read", async () => {
    const long = "x".repeat(3 * FILE_READ_BYTES_MAX + 5);
    await Deno.writeTextFile(path, `a\n${long}\nb`);
    const { values, ended } = reading(file.source(path), path);
    await ended();
    assertEquals(values().map((record) => textOf(record).length), [1, long.length, 1]);
  });

  it("errors for a line that is too long", async () => {
    await Deno.writeFile(path, new Uint8Array(FILE_LINE_BYTES_MAX + FILE_READ_BYTES_MAX).fill(65));
    const end = await reading(file.source(path), path).ended();
    assertInstanceOf(end, RangeError);
    assertStringIncludes(end.message, "the line at byte 0 is longer than");
  });

  it("errors clearly for a file that is absent and for a directory", async () => {
    const context = connectorContext(jumpingClock());
    for (
      const [wrong, text] of [[path, "there is no such file"], [folder, "is a directory"]] as const
    ) {
      await assertRejects(() => file.source(wrong).shards(context), Error, text);
      const end = await reading(file.source(wrong), wrong).ended();
      assertInstanceOf(end, Error);
      assertStringIncludes(end.message, text);
      assertStringIncludes(end.message, wrong);
    }
  });

  it("errors for positions that it can't have given and for files of another source", async () => {
    await Deno.writeTextFile(path, "a\n");
    for (const after of ["x", "-1", "3", "1".repeat(16)]) {
      const end = await reading(file.source(path), path, jumpingClock(), after).ended();
      assertInstanceOf(end, RangeError);
      assertStringIncludes(end.message, JSON.stringify(after));
    }
    assertInstanceOf(await reading(file.source(path), "other").ended(), RangeError);
    assertEquals(await reading(file.source(path), path, jumpingClock(), "2").ended(), "completed");
  });

  it("throws for no path and for a path given twice", () => {
    assertThrows(() => file.source([]), RangeError, "the list of paths is empty");
    assertThrows(() => file.source(["a", "b", "a"]), TypeError, '"a" is given twice');
  });

  it("follows a growing file by the clock and waits for line ends", async () => {
    await Deno.writeTextFile(path, "a\nb");
    const { clock, timers, fire } = handClock();
    const { values, stop, state } = reading(file.source(path, { follow: true }), path, clock);
    const polls = () => until(() => timers.size === 1, "a poll to be waited for");
    await polls();
    assertEquals([...timers.values()], [FILE_POLL_INTERVAL_MS]);
    assertEquals(values().map(textOf), ["a"]);
    await Deno.writeTextFile(path, "c\nd", { append: true });
    await turns(10);
    assertEquals(values().length, 1);
    fire();
    await polls();
    assertEquals(values().map(textOf), ["a", "bc"]);
    await Deno.writeTextFile(path, "\n", { append: true });
    fire();
    await polls();
    assertEquals(values().map(textOf), ["a", "bc", "d"]);
    assertEquals(values().at(-1)?.sequenceNumber, "7");
    stop();
    assertEquals([timers.size, state.end], [0, undefined]);
  });

  it("errors when a followed file shrinks", async () => {
    await Deno.writeTextFile(path, "a\nb\n");
    const { clock, timers, fire } = handClock();
    const { ended } = reading(file.source(path, { follow: true }), path, clock);
    await until(() => timers.size === 1, "a poll to be waited for");
    await Deno.writeTextFile(path, "c\n");
    fire();
    const end = await ended();
    assertInstanceOf(end, RangeError);
    assertStringIncludes(end.message, "4 bytes of it were read and now it has 2");
  });

  it("with a schema fails for a bad line alone", async () => {
    await Deno.writeTextFile(path, '{"number":1}\nnot json\n{"number":"2"}\n{"number":3}\n');
    const { batches, ended } = reading(file.source(path, { schema: Numbered }), path);
    assertEquals(await ended(), "completed");
    const [batch] = batches;
    assert(batch);
    assertThrows(() => batch.valueAt(1), SyntaxError, `"${path}" that ends at byte 22 as JSON`);
    assertThrows(() => batch.valueAt(2), TypeError, "$.number: Expected a number");
    assertEquals([batch.valueAt(0), batch.valueAt(3)], [{ number: 1 }, { number: 3 }]);
  });
});

describe("file.sink()", () => {
  let folder: string;
  let path: string;
  let told: string[];
  const context: SinkContext = {
    ...connectorContext(jumpingClock()),
    worker: 0,
    restored: [],
    reject: ({ reason }) => told.push(`rejected: ${reason}`),
    fail: ({ message }) => told.push(`failed: ${message}`),
  };
  beforeEach(async () => {
    told = [];
    folder = await temporaryFolder();
    path = `${folder}/out.ndjson`;
  });
  afterEach(() => remove(folder));

  it("writes whole lines when several writers append at once", async () => {
    const sink = file.sink<string>(path, { encode: (value) => value });
    const writers = await Promise.all(
      ["a", "b", "c"].map((name) => sink.open(context).then((writer) => ({ name, writer }))),
    );
    const length = (number: number) => 1 + (number * 7919) % 20_000;
    await Promise.all(writers.map(async ({ name, writer }) => {
      for (let number = 0; number < 100; number++) {
        await writer.write(batchOf([name.repeat(length(number)), `${name}${number}`]));
        if (number % 10 === 0) await writer.flush();
      }
      await writer.flush();
      await writer.close();
    }));
    const written = (await Deno.readTextFile(path)).split("\n");
    assertEquals(written.pop(), "");
    for (const { name } of writers) {
      const own = written.filter((line) => line.startsWith(name));
      const expected = Array.from(
        { length: 100 },
        (_, number) => [name.repeat(length(number)), `${name}${number}`],
      );
      assertEquals(own, expected.flat());
    }
    assertEquals(written.length, 600);
  });

  it("writes a batch of more than one block in order", async () => {
    const writer = await file.sink<string>(path).open(context);
    const values = Array.from({ length: 5000 }, (_, number) => `${number} `.padEnd(1000, "ä"));
    const room = writer.write(batchOf(values));
    assert(room);
    assertEquals(writer.pending(), 5000);
    await room;
    await writer.flush();
    await writer.close();
    const written = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    assertEquals(written, values);
  });

  it("ends a line that was left unfinished", async () => {
    for (
      const [before, after] of [["a\nb", "a\nb\n1\n"], ["a\n", "a\n1\n"], ["", "1\n"]] as const
    ) {
      await Deno.writeTextFile(path, before);
      const writer = await file.sink<number>(path).open(context);
      writer.write(batchOf([1]));
      await writer.flush();
      await writer.close();
      assertEquals(await Deno.readTextFile(path), after);
    }
  });

  it("rejects what is not one line, and says why", async () => {
    const encode = (value: string) => {
      if (value === "throw") throw new Error("no such code");
      return value;
    };
    const writer = await file.sink<string>(path, { encode }).open(context);
    writer.write(batchOf(["a", "b\nc", "", "throw", "d\r", "e"]));
    await writer.flush();
    await writer.close();
    assertEquals(await Deno.readTextFile(path), "a\ne\n");
    assertEquals(told.length, 4);
    assertStringIncludes(told[0] ?? "", "more than one line");
    assertStringIncludes(told[1] ?? "", "an empty line");
    assertStringIncludes(told[2] ?? "", "encode failed: no such code");
    assertStringIncludes(told[3] ?? "", "more than one line");
  });

  it("rejects what has no JSON, and writes the rows around it", async () => {
    const writer = await file.sink<unknown>(path).open(context);
    writer.write(batchOf(["a\nb", undefined, { id: 1n }, { id: "ä" }, () => 1]));
    assertEquals(writer.pending(), 2);
    await writer.flush();
    await writer.close();
    assertEquals(await Deno.readTextFile(path), '"a\\nb"\n{"id":"ä"}\n');
    const rejected = (reason: string) =>
      `rejected: Cannot write a row to file "${path}": ${reason}; expected the text of one line`;
    assertEquals(told, [
      rejected("encode gave undefined"),
      rejected("encode failed: Do not know how to serialize a BigInt"),
      rejected("encode gave undefined"),
    ]);
  });

  it("writes blocks of whole rows, no longer than its bound unless a row is", async () => {
    const writer = await file.sink<string>(path).open(context);
    const whole = Deno.FsFile.prototype.write;
    const blocks: string[] = [];
    const values = [0.4, 0.4, 0.4, 1.5, 0.1, 0.2].map((share, row) =>
      `${row}`.repeat(share * FILE_WRITE_BYTES_MAX)
    );
    {
      using _ = stub(Deno.FsFile.prototype, "write", function (this: Deno.FsFile, bytes) {
        blocks.push(new TextDecoder().decode(bytes));
        return whole.call(this, bytes);
      });
      writer.write(batchOf(values));
      await writer.flush();
    }
    await writer.close();
    const rows = blocks.map((block) => block.trimEnd().split("\n").map((line) => line.charAt(1)));
    assertEquals(rows, [["0", "1"], ["2"], ["3"], ["4", "5"]]);
    assertEquals(blocks.join(""), values.map((value) => `"${value}"\n`).join(""));
  });

  it("tells a failure to write once, and never says that the rows are written", async () => {
    const writer = await file.sink<string>(path).open(context);
    using write = stub(
      Deno.FsFile.prototype,
      "write",
      () => Promise.reject(new Error("No space left on device")),
    );
    writer.write(batchOf(["a", "b"]));
    await assertRejects(() => writer.flush(), Error, `Cannot write to file "${path}"`);
    writer.write(batchOf(["c"]));
    await assertRejects(() => writer.flush(), Error, "No space left on device");
    assertEquals(writer.pending(), 3);
    assertEquals(told, [
      `failed: Cannot write to file "${path}": No space left on device; 2 rows are not written`,
    ]);
    assertSpyCalls(write, 1);
    await writer.close();
  });

  it("writes what the system did not take at once", async () => {
    const whole = Deno.FsFile.prototype.write;
    const writer = await file.sink<string>(path).open(context);
    {
      using _ = stub(Deno.FsFile.prototype, "write", function (this: Deno.FsFile, bytes) {
        return whole.call(this, bytes.subarray(0, 3));
      });
      writer.write(batchOf(["abc", "def"]));
      await writer.flush();
    }
    await writer.close();
    assertEquals(await Deno.readTextFile(path), '"abc"\n"def"\n');
  });

  it("open() rejects where the file can't be made", async () => {
    const sink = file.sink<string>(`${folder}/absent/out.ndjson`);
    await assertRejects(() => sink.open(context), Error, "for appending");
  });
});
