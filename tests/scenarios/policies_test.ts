/**
 * What becomes of a job when a record fails: by policy it goes on without it, starts again, or
 * stops, wherever the failure is.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { map } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import type { ErrorPolicy } from "../../runtime/dead_letter.ts";
import { defineJob } from "../../runtime/job.ts";
import { RESTARTS_MAX } from "../../runtime/limits.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { BAD, NUMBERS, type Place, PLACES, Trouble } from "./failing_places.ts";
import { hostedRun } from "./hosted_run.ts";

async function runWith(place: Place, policy: ErrorPolicy, times: number, workers = 1) {
  const trouble = new Trouble(times);
  const rows: number[] = [];
  const out = place.sink?.(rows, trouble) ?? memory.sink<number>();
  const job = defineJob({
    name: "trouble",
    onError: policy,
    sources: { numbers: place.source?.(trouble) ?? memory.source(NUMBERS) },
    sinks: { out },
    build({ numbers }, { out }) {
      const counted = numbers.pipe(map((n) => {
        if (n === 0) trouble.attempts++;
        return n;
      }));
      place.shape(counted, trouble).to(out);
    },
  });
  const run = await hostedRun(job, { workers });
  return { ...run, trouble, rows: ("rows" in out ? out.rows as number[] : rows).toSorted() };
}

const OTHERS = NUMBERS.filter((n) => n !== BAD);

for (const place of PLACES) {
  const { what, operator, origin, reason } = place;

  describe(`a failure in ${what}`, () => {
    for (const workers of [1, 2]) {
      it(`costs the record alone with policy resume, on ${workers} workers`, async () => {
        const { outcome, deadLetters, rows } = await runWith(place, "resume", 1, workers);
        assertEquals(outcome.kind, "finished");
        const found = deadLetters.map((letter) => [letter.operator, letter.origin, letter.reason]);
        assertEquals(found, [[operator, origin, reason]]);
        assertEquals(rows, OTHERS);
      });
    }

    it("stops the job with policy stop, naming operator and position", async () => {
      const { outcome, deadLetters, trouble } = await runWith(place, "stop", 1);
      assert(outcome.kind === "failed");
      const of = origin === "" ? "a timer" : `the record at ${origin}`;
      assertEquals(outcome.error.message, `Operator "${operator}" failed on ${of}: ${reason}`);
      assertEquals(deadLetters.length, 1);
      assertEquals(trouble.attempts, 1);
    });

    it("starts from the sources' start with policy restart", async () => {
      const { outcome, deadLetters, trouble, rows } = await runWith(place, "restart", 2);
      assertEquals(outcome.kind, "finished");
      assertEquals(trouble.attempts, 3);
      assertEquals(deadLetters.map((letter) => letter.origin), [origin, origin]);
      // What earlier attempts wrote stays written; the last one wrote everything.
      assertEquals([...new Set(rows)], NUMBERS);
    });
  });
}

describe("policy restart", () => {
  it("gives up after the limit, naming operator and position", async () => {
    const [place] = PLACES;
    assert(place !== undefined);
    const { outcome, trouble, endedAt } = await runWith(place, "restart", Infinity);
    assert(outcome.kind === "failed");
    assertStringIncludes(outcome.error.message, `Gave up after ${RESTARTS_MAX} restarts`);
    assertStringIncludes(
      outcome.error.message,
      `Operator "numbers/pipe" failed on the record at ${place.origin}`,
    );
    assertEquals(trouble.attempts, RESTARTS_MAX + 1);
    assert(endedAt > 10_000, "Restarts came without any wait");
  });
});

describe("policy stop", () => {
  it("rejects runJob() with an error that names operator and position", async () => {
    await assertRejects(
      () => runJob(failingFrom(2, "stop")),
      Error,
      'Operator "meet" failed on the record at numbers/shard-0@2: Error: no 2',
    );
  });

  it("ends at the first record that fails: no later one is touched", async () => {
    const job = failingFrom(2, "stop");
    const { outcome, deadLetters } = await hostedRun(job);
    assertEquals(outcome.kind, "failed");
    assertEquals(deadLetters.map(({ origin }) => origin), ["numbers/shard-0@2"]);
  });
});

/** A job in which all numbers from `first` fail. */
function failingFrom(first: number, onError: ErrorPolicy) {
  return defineJob({
    name: "failing from",
    onError,
    sources: { numbers: memory.source(NUMBERS) },
    sinks: { out: memory.sink<number>() },
    build({ numbers }, { out }) {
      numbers.keyBy(() => "all").process("meet", {
        state: {},
        onEvent(n) {
          if (n >= first) throw new Error(`no ${n}`);
          return [n];
        },
      }).to(out);
    },
  });
}
