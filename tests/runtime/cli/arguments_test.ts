import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { HELP, parseStartArguments, UsageError } from "../../../runtime/cli/arguments.ts";

const parse = (line: string, env: Record<string, string> = {}) =>
  parseStartArguments(line.split(" ").filter((word) => word !== ""), env);

describe("parseStartArguments()", () => {
  it("runs the example on two workers, quietly, when nothing is said", () => {
    assertEquals(parse(""), {
      help: false,
      job: undefined,
      endpoint: undefined,
      region: undefined,
      workers: 2,
      parallelism: 2,
      scaling: undefined,
      logLevel: "warn",
      isolation: "web-worker",
      params: {},
      bookings: undefined,
      checkpoints: undefined,
      describe: undefined,
    });
  });

  it("takes every flag, with = or without", () => {
    const line =
      "job.ts --workers=4 --parallelism 3 --endpoint http://127.0.0.1:4567 --region eu-west-1 " +
      "--log-level debug --isolation thread --param limit=5 --param query=a=b --param limit=6 --describe --json -h";
    assertEquals(parse(line), {
      help: true,
      job: "job.ts",
      endpoint: "http://127.0.0.1:4567",
      region: "eu-west-1",
      workers: 4,
      parallelism: 3,
      scaling: undefined,
      logLevel: "debug",
      isolation: "thread",
      params: { limit: "6", query: "a=b" },
      bookings: undefined,
      checkpoints: undefined,
      describe: "json",
    });
    assertEquals([parse("job.ts").logLevel, parse("--bookings 1000").bookings], ["info", 1000]);
  });

  it("takes parameters from the environment, and flags before those", () => {
    const env = {
      PENSTOCK_PARAM_limit: "1",
      PENSTOCK_PARAM_name: "demo",
      PENSTOCK_PARAMETER: "no",
      HOME: "/",
    };
    assertEquals(parse("job.ts --param limit=2", env).params, { limit: "2", name: "demo" });
  });

  it("describes a job for people unless asked for JSON", () => {
    assertEquals([parse("job.ts --describe").describe, parse("--json --describe").describe], [
      "text",
      "json",
    ]);
  });

  it("spreads over all workers unless told otherwise", () => {
    assertEquals(parse("--workers 5").parallelism, 5);
  });

  it("has workers that come and go once a bound or a policy is given", () => {
    const scaling = (line: string) => {
      const { workers, parallelism, scaling } = parse(line);
      return [workers, parallelism, scaling?.policy, scaling?.minWorkers, scaling?.maxWorkers];
    };
    assertEquals(scaling("--max-workers 8"), [
      ...[undefined, undefined, "responsive", undefined, 8],
    ]);
    assertEquals(scaling("--min-workers 2 --workers 3"), [
      3,
      undefined,
      "responsive",
      2,
      undefined,
    ]);
    assertEquals(scaling("--scaling kinesis-data-analytics --workers 4 --max-workers 4"), [
      ...[4, undefined, "kinesis-data-analytics", undefined, 4],
    ]);
    assertEquals(scaling("--scaling none")[2], "none");
  });

  it("refuses what it does not understand, with what was expected", () => {
    const cases: [string, string][] = [
      ["a.ts b.ts", "Cannot start a.ts and b.ts at once: give one job"],
      ["--workers 0", "Cannot use --workers 0: expected a whole number from 1"],
      ["--workers two", "Cannot use --workers two: expected a whole number from 1"],
      ["--workers 1.5", "Cannot use --workers 1.5"],
      ["--workers 1234567890", "Cannot use --workers 1234567890"],
      [
        "--parallelism 3",
        "Cannot spread over --parallelism 3 with 2 workers: give at least as many --workers",
      ],
      ["--min-workers 0", "Cannot use --min-workers 0: expected a whole number from 1"],
      ["--max-workers many", "Cannot use --max-workers many: expected a whole number from 1"],
      [
        "--min-workers 5 --max-workers 3",
        "Cannot use --min-workers 5 with --max-workers 3: expected at most 3",
      ],
      [
        "--workers 9 --min-workers 2 --max-workers 4",
        "Cannot use --workers 9, the number to start with: expected 2 to 4",
      ],
      [
        "--workers 1 --min-workers 2",
        "Cannot use --workers 1, the number to start with: expected 2 or",
      ],
      [
        "--parallelism 2 --max-workers 4",
        "Cannot use --parallelism 2 while workers come and go",
      ],
      [
        "--scaling fast",
        "Cannot use --scaling fast: expected one of responsive, kinesis-data-analytics, none",
      ],
      ["--bookings 5 job.ts", "Cannot use --bookings with a job"],
      [
        "--endpoint localhost",
        "Cannot use --endpoint localhost: expected a URL such as http://127.0.0.1:4567",
      ],
      [
        "--log-level loud",
        "Cannot use --log-level loud: expected one of debug, info, warn, error, critical",
      ],
      ["--isolation process", "Cannot use --isolation process: expected one of web-worker, thread"],
      ["--param limit", "Cannot use --param limit: expected NAME=VALUE"],
      ["--param =5", "Cannot use --param =5: expected NAME=VALUE"],
      ["--job job.ts", "Cannot read the command line: "],
      ["--workers", "Cannot read the command line: "],
      ["--describe=json", "Cannot read the command line: "],
      ["job.ts --json", "Cannot use --json without --describe: a job that runs prints lines"],
    ];
    for (const [line, message] of cases) assertThrows(() => parse(line), UsageError, message);
  });
});

describe("HELP", () => {
  it("names every flag", () => {
    for (
      const flag of [
        "bookings",
        "workers",
        "min-workers",
        "max-workers",
        "scaling",
        "parallelism",
        "endpoint",
        "region",
        "param",
        "isolation",
        "log-level",
        "describe",
      ]
    ) {
      assertStringIncludes(HELP, `--${flag} `);
    }
  });

  it("takes where checkpoints are kept, and refuses what says how without it", () => {
    assertEquals(
      parse("job.ts --checkpoints jobs.db --interval 500ms --allow-dropped-state").checkpoints,
      { store: "jobs.db", intervalMs: 500, allowDroppedState: true, from: "latest" },
    );
    assertEquals(parse("job.ts --checkpoints jobs.db --from 12").checkpoints?.from, 12);
    assertEquals(parse("job.ts --checkpoints jobs.db --from none").checkpoints?.from, "none");
    assertEquals(parse("job.ts --checkpoints s3://bucket/jobs").checkpoints, {
      store: "s3://bucket/jobs",
      intervalMs: undefined,
      allowDroppedState: false,
      from: "latest",
    });
    for (
      const [line, message] of [
        ["--interval 1s", "Cannot use --interval without --checkpoints"],
        ["--allow-dropped-state", "Cannot use --allow-dropped-state without --checkpoints"],
        ["--from 3", "Cannot use --from without --checkpoints"],
        ["--checkpoints jobs.db --from 0", "Cannot use --from 0: expected a checkpoint's number"],
        ["--checkpoints jobs.db --from last", "Cannot use --from last: expected"],
        ["--checkpoints jobs", 'Cannot tell which checkpoint store "jobs" is'],
        ["--checkpoints jobs.db --interval 0s", "Cannot use --interval 0s: expected a time"],
      ] as const
    ) assertThrows(() => parse(line), UsageError, message);
  });
});
