import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseStartArguments } from "../../../runtime/cli/arguments.ts";
import { describeUnderConsole } from "../../../runtime/cli/describe_command.ts";
import { planText } from "../../../runtime/cli/plan_text.ts";
import { WORKER_REPLY_MS_MAX } from "../../../runtime/limits.ts";
import { HandClock } from "../hand_clock.ts";
import { FakeHost, PLAN, type Script } from "../supervisor/fake_workers.ts";

/** Describes a job on workers that a test plays. */
async function described(
  form: "text" | "json",
  script: Script = () => {},
  flags: readonly string[] = [],
  hello?: "never",
) {
  const clock = new HandClock(5000);
  const host = new FakeHost(script, hello === undefined ? undefined : () => hello);
  const lines: string[] = [];
  const exit = describeUnderConsole(
    "file:///job.ts",
    parseStartArguments(["job.ts", ...flags], {}),
    form,
    {
      clock,
      print: (line) => void lines.push(`out ${line}`),
      printError: (line) => void lines.push(`error ${line}`),
      onInterrupt() {},
    },
    host,
  );
  if (hello === "never") clock.pass(WORKER_REPLY_MS_MAX);
  return { code: await exit, lines, workers: host.spawned, waiting: clock.waiting };
}

describe("describeUnderConsole()", () => {
  it("asks one worker for the plan, prints it, and ends the worker", async () => {
    const flags = ["--param", "limit=5", "--region", "eu-west-1", "--log-level", "warn"];
    const { code, lines, workers, waiting } = await described("text", undefined, flags);
    assertEquals([code, lines, waiting], [0, [`out ${planText(PLAN)}`], 0]);
    assertEquals(workers.map(({ terminated }) => terminated), [true]);
    const job = {
      url: "file:///job.ts",
      params: { limit: "5" },
      aws: { endpoint: undefined, region: "eu-west-1" },
      startedAt: 5000,
      logLevel: "warn" as const,
    };
    assertEquals(workers[0]?.posted, [
      { type: "request", id: 1, request: { type: "describe", job } },
    ]);
  });

  it("prints JSON alone on the standard output, whatever the job logs", async () => {
    const { code, lines } = await described("json", (worker) => {
      worker.say({ type: "log", level: "info", message: "Building", fields: {} });
    });
    assertEquals(code, 0);
    assertEquals(lines[0], "error info: Building");
    assertEquals(JSON.parse(lines[1]?.replace(/^out /, "") ?? ""), PLAN);
    assertEquals(lines.length, 2);
  });

  it("exits with 2 and why if the job can't be built", async () => {
    const { code, lines, workers, waiting } = await described("text", (worker, message) => {
      if (message.type !== "request") return false;
      const error = { name: "Error", message: "Cannot build it", stack: undefined };
      worker.say({ type: "refused", id: message.id, error });
      return true;
    });
    assertEquals([code, lines, waiting], [2, ["error Cannot build it"], 0]);
    assertEquals(workers[0]?.terminated, true);
  });

  it("exits with 2 if the worker dies or does not answer", async () => {
    const dead = await described("text", (worker) => {
      worker.die("no memory");
      return true;
    });
    assertEquals([dead.code, dead.lines], [2, ["error Worker 0 died: no memory"]]);
    const silent = await described("text", undefined, [], "never");
    assertEquals([silent.code, silent.lines], [
      2,
      [`error Worker 0 did not say hello within ${WORKER_REPLY_MS_MAX} ms`],
    ]);
    assertEquals(silent.workers[0]?.terminated, true);
  });
});
