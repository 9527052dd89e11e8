/**
 * A job on real workers, with checkpoints in a SQLite file, whose module is another one after it was stopped with a
 * savepoint: on another number of workers it goes on with the right state, or says why it can't.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DatabaseSync } from "node:sqlite";
import { type LogFields, silentLogger, startJob, type StartJobOptions } from "../../mod.ts";
import { ISOLATIONS, jobModule } from "./job_module.ts";
import { NdjsonFolder } from "./ndjson_folder.ts";
import { endOf } from "./patience.ts";

const FILES = 2;
const CUSTOMERS = ["ann", "bob", "cid", "dan", "eve", "flo", "gil"];
/** Ends what was written so far of each file: a dead letter that says that all before it has been handled. */
const END = "no json";

type Row = Readonly<Record<string, string | number>>;

/** The files, and what a version of the job makes of them. */
class Tallies {
  readonly #folder: NdjsonFolder;
  readonly store: string;
  readonly logged: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  #runs = 0;

  constructor(folder: NdjsonFolder) {
    this.#folder = folder;
    this.store = folder.pathOf("checkpoints.db");
  }

  /** An order of each customer: so much, and one more for each next customer. */
  async order(amount: number): Promise<void> {
    for (let file = 0; file < FILES; file++) {
      const orders = CUSTOMERS.flatMap((customer, index) =>
        index % FILES === file ? [{ customer, amount: amount + index }] : []
      );
      await this.#folder.write(`orders-${file}.ndjson`, [...orders, END]);
    }
  }

  /** Runs a version until it has read all that was ordered since, and stops it with a savepoint. */
  async run(
    version: "tally_before" | "tally_after",
    options: StartJobOptions,
    checkpoints: Partial<NonNullable<StartJobOptions["checkpoints"]>> = {},
    query: Readonly<Record<string, string>> = {},
  ) {
    const out = `out-${this.#runs++}.ndjson`;
    const url = jobModule(version, {
      in: Array.from({ length: FILES }, (_, file) => this.#folder.pathOf(`orders-${file}.ndjson`)),
      out: this.#folder.pathOf(out),
      ...query,
    });
    const read = Promise.withResolvers<void>();
    let letters = 0;
    const log = (message: string, fields?: LogFields) => void this.logged.push({ message, fields });
    const handle = startJob(url, {
      ...options,
      logger: { ...silentLogger, warn: log, error: log },
      checkpoints: { store: this.store, interval: "1h", ...checkpoints },
      onDeadLetter: () => ++letters === FILES && read.resolve(),
    });
    const ended = endOf(handle);
    await Promise.race([read.promise, ended]);
    const savepoint = letters === FILES ? await handle.savepoint() : undefined;
    if (savepoint !== undefined) handle.stop();
    const outcome = await ended;
    const rows = outcome.kind === "finished" ? await this.#folder.read<Row>(out) : [];
    return { outcome, rows, savepoint };
  }
}

/** What rows say of a figure, by customer. */
function figure(rows: readonly Row[], name: string): readonly (string | number)[] {
  return CUSTOMERS.map((customer) => {
    const row = rows.findLast((row) => row["customer"] === customer && name in row);
    return row?.[name] ?? "nothing";
  });
}

for (const isolation of ISOLATIONS) {
  describe(`a job with isolation "${isolation}" whose module changes`, () => {
    it("goes on from its savepoint with the right state, or says why not", async () => {
      await using folder = new NdjsonFolder();
      const tallies = new Tallies(folder);
      await tallies.order(10);
      const first = await tallies.run("tally_before", { isolation, workers: 2 });
      assertEquals(figure(first.rows, "sum"), CUSTOMERS.map((_, index) => 10 + index));
      assert(first.savepoint?.kind === "savepoint");

      await tallies.order(100);
      const from = { from: { id: first.savepoint.id } };
      const refused = async (query: Readonly<Record<string, string>>, message: string) => {
        const { outcome } = await tallies.run(
          "tally_after",
          { isolation, workers: 3 },
          from,
          query,
        );
        assert(outcome.kind === "failed" && !outcome.started);
        assertEquals(
          outcome.error.message,
          `Cannot start job "tally" from savepoint ${first.savepoint?.id}: ${message}`,
        );
      };
      await refused(
        { unmigrated: "" },
        'state "sum" of operator "sum" is of version 1 there and 2 in the job; declare it with ' +
          "migrate(content, version) for content of version 1",
      );
      await refused(
        {},
        'operator "visits" with 7 keys is not in the job any more, where operator "largest" is new; give it its ' +
          "name back, or allow dropped state (--allow-dropped-state)",
      );

      const second = await tallies.run(
        "tally_after",
        { isolation, workers: 3 },
        { ...from, allowDroppedState: true },
      );
      const sums = (rounds: readonly number[]) =>
        CUSTOMERS.map((_, index) =>
          `${rounds.reduce((sum, amount) => sum + amount + index, 0)} EUR`
        );
      assertEquals(figure(second.rows, "sum"), sums([10, 100]));
      assertEquals(figure(second.rows, "largest"), CUSTOMERS.map((_, index) => 100 + index));
      assertEquals(second.rows.length, 2 * CUSTOMERS.length);

      await tallies.order(50);
      const third = await tallies.run("tally_after", { isolation, workers: 1 });
      assertEquals(figure(third.rows, "sum"), sums([10, 100, 50]));
      assertEquals(figure(third.rows, "largest"), CUSTOMERS.map((_, index) => 100 + index));
    });
  });
}

describe("a job on real workers whose newest checkpoint is damaged", () => {
  it("goes on from the one before, or offers it", async () => {
    await using folder = new NdjsonFolder();
    const tallies = new Tallies(folder);
    await tallies.order(10);
    await tallies.run("tally_before", { workers: 2 });
    await tallies.order(100);
    const second = await tallies.run("tally_before", { workers: 2 });
    const newest = (second.savepoint?.id ?? 0) + 1;
    const database = new DatabaseSync(folder.pathOf("checkpoints.db"));
    database.exec(`UPDATE checkpoint SET manifest = substr(manifest, 1, 40) WHERE id = ${newest}`);
    database.close();

    await tallies.order(1000);
    const offered = await tallies.run("tally_before", { workers: 1 }, { from: { id: newest } });
    assert(offered.outcome.kind === "failed");
    const { message } = offered.outcome.error;
    assert(
      message.startsWith(`Cannot read checkpoint ${newest} of job "tally": it is damaged:`) &&
        message.includes(`, ${newest - 1})`),
      message,
    );
    const third = await tallies.run("tally_before", { workers: 3 });
    assertEquals(figure(third.rows, "sum"), CUSTOMERS.map((_, index) => 1110 + 3 * index));
    assertEquals(figure(third.rows, "visits"), CUSTOMERS.map(() => 3));
    const damaged = tallies.logged.find(({ message }) => message === "A checkpoint can't be read");
    const { checkpoint, usedInstead } = damaged?.fields ?? {};
    assertEquals([checkpoint, usedInstead], [newest, newest - 1]);
  });
});
