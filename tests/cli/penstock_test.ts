/**
 * `penstock` as people meet it: a job that runs in one process is saved and stopped from others, looked into, and started
 * again from a savepoint on another number of workers, with changed code.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ListedJob } from "../../runtime/cli/list_command.ts";
import { jobModule } from "../workers/job_module.ts";
import type { Total } from "../workers/jobs/totals.ts";
import { NdjsonFolder } from "../workers/ndjson_folder.ts";
import { type Ended, PENSTOCK, runDeno, START, Subprocess } from "./subprocess.ts";

/** Lines of the standard error that are the command's own. */
function complaint({ stderr }: Ended): string {
  // Deno warns that permissions in a configuration file are new.
  return stderr.split("\n").filter((line) => !line.startsWith("Warning")).join("\n").trim();
}

/** Runs a command that succeeds, and gives what it prints. */
async function printed(...args: readonly string[]): Promise<string> {
  const ended = await runDeno([...PENSTOCK, ...args]);
  assertEquals([ended.code, complaint(ended)], [0, ""]);
  return ended.stdout.trimEnd();
}

/** Totals that came out, in any order. */
function amounts(totals: readonly Total[]): string[] {
  return totals.map(({ customer, orders, amount }) => `${customer} ${orders} ${amount}`).toSorted();
}

const order = (customer: string, amount: number) => ({ customer, amount });
/** Ends what was written so far: a dead letter that says that all before it of its file has been handled. */
const END = "no json";

describe("penstock", () => {
  it("saves, stops, shows and goes on with a job", async () => {
    await using folder = new NdjsonFolder();
    const checkpoints = ["--checkpoints", folder.pathOf("x.db")];
    const orders = await folder.write("orders.ndjson", [order("ann", 5), order("bob", 7), END]);
    const job = (out: string) =>
      jobModule("totals", { in: orders, out: folder.pathOf(out), follow: "" });
    const run = (out: string, ...flags: readonly string[]) =>
      new Subprocess(
        [...PENSTOCK, "run", job(out), ...checkpoints, "--interval", "1h", ...flags],
        {},
      );

    let saved: string;
    let last: string | undefined;
    {
      await using first = run("first.ndjson", "--workers", "1");
      await first.untilOutput(/"message":"Dead letter"/);
      // Before there is any checkpoint the store does not know the job: it has to be named.
      const text = await printed("savepoint", ...checkpoints, "totals");
      [, saved = ""] = /^Savepoint (\d+) of job "totals" in .*--from \1$/.exec(text) ?? [];
      assert(saved !== "", text);
      assertMatch(await printed("list", ...checkpoints), /^totals \(running\)\n/);

      const second = await runDeno([...PENSTOCK, "run", job("never.ndjson"), ...checkpoints]);
      assertEquals(second.code, 2);
      assertMatch(complaint(second), /^Cannot start job "totals" on .*it runs there already/);

      await folder.write("orders.ndjson", [order("ann", 10), END]);
      await first.untilOutput(/"message":"Dead letter"[^]*"message":"Dead letter"/);
      const stopped = await printed("stop", ...checkpoints, "--drain", "--savepoint");
      [, last] = /^Job "totals" has stopped\nSavepoint (\d+) of job "totals"/.exec(stopped) ?? [];
      assert(last !== undefined, stopped);
      const { code, stdout } = await first.ended();
      assertEquals(code, 0);
      assertStringIncludes(stdout, "totals ended after");
    }
    const firstTotals = ["ann 1 5", "ann 2 15", "bob 1 7"];
    assertEquals(amounts(await folder.read("first.ndjson")), firstTotals);
    const names = Array.from(Deno.readDirSync(folder.path), ({ name }) => name);
    assertEquals(names.filter((name) => name.includes(".sock")), []);

    const [listed]: readonly ListedJob[] = JSON.parse(
      await printed("list", "totals", ...checkpoints, "--json"),
    );
    const lines = listed?.checkpoints ?? [];
    assertEquals([listed?.job, listed?.state], ["totals", undefined]);
    assertEquals(
      lines.filter(({ kind }) => kind === "savepoint").map(({ id }) => String(id)),
      [last, saved],
    );
    assertEquals(lines.find(({ isNext }) => isNext)?.id, Number(last));
    const shown = await printed("inspect", ...checkpoints, saved);
    assertMatch(shown, new RegExp(`^savepoint ${saved} of job "totals"`));
    assertStringIncludes(shown, "total  keyed  2 keys, ");
    assertMatch(
      await printed("inspect", ...checkpoints, "totals", "--key", "ann"),
      /^total, key "ann" in key group \d+\n {2}orders {2}2\n {2}amount {2}15$/,
    );

    const dead = /"message":"Dead letter"/;
    for (
      const [from, out, totals] of [
        // What was ordered since is read again, with the state of then.
        [saved, "second.ndjson", ["ann 2 15", "ann 3 115"]],
        [last, "third.ndjson", ["ann 3 115"]],
        ["none", "fourth.ndjson", [...firstTotals, "ann 3 115"]],
      ] as const
    ) {
      if (from === saved) await folder.write("orders.ndjson", [order("ann", 100), END]);
      const letters = from === last ? 1 : from === saved ? 2 : 3;
      await using again = run(out, "--workers", "2", "--from", from);
      await again.untilOutput(new RegExp(Array(letters).fill(dead.source).join("[^]*")));
      assertEquals(await printed("stop", ...checkpoints), 'Job "totals" has stopped');
      assertEquals((await again.ended()).code, 0);
      assertEquals(amounts(await folder.read(out)), totals.toSorted());
    }
  });

  it("starts changed code from a savepoint, or says what it lacks", async () => {
    await using folder = new NdjsonFolder();
    const checkpoints = ["--checkpoints", folder.pathOf("x.db")];
    const paths = { in: await folder.write("orders.ndjson", [order("ann", 5), END]) };
    const job = (version: "tally_before" | "tally_after", out: string) =>
      jobModule(version, { ...paths, out: folder.pathOf(out) });
    {
      await using before = new Subprocess(
        [...START, job("tally_before", "before.ndjson"), ...checkpoints],
        {},
      );
      await before.untilOutput(/"message":"Dead letter"/);
      await printed("stop", ...checkpoints, "tally", "--savepoint");
      assertEquals((await before.ended()).code, 0);
    }
    await folder.write("orders.ndjson", [order("ann", 8), END]);
    const after = ["run", job("tally_after", "after.ndjson"), ...checkpoints];
    const refused = await runDeno([...PENSTOCK, ...after]);
    assertEquals(refused.code, 2);
    assertStringIncludes(complaint(refused), 'operator "visits" with 1 key is not in the job');
    {
      await using again = new Subprocess(
        [...PENSTOCK, ...after, "--allow-dropped-state", "--workers", "3"],
        {},
      );
      await again.untilOutput(/"message":"Dead letter"/);
      await printed("stop", ...checkpoints);
      assertEquals((await again.ended()).code, 0);
    }
    const rows = await folder.read<{ readonly sum?: string }>("after.ndjson");
    assertEquals(rows.flatMap(({ sum }) => sum ?? []), ["13 EUR"]);
  });

  it("lets go of its socket at Ctrl-C", async () => {
    await using folder = new NdjsonFolder();
    const store = folder.pathOf("x.db");
    const url = jobModule("totals", {
      in: await folder.write("orders.ndjson", [END]),
      out: folder.pathOf("out.ndjson"),
      follow: "",
    });
    await using job = new Subprocess([...START, url, "--checkpoints", store], {});
    await job.untilOutput(/"message":"Dead letter"/);
    const sockets = () =>
      Array.from(Deno.readDirSync(folder.path)).filter(({ name }) => name.endsWith(".sock"));
    assertEquals(sockets().length, 1);
    job.kill("SIGINT");
    assertEquals((await job.ended()).code, 0);
    assertEquals(sockets(), []);
    const ended = await runDeno([...PENSTOCK, "savepoint", "--checkpoints", store, "totals"]);
    assertEquals([ended.code, ended.stdout], [1, ""]);
    assertMatch(complaint(ended), /^Cannot reach job "totals" on .*: nobody listens at .*start it/);
  });

  it("prints help, and exits with 2 for wrong arguments and 1 for failures", async () => {
    assertStringIncludes(
      await printed("--help"),
      "deno task penstock savepoint --checkpoints STORE",
    );
    assertStringIncludes(await printed("run", "--help"), "--from N");
    for (
      const [args, code, message] of [
        [[], 2, /^Cannot do nothing: expected run, savepoint, stop, list or inspect; see --help$/],
        [["list"], 2, /^Cannot list without --checkpoints STORE/],
        [
          ["list", "--checkpoints", "absent.db"],
          1,
          /^Cannot list the jobs .* there is no such file/,
        ],
        [["run", "nowhere.ts"], 2, /^Cannot start nowhere\.ts: there is no such file/],
      ] as const
    ) {
      const ended = await runDeno([...PENSTOCK, ...args]);
      assertEquals([ended.code, ended.stdout], [code, ""]);
      assertMatch(complaint(ended), message);
    }
  });
});
