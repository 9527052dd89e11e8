/**
 * Parameters of a job: validated before anything runs, typed in `build`, and refused with all that
 * is wrong with them.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { filter, map } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { z } from "../deps.ts";

const Params = z.object({
  limit: z.number().int(),
  label: z.string().default("n"),
  strict: z.boolean().optional(),
});

const limited = defineJob({
  name: "limited",
  params: Params,
  sources: { numbers: memory.source([1, 2, 3, 4]) },
  sinks: { out: memory.sink<string>() },
  build({ numbers }, { out }, { params }) {
    const { limit, label, strict = false } = params;
    numbers.pipe(filter((n) => strict ? n < limit : n <= limit), map((n) => `${label}${n}`)).to(
      out,
    );
  },
});

const free = defineJob({
  name: "free",
  sources: { numbers: memory.source([1]) },
  sinks: { out: memory.sink<number>() },
  build: ({ numbers }, { out }) => numbers.to(out),
});

describe("params", () => {
  it("come from texts as what the schema wants, with its defaults", async () => {
    const run = await runJob(limited, {}, { params: { limit: "2" } });
    assertEquals(run.output("out"), ["n1", "n2"]);
  });

  it("are the same on all workers", async () => {
    const numbers = memory.source({ shards: [[1, 2], [3], [4]] });
    const run = await runJob(limited, { numbers }, {
      params: { limit: "4", strict: "true", label: "x" },
      workers: 3,
    });
    assertEquals(run.output("out").toSorted(), ["x1", "x2", "x3"]);
  });

  it("stay texts where a text is wanted that looks like something else", async () => {
    for (const label of ["7", "true", "null", '{"a":1}', "[1"]) {
      const run = await runJob(limited, { numbers: [1] }, { params: { limit: "2", label } });
      assertEquals(run.output("out"), [`${label}1`]);
    }
  });

  it("end the job before it starts if they are wrong, naming each and how to give it", async () => {
    const error = await assertRejects(
      () => runJob(limited, {}, { params: { limit: "few", strict: "maybe" } }),
      Error,
      'Cannot use the parameters of job "limited": limit: ',
    );
    assertEquals(error instanceof Error && error.message.includes("strict: "), true);
    assertEquals(error instanceof Error && error.message.includes("--param name=value"), true);
    await assertRejects(() => runJob(limited, {}, {}), Error, "limit: ");
  });

  it("are refused by a job that declares none", async () => {
    await assertRejects(
      () => runJob(free, {}, { params: { limit: "1" } }),
      Error,
      'Cannot use parameters limit of job "free": the job declares none',
    );
  });
});
