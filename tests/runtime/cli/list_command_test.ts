import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DatabaseSync } from "node:sqlite";
import { frame, FRAME_BYTES } from "../../../runtime/checkpoint/frame.ts";
import { sqliteStore } from "../../../runtime/checkpoint/sqlite_store.ts";
import { CheckpointStoreError } from "../../../runtime/checkpoint/store.ts";
import { type ListedJob, listUnderConsole } from "../../../runtime/cli/list_command.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { keptJobFile, PrintedLines } from "./kept_job.ts";

const around = { clock: systemClock, random: seededRandom(1) };

describe("listUnderConsole()", () => {
  let folder: string;
  let path: string;

  const list = async (job?: string, json = false, running: Record<string, string> = {}) => {
    const printed = new PrintedLines();
    const question = { store: sqliteStore(path), aws: {}, job, json };
    const code = await listUnderConsole(
      question,
      printed,
      around,
      (job) => Promise.resolve(running[job]),
    );
    assertEquals(code, 0);
    return printed.lines.join("\n");
  };
  const lines = async () => {
    const [of]: readonly ListedJob[] = JSON.parse(await list("orders", true));
    return of?.checkpoints ?? [];
  };
  const edit = (sql: string, bytes?: Uint8Array) => {
    const database = new DatabaseSync(path);
    database.prepare(sql).run(...(bytes === undefined ? [] : [bytes]));
    database.close();
  };

  beforeEach(async () => {
    folder = await Deno.makeTempDir();
    path = await keptJobFile(folder);
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  it("lists what a job has kept, newest first, and which one a start goes on from", async () => {
    const listed = await lines();
    assertEquals(listed.map(({ id, kind, isNext }) => [id, kind, isNext]), [
      [4, "checkpoint", true],
      [3, "savepoint", false],
      [2, "checkpoint", false],
      [1, "checkpoint", false],
    ]);
    for (const { bytes, at, workers, damage } of listed) {
      assert(bytes !== undefined && bytes > 100);
      assertEquals([at, workers, damage], [0, 2, undefined]);
    }
  });

  it("prints a line for each, and whether the job runs", async () => {
    const [heading, first = "", ...more] = (await list(undefined, false, { orders: "running" }))
      .split("\n");
    assertEquals(heading, "orders (running)");
    assert(
      /^ {2}4 {2}checkpoint {2}1970-01-01T00:00:00Z {2}[\d,]+ bytes {2}2 workers {2}readable; a start goes on from it$/
        .test(first),
      first,
    );
    assert(more.every((line) => line.endsWith("2 workers  readable")), more.join("\n"));
    assertEquals((await list()).split("\n")[0], "orders");
  });

  it("tells what is damaged, and why, and what a start goes on from then", async () => {
    edit("UPDATE checkpoint SET manifest = substr(manifest, 1, 40) WHERE id = 4");
    edit("UPDATE part SET bytes = substr(bytes, 1, 30) WHERE name LIKE 'savepoint-3%'");
    const [four, three, two] = await lines();
    assertEquals([four?.kind, four?.bytes, four?.isNext], [undefined, undefined, false]);
    assert(four?.damage !== undefined);
    assertEquals([three?.kind, three?.isNext], ["savepoint", false]);
    assert(three?.damage?.includes('part "savepoint-3'), three?.damage);
    assertEquals([two?.damage, two?.isNext], [undefined, true]);
    assert((await list()).includes("  4  unknown  "));
    assert((await list()).includes(`damaged: ${four.damage}`));
  });

  it("names none to go on from behind one of a newer Penstock", async () => {
    const database = new DatabaseSync(path);
    const row = database.prepare("SELECT manifest FROM checkpoint WHERE id = 4").get();
    database.close();
    const manifest = row?.["manifest"];
    assert(manifest instanceof Uint8Array && manifest.length > FRAME_BYTES);
    const newer = frame("manifest", 99, [manifest.slice(FRAME_BYTES)]).bytes;
    edit("UPDATE checkpoint SET manifest = ? WHERE id = 4", newer);
    assertEquals((await lines()).map(({ isNext }) => isNext), [false, false, false, false]);
  });

  it("says which jobs there are when the one that is asked for is not among them", async () => {
    await assertRejects(
      () => list("order"),
      Error,
      `Cannot find checkpoints of job "order" in sqlite store "${path}": it has none, it has those of "orders"`,
    );
  });

  it("tells an empty store from one that is not there, and makes none", async () => {
    edit("DELETE FROM checkpoint");
    assertEquals(await list(), `There are no checkpoints in sqlite store "${path}"`);
    path = `${folder}/absent.db`;
    await assertRejects(() => list(), CheckpointStoreError, "there is no such file");
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });
});
