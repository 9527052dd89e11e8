import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { controlUnderConsole } from "../../../runtime/cli/control_commands.ts";
import { systemClock } from "../../../runtime/clock.ts";
import type { ControlAnswer, ControlRequest } from "../../../runtime/control/control_protocol.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { storeContext } from "../checkpoint/store_suite.ts";
import { PrintedLines } from "./kept_job.ts";

const KEPT = { id: 7, store: "a.db", kind: "savepoint", writtenBytes: 1234 } as const;
const around = { clock: systemClock, random: seededRandom(1) };

/** A store with checkpoints of these jobs. */
async function storeOf(...jobs: readonly string[]) {
  const store = memoryStore("m");
  for (const job of jobs) {
    const open = await store.open(storeContext({ job }));
    await open.write({ id: 1, manifest: new Uint8Array(1), parts: [] });
  }
  return store;
}

/** Gives a command, where these jobs run. */
async function command(
  what: { kind: "savepoint" } | { kind: "stop"; drain: boolean; savepoint: boolean },
  { job, jobs = [], running = jobs, answer }: {
    job?: string;
    jobs?: readonly string[];
    running?: readonly string[];
    answer: ControlAnswer;
  },
) {
  const printed = new PrintedLines();
  const asked: (readonly [string, ControlRequest])[] = [];
  const code = await controlUnderConsole(
    { ...what, store: await storeOf(...jobs), aws: {}, job },
    printed,
    around,
    {
      ask(job, request) {
        asked.push([job, request]);
        return Promise.resolve(answer);
      },
      stateOf: (job) => Promise.resolve(running.includes(job) ? "running" : undefined),
    },
  );
  return { code, asked, lines: printed.lines };
}

describe("controlUnderConsole()", () => {
  const kept: ControlAnswer = { type: "kept", savepoint: KEPT };
  const savepoint = { kind: "savepoint" } as const;

  it("has the named job take a savepoint, and says how to start from it", async () => {
    assertEquals(await command(savepoint, { job: "orders", answer: kept }), {
      code: 0,
      asked: [["orders", { type: "savepoint" }]],
      lines: ['Savepoint 7 of job "orders" in a.db, 1,234 bytes; start from it with --from 7'],
    });
  });

  it("has the only job that runs stop", async () => {
    const stop = { kind: "stop", drain: true, savepoint: true } as const;
    const jobs = { jobs: ["bills", "orders"], running: ["orders"] };
    const { asked, lines } = await command(stop, {
      ...jobs,
      answer: { type: "stopped", savepoint: KEPT },
    });
    assertEquals(asked, [["orders", { type: "stop", drain: true, savepoint: true }]]);
    assertEquals(lines[0], 'Job "orders" has stopped');
    assertEquals(lines.length, 2);
    const plain = await command({ kind: "stop", drain: false, savepoint: false }, {
      ...jobs,
      answer: { type: "stopped", savepoint: undefined },
    });
    assertEquals(plain.lines, ['Job "orders" has stopped']);
  });

  it("wants a name where there is not just one that runs", async () => {
    const cases = [
      [["a", "b"], ["a", "b"], '"a", "b" run; name one'],
      [["a"], [], 'of "a" none runs on this machine'],
      [[], [], "no job has checkpoints there yet; name it"],
    ] as const;
    for (const [jobs, running, message] of cases) {
      await assertRejects(
        () => command(savepoint, { jobs, running, answer: kept }),
        Error,
        `Cannot tell which job to take a savepoint of on memory store "m": ${message}`,
      );
    }
  });

  it("says why the job can't", async () => {
    await assertRejects(
      () => command(savepoint, { job: "a", answer: { type: "failed", reason: "no" } }),
      Error,
      'Cannot take a savepoint of job "a": no',
    );
  });
});
