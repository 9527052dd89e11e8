import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../runtime/cli/arguments.ts";
import { parsePenstockArguments, PENSTOCK_HELP } from "../../../runtime/cli/penstock_arguments.ts";

/** What a line asks for, with the store as its kind and name. */
function parse(line: string) {
  const command = parsePenstockArguments(line.split(" ").filter((word) => word !== ""), {
    PENSTOCK_PARAM_limit: "5",
  });
  if (!("store" in command)) return command;
  const { store: { kind, name }, aws: { endpoint, region }, ...rest } = command;
  return {
    ...rest,
    store: `${kind} ${name}`,
    ...(endpoint === undefined ? {} : { endpoint, region }),
  };
}

describe("parsePenstockArguments()", () => {
  it("reads commands about a store", () => {
    const store = "sqlite a.db";
    const cases = [
      ["savepoint --checkpoints a.db", { kind: "savepoint", job: undefined, store }],
      ["savepoint orders --checkpoints a.db", { kind: "savepoint", job: "orders", store }],
      [
        "stop --checkpoints a.db orders",
        { kind: "stop", job: "orders", store, drain: false, savepoint: false },
      ],
      [
        "stop --drain --savepoint --checkpoints=a.db",
        { kind: "stop", job: undefined, store, drain: true, savepoint: true },
      ],
      ["list --checkpoints a.db", { kind: "list", job: undefined, store, json: false }],
      [
        "list --checkpoints s3://bucket/c orders --json --endpoint http://127.0.0.1:1 --region r",
        {
          ...{ kind: "list", job: "orders", store: "s3 s3://bucket/c", json: true },
          ...{ endpoint: "http://127.0.0.1:1", region: "r" },
        },
      ],
    ] as const;
    for (const [line, command] of cases) assertEquals<unknown>(parse(line), command, line);
  });

  it("tells a job's name from a checkpoint's number", () => {
    const cases: readonly (readonly [string, string | undefined, number | undefined])[] = [
      ["", undefined, undefined],
      ["orders", "orders", undefined],
      ["12", undefined, 12],
      ["orders 12", "orders", 12],
      ["7 12", "7", 12],
    ];
    for (const [words, job, id] of cases) {
      assertEquals<unknown>(parse(`inspect --checkpoints a.db ${words} --key k`), {
        ...{ kind: "inspect", store: "sqlite a.db", json: false, key: "k", job, id },
      }, words);
    }
  });

  it("reads run as deno task start does", () => {
    const command = parse("run job.ts --workers 3 --checkpoints a.db --from 7");
    assert(command.kind === "run");
    const { job, workers, checkpoints, params } = command.args;
    assertEquals([job, workers, checkpoints?.from, params], ["job.ts", 3, 7, { limit: "5" }]);
    const help = parse("run --help");
    assert(help.kind === "run" && help.args.help);
  });

  it("gives help", () => {
    for (const line of ["help", "--help", "-h", "list --help", "stop -h"]) {
      assertEquals(parse(line), { kind: "help" });
    }
    for (const word of ["savepoint", "stop", "list", "inspect", "run", "--drain", "--key KEY"]) {
      assertStringIncludes(PENSTOCK_HELP, ` ${word} `);
    }
  });

  it("refuses what can't be", () => {
    const cases = [
      ["", "Cannot do nothing: expected run, savepoint, stop, list or inspect"],
      ["lst", 'Cannot do "lst": expected run'],
      ["run", "Cannot run no job"],
      ["run --nope", "Cannot read the command line: Unknown option '--nope'"],
      ["list", "Cannot list without --checkpoints STORE"],
      [
        "list --checkpoints a",
        'Cannot use --checkpoints a: Cannot tell which checkpoint store "a"',
      ],
      ["list --checkpoints a.db --drain", "Cannot use --drain with list"],
      ["savepoint --checkpoints a.db --json", "Cannot use --json with savepoint"],
      ["stop --checkpoints a.db a b", "Cannot stop a b: expected at most one job's name"],
      ["inspect --checkpoints a.db a b", "expected at most a job's name and a number"],
      ["inspect --checkpoints a.db a 0", "expected at most a job's name and a number"],
      ["inspect --checkpoints a.db a 1 2", "expected at most a job's name and a number"],
    ] as const;
    for (const [line, message] of cases) assertThrows(() => parse(line), UsageError, message);
  });
});
