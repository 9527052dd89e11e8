import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { carryOut, type ControlledJob } from "../../../runtime/control/job_control.ts";
import type { KeptCheckpoint } from "../../../runtime/supervisor/checkpoint_shelf.ts";
import type { JobOutcome } from "../../../runtime/supervisor/supervisor_options.ts";
import { jobStatus } from "../../../runtime/supervisor/job_status.ts";

const KEPT = { id: 7, store: "a.db", kind: "savepoint", writtenBytes: 12 } as const;
const FINISHED: JobOutcome = { kind: "finished", status: jobStatus("finished", []) };

/** A job that tells what is done with it, and ends once it is stopped. */
function fakeJob(
  savepoint: () => Promise<KeptCheckpoint> = () => Promise.resolve(KEPT),
  outcome: JobOutcome = FINISHED,
): ControlledJob & { readonly done: string[] } {
  const { promise: ended, resolve } = Promise.withResolvers<JobOutcome>();
  const done: string[] = [];
  return {
    state: "running",
    done,
    ended,
    savepoint() {
      done.push("savepoint");
      return savepoint();
    },
    stop(drain) {
      done.push(`stop ${drain}`);
      resolve(outcome);
    },
  };
}

describe("carryOut()", () => {
  it("tells how a job is, and takes a savepoint while it goes on", async () => {
    const job = fakeJob();
    assertEquals(await carryOut({ type: "status" }, "orders", job), {
      ...{ type: "status", job: "orders", state: "running" },
    });
    assertEquals(await carryOut({ type: "savepoint" }, "orders", job), {
      ...{ type: "kept", savepoint: KEPT },
    });
    assertEquals(job.done, ["savepoint"]);
  });

  it("stops first and saves then, so that the savepoint is of the end", async () => {
    const job = fakeJob();
    const answer = await carryOut({ type: "stop", drain: true, savepoint: true }, "orders", job);
    assertEquals(answer, { type: "stopped", savepoint: KEPT });
    assertEquals(job.done, ["stop true", "savepoint"]);
    const other = fakeJob();
    assertEquals(
      await carryOut({ type: "stop", drain: false, savepoint: false }, "orders", other),
      { type: "stopped", savepoint: undefined },
    );
    assertEquals(other.done, ["stop false"]);
  });

  it("says what went wrong", async () => {
    const failing = () => Promise.reject(new Error("the disk is full"));
    await assertRejects(
      () => carryOut({ type: "savepoint" }, "orders", fakeJob(failing)),
      Error,
      "the disk is full",
    );
    const stop = { type: "stop", drain: false, savepoint: true } as const;
    await assertRejects(
      () => carryOut(stop, "orders", fakeJob(failing)),
      Error,
      "it has stopped, but there is no savepoint: the disk is full",
    );
    const failed: JobOutcome = {
      ...{ kind: "failed", error: new Error("a sink gave up"), started: true },
      status: jobStatus("failed", []),
    };
    await assertRejects(
      () => carryOut(stop, "orders", fakeJob(failing, failed)),
      Error,
      "a sink gave up",
    );
  });
});
