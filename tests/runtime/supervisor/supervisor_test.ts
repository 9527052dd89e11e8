import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  DEAD_LETTERS_LOGGED_PER_SECOND,
  RESTART_DELAY_MS,
  RESTART_DELAY_MS_MAX,
  RESTARTS_MAX,
} from "../../../runtime/limits.ts";
import type { LogFields, Logger } from "../../../runtime/logger.ts";
import { Supervisor } from "../../../runtime/supervisor/supervisor.ts";
import type { SupervisorOptions } from "../../../runtime/supervisor/supervisor_options.ts";
import { turns } from "../../connectors/event_loop.ts";
import { HandClock } from "../hand_clock.ts";
import { FakeHost, type FakeWorker, type Script, SETTINGS } from "./fake_workers.ts";

function supervised(
  script: Script,
  options: Partial<Pick<SupervisorOptions, "reportMs" | "scaling">> = {},
) {
  const host = new FakeHost(script);
  const clock = new HandClock();
  const states: unknown[] = [];
  const lines: [string, LogFields][] = [];
  const at = (message: string, fields: LogFields = {}) => void lines.push([message, fields]);
  const logger: Logger = {
    debug: (_, fields) => void states.push(fields?.["state"]),
    info: at,
    warn: at,
    error: at,
    critical: at,
  };
  const statuses: string[] = [];
  const supervisor = new Supervisor({
    host,
    clock,
    random: () => 1,
    logger,
    settings: SETTINGS,
    workers: 1,
    parallelism: 1,
    onStatus: ({ state, deadLetters }) => statuses.push(`${state} ${deadLetters}`),
    ...options,
  });
  return { supervisor, host, clock, states, lines, statuses };
}

const failing =
  (policy: "restart" | "stop", fails: (worker: FakeWorker) => boolean = () => true): Script =>
  (worker, { type }) => {
    if (type !== "openShard" || !fails(worker)) return false;
    worker.say({
      type: "failure",
      error: { name: "Error", message: "bad record", stack: "" },
      policy,
    });
    return true;
  };

describe("Supervisor", () => {
  it("runs a job to its end", async () => {
    const { supervisor, states, clock } = supervised(() => {});
    assertEquals((await supervisor.run()).kind, "finished");
    assertEquals(states, ["starting", "running", "finished"]);
    assertEquals([supervisor.status.state, clock.waiting], ["finished", 0]);
  });

  it("starts a job again after a failure, on new workers, once it has waited", async () => {
    const failed = new Set<FakeWorker>();
    const { supervisor, clock, host, states } = supervised(
      failing("restart", (worker) => failed.size < 2 && failed.add(worker) === failed),
    );
    const outcome = supervisor.run();
    for (const waitMs of [RESTART_DELAY_MS, 2 * RESTART_DELAY_MS]) {
      await turns(1);
      const workers = host.spawned.length;
      clock.pass(waitMs - 1);
      await turns(1);
      assertEquals(host.spawned.length, workers);
      clock.pass(1);
      await turns(1);
      assertEquals(host.spawned.length, workers + 1);
    }
    assertEquals((await outcome).kind, "finished");
    const again = ["restarting", "starting", "running"];
    assertEquals(states, ["starting", "running", ...again, ...again, "finished"]);
  });

  it("gives up after so many restarts within the window, with what failed last", async () => {
    const { supervisor, clock, host, lines } = supervised(failing("restart"));
    const run = supervisor.run();
    for (let restart = 0; restart < RESTARTS_MAX; restart++) {
      await turns(1);
      clock.pass(RESTART_DELAY_MS_MAX);
    }
    const outcome = await run;
    assert(outcome.kind === "failed");
    assertEquals(
      outcome.error.message,
      `Gave up after ${RESTARTS_MAX} restarts within 10 minutes: bad record`,
    );
    assertEquals([outcome.started, host.spawned.length], [true, RESTARTS_MAX + 1]);
    assertEquals(lines.length, RESTARTS_MAX);
    assertEquals(lines[1], [
      "Job failed; starting it again",
      { attempt: 2, afterMs: 2 * RESTART_DELAY_MS, reason: "bad record" },
    ]);
  });

  it("does not start a job again whose policy says stop, nor one that never ran", async () => {
    const dying: Script = (worker, message) => {
      if (message.type === "request" && message.request.type === "open") {
        worker.die("out of memory");
      }
    };
    for (
      const [script, message, started] of [
        [failing("stop"), "bad record", true],
        [dying, "Worker 0 died: out of memory", false],
      ] as const
    ) {
      const { supervisor, host } = supervised(script);
      const outcome = await supervisor.run();
      assert(outcome.kind === "failed");
      assertEquals([outcome.error.message, outcome.started, host.spawned.length], [
        message,
        started,
        1,
      ]);
    }
  });

  it("does not begin a job that has too few key groups for the workers that there must be", async () => {
    const { supervisor } = supervised(() => {}, {
      scaling: { options: { minWorkers: 3 }, cores: 8 },
    });
    const outcome = await supervisor.run();
    assert(outcome.kind === "failed" && !outcome.started);
    assertStringIncludes(outcome.error.message, "Cannot scale between 3 and 2 workers");
  });

  it("drains when it is stopped, however often it is told", async () => {
    const { supervisor, states } = supervised((_, { type }) => type === "openShard");
    const outcome = supervisor.run();
    await turns(1);
    supervisor.stop();
    supervisor.stop();
    assertEquals((await outcome).kind, "finished");
    assertEquals(states, ["starting", "running", "draining", "finished"]);
  });

  it("ends well when it is stopped while the job starts", async () => {
    const { supervisor, states, host, clock } = supervised((_, message) => {
      if (message.type === "request" && message.request.type === "describe") supervisor.stop();
    });
    assertEquals((await supervisor.run()).kind, "finished");
    assertEquals(states, ["starting", "draining", "finished"]);
    await turns(1);
    assertEquals([host.spawned[0]?.terminated, clock.waiting], [true, 0]);
  });

  it("ends at once, with what had failed, when it is stopped while it waits for a restart", async () => {
    const { supervisor, host, clock } = supervised(failing("restart"));
    const run = supervisor.run();
    await turns(1);
    supervisor.stop();
    const outcome = await run;
    assertEquals(outcome.kind === "failed" && outcome.error.message, "bad record");
    assertEquals([host.spawned.length, clock.waiting], [1, 0]);
  });

  it("asks for reports at its interval and tells the status, until the job has ended", async () => {
    const reporting: Script = (worker, { type }) => {
      if (type !== "report") return type === "openShard";
      const report = { worker: 0, sources: {}, stages: {}, sinks: {}, deadLetters: 7, cpuMs: 1 };
      worker.say({ type: "report", report });
      return true;
    };
    const { supervisor, clock, statuses } = supervised(reporting, { reportMs: 1000 });
    const outcome = supervisor.run();
    await turns(1);
    clock.pass(2500);
    assertEquals(statuses, ["running 7", "running 7"]);
    supervisor.stop();
    const { status } = await outcome;
    assertEquals([status.state, status.deadLetters, clock.waiting], ["finished", 7, 0]);
  });

  it("logs so many dead letters a second, counts the others, and passes all of them on", async () => {
    const { supervisor, host, lines, clock } = supervised((_, { type }) => type === "openShard");
    const outcome = supervisor.run();
    await turns(1);
    const letters = Array.from({ length: DEAD_LETTERS_LOGGED_PER_SECOND + 5 }, (_, at) => ({
      operator: "sum",
      origin: `in/s0@${at}`,
      reason: "Error: boom",
      value: { secret: true },
    }));
    host.spawned[0]?.say({ type: "deadLetters", letters });
    assertEquals(lines.length, DEAD_LETTERS_LOGGED_PER_SECOND);
    assertEquals(lines[0]?.[1], {
      operator: "sum",
      key: undefined,
      origin: "in/s0@0",
      reason: "Error: boom",
      timestamp: undefined,
    });
    clock.pass(1000);
    host.spawned[0]?.say({ type: "deadLetters", letters: letters.slice(0, 1) });
    assertEquals(lines.slice(DEAD_LETTERS_LOGGED_PER_SECOND).map(([message]) => message), [
      "More dead letters were not logged",
      "Dead letter",
    ]);
    assertEquals(lines[DEAD_LETTERS_LOGGED_PER_SECOND]?.[1], { letters: 5 });
    supervisor.stop();
    await outcome;
  });
});
