import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RestoreError } from "../../../runtime/checkpoint/fit_checkpoint.ts";
import {
  SHARD_DISCOVERY_MS,
  WORKER_CLOSE_MS_MAX,
  WORKER_REPLY_MS_MAX,
} from "../../../runtime/limits.ts";
import type { AttemptListener, JobSnapshot } from "../../../runtime/supervisor/attempt_listener.ts";
import { JobAttempt } from "../../../runtime/supervisor/job_attempt.ts";
import { PROTOCOL_VERSION } from "../../../runtime/worker/protocol.ts";
import { turns } from "../../connectors/event_loop.ts";
import { HandClock } from "../hand_clock.ts";
import { workerPart } from "./checkpoint_parts.ts";
import { FakeHost, type FakeWorker, PLAN, type Script, SETTINGS } from "./fake_workers.ts";

/** What a job with checkpoints is given, and says: by default none are taken. */
type Kept = Partial<Pick<AttemptListener, "planned" | "lastEpoch" | "lastSnapshot" | "snapshot">>;

function attempt(host: FakeHost, workers = 2, kept: Kept = {}) {
  const clock = new HandClock();
  const heard: string[] = [];
  const attempt = new JobAttempt({
    host,
    clock,
    settings: SETTINGS,
    workers,
    slots: workers,
    parallelism: workers,
    checkpoints: kept.lastEpoch !== undefined,
    listener: {
      planned: (plan) => {
        heard.push(`planned ${plan.job}`);
        return Promise.resolve(undefined);
      },
      snapshot: ({ epoch }) => heard.push(`snapshot ${epoch}`),
      declined: (epoch) => heard.push(`declined ${epoch}`),
      lastEpoch: () => undefined,
      lastSnapshot: () => Promise.resolve(),
      running: () => heard.push("running"),
      deadLetters: (letters) => heard.push(`letters ${letters.length}`),
      log: (worker, level, message) => heard.push(`${worker} ${level} ${message}`),
      ...kept,
    },
  });
  return { attempt, clock, heard, host };
}

/** The failure that an attempt ended with. */
async function failure(of: JobAttempt) {
  const outcome = await of.run();
  assert(outcome.kind === "failed", outcome.kind);
  return { message: outcome.error.message, policy: outcome.policy, started: outcome.started };
}

/** Describes the job with a source that can grow. */
function unbounded(worker: FakeWorker, id: number): boolean {
  const sources = PLAN.sources.map((source) => ({ ...source, bounded: false }));
  worker.reply(id, { ...PLAN, sources });
  return true;
}

/** Shards are never read to their end. */
const endless: Script = (_, { type }) => type === "openShard";

describe("JobAttempt's checkpoints", () => {
  it("sends a barrier to all workers, and gives their parts once all are there, in order", async () => {
    const snapshots: JobSnapshot[] = [];
    const { attempt: job, host } = attempt(new FakeHost(endless), 2, {
      snapshot: (snapshot) => snapshots.push(snapshot),
    });
    assertEquals(job.barrier(1), false, "before it runs");
    const outcome = job.run();
    await turns(1);
    assertEquals(job.barrier(1), true);
    assertEquals(host.spawned.map(({ heard }) => heard.at(-1)), ["barrier", "barrier"]);
    const [first, second] = host.spawned;
    second?.say({ type: "snapshot", snapshot: workerPart(1, { 1: { put: { b: 1 } } }) });
    // After the barrier: it is as it was then.
    first?.say({ type: "shardEnded", source: "in", shard: "s0" });
    await turns(1);
    assertEquals(snapshots, []);
    first?.say({ type: "snapshot", snapshot: workerPart(1, { 0: { put: { a: 1 } } }) });
    const [{ epoch, workers, shards } = { epoch: 0, workers: [], shards: {} }] = snapshots;
    assertEquals([epoch, workers.map(({ chunks }) => chunks[0]?.group)], [1, [0, 1]]);
    assertEquals(shards["in"]?.map(({ id, state }) => `${id} ${state}`), [
      "s0 reading",
      "s1 reading",
    ]);
    job.committed(1);
    assertEquals(host.spawned.map(({ heard }) => heard.at(-1)), ["committed", "committed"]);
    job.stop(false);
    assertEquals(job.barrier(2), false, "while it stops");
    await outcome;
  });

  it("takes no parts of an epoch that was given up, and passes on who can't give one", async () => {
    const { attempt: job, host, heard } = attempt(new FakeHost(endless), 1);
    const outcome = job.run();
    await turns(1);
    job.barrier(1);
    const [worker] = host.spawned;
    worker?.say({
      type: "declined",
      epoch: 1,
      error: { name: "Error", message: "no", stack: undefined },
    });
    job.aborted(1);
    assertEquals([heard.at(-1), worker?.heard.at(-1)], ["declined 1", "aborted"]);
    worker?.say({ type: "snapshot", snapshot: workerPart(1, {}) });
    job.barrier(2);
    worker?.say({ type: "snapshot", snapshot: workerPart(2, {}) });
    assertEquals(heard.filter((line) => line.startsWith("snapshot")), ["snapshot 2"]);
    job.stop(false);
    await outcome;
  });

  it("keeps a last snapshot of all workers before it is over, where one is taken", async () => {
    const kept = Promise.withResolvers<void>();
    const last: JobSnapshot[] = [];
    const script: Script = (worker, message) => {
      if (message.type !== "request" || message.request.type !== "lastSnapshot") return;
      worker.reply(message.id, workerPart(message.request.epoch, {}));
      return true;
    };
    const { attempt: job, host } = attempt(new FakeHost(script), 2, {
      lastEpoch: () => 5,
      lastSnapshot: (snapshot) => {
        last.push(snapshot);
        return kept.promise;
      },
    });
    let over = false;
    const outcome = job.run().finally(() => over = true);
    await turns(3);
    assertEquals([over, last.map(({ epoch, workers }) => [epoch, workers.length])], [
      false,
      [[5, 2]],
    ]);
    assertEquals(last[0]?.shards["in"]?.map(({ state }) => state), ["ended", "ended"]);
    assertEquals(host.spawned.map(({ heard }) => heard.at(-1)), ["lastSnapshot", "lastSnapshot"]);
    kept.resolve();
    assertEquals(await outcome, { kind: "finished" });
  });

  it("fails for another try when the last snapshot can't be kept", async () => {
    const script: Script = (worker, message) => {
      if (message.type !== "request" || message.request.type !== "lastSnapshot") return;
      worker.reply(message.id, workerPart(message.request.epoch, {}));
      return true;
    };
    const { attempt: job } = attempt(new FakeHost(script), 1, {
      lastEpoch: () => 1,
      lastSnapshot: () => Promise.reject(new Error("disk full")),
    });
    assertEquals(await failure(job), { message: "disk full", policy: "restart", started: true });
  });

  it("begins with what it is given, and not again where that does not fit", async () => {
    const restored = { epoch: 4, stages: {}, sinks: {} };
    const { attempt: job, host } = attempt(new FakeHost(), 1, {
      planned: () =>
        Promise.resolve({
          startedAt: 3,
          workers: [restored],
          shards: { in: [{ id: "s1", parents: [], state: "reading", position: "9" }] },
        }),
    });
    await job.run();
    const posted = host.spawned[0]?.posted ?? [];
    const opened = posted.flatMap((message) =>
      message.type === "openShard" ? [`${message.shard} after ${message.after}`] : []
    );
    assertEquals(opened, ["s1 after 9", "s0 after undefined"]);
    assertEquals(posted.filter(({ type }) => type === "startedAt"), [{ type: "startedAt", at: 3 }]);
    const heard = host.spawned[0]?.heard ?? [];
    assert(heard.indexOf("startedAt") < heard.indexOf("discover"), "before shards are listed");
    const given = posted.flatMap((message) =>
      message.type === "request" && message.request.type === "open"
        ? [message.request.restored]
        : []
    );
    assertEquals(given, [restored]);

    for (
      const [error, policy] of [[new RestoreError("no"), "stop"], [
        new Error("no"),
        "restart",
      ]] as const
    ) {
      const { attempt: job } = attempt(new FakeHost(), 1, { planned: () => Promise.reject(error) });
      assertEquals(await failure(job), { message: "no", policy, started: false });
    }
  });
});

describe("JobAttempt", () => {
  it("builds the job on all workers, opens them, reads all shards, ends and lets go", async () => {
    const { attempt: job, host, heard, clock } = attempt(new FakeHost());
    assertEquals(await job.run(), { kind: "finished" });
    assertEquals(heard, ["planned demo", "running"]);
    const [first, second] = host.spawned;
    assertEquals(first?.heard, [
      "describe",
      "discover",
      "open",
      "openShard",
      "releaseShard",
      "endSource",
      "close",
    ]);
    assertEquals(second?.heard, [
      "describe",
      "open",
      "openShard",
      "releaseShard",
      "endSource",
      "close",
    ]);
    assertEquals([first?.terminated, second?.terminated, clock.waiting], [true, true, 0]);
  });

  it("tells each worker its place, the key groups' and the first shards', and links it to the others", async () => {
    const { attempt: job, host } = attempt(new FakeHost(), 3);
    await job.run();
    const opens = host.spawned.map(({ posted }) =>
      posted.flatMap((message) =>
        message.type === "request" && message.request.type === "open" ? [message.request] : []
      )
    );
    assertEquals(opens.flat().map(({ placement }) => placement.worker), [0, 1, 2]);
    assertEquals(opens[1]?.[0], {
      type: "open",
      placement: { worker: 1, workers: 3, slots: 3, routing: [0, 1], shards: { in: ["s0", "s1"] } },
      links: ["b", undefined, "a"],
      restored: undefined,
      checkpoints: false,
    });
  });

  it("fails before it has started when a worker speaks another protocol", async () => {
    const { attempt: job, host } = attempt(
      new FakeHost(() => {}, (worker) => PROTOCOL_VERSION + worker),
    );
    assertEquals(await failure(job), {
      message: `Cannot use worker 1: it speaks protocol ${PROTOCOL_VERSION + 1}, ` +
        `expected ${PROTOCOL_VERSION}; clear the module cache`,
      policy: "restart",
      started: false,
    });
    assertEquals(host.spawned.map(({ terminated }) => terminated), [true, true]);
  });

  it("fails when the job can't be built, with the worker's reason", async () => {
    const refusing: Script = (worker, message) => {
      if (message.type !== "request" || message.request.type !== "describe") return;
      const error = { name: "TopologyError", message: "it has no sink", stack: undefined };
      worker.say({ type: "refused", id: message.id, error });
      return true;
    };
    const { attempt: job, heard } = attempt(new FakeHost(refusing));
    assertEquals(await failure(job), {
      message: "it has no sink",
      policy: "restart",
      started: false,
    });
    assertEquals(heard, []);
  });

  it("fails for another try when a worker dies, and ends all others", async () => {
    const dying: Script = (worker, { type }) => {
      if (type === "openShard" && worker.worker === 1) worker.die("out of memory");
      return type === "openShard";
    };
    const { attempt: job, host, clock } = attempt(new FakeHost(dying));
    assertEquals(await failure(job), {
      message: "Worker 1 died: out of memory",
      policy: "restart",
      started: true,
    });
    assertEquals(host.spawned[0]?.heard.at(-1), "close");
    assertEquals([host.spawned.map(({ terminated }) => terminated), clock.waiting], [
      [true, true],
      0,
    ]);
  });

  it("fails for another try when a worker does not answer in time", async () => {
    const stuck: Script = (worker, message) =>
      worker.worker === 1 && message.type === "request" && message.request.type === "open";
    const { attempt: job, clock } = attempt(new FakeHost(stuck));
    const failed = failure(job);
    await turns(1);
    clock.pass(WORKER_REPLY_MS_MAX);
    const message = `Worker 1 did not open within ${WORKER_REPLY_MS_MAX} ms`;
    assertEquals(await failed, { message, policy: "restart", started: false });
  });

  it("does as the job's policy says when a worker reports a failure, and ends one that doesn't close", async () => {
    for (const policy of ["restart", "stop"] as const) {
      const failing: Script = (worker, message) => {
        if (message.type === "openShard") {
          worker.say({
            type: "failure",
            error: { name: "Error", message: "bad record", stack: "" },
            policy,
          });
        }
        return message.type === "openShard" ||
          (message.type === "request" && message.request.type === "close");
      };
      const { attempt: job, clock, host } = attempt(new FakeHost(failing), 1);
      const failed = failure(job);
      await turns(1);
      assertEquals(host.spawned[0]?.terminated, false);
      clock.pass(WORKER_CLOSE_MS_MAX);
      assertEquals(await failed, { message: "bad record", policy, started: true });
      assertEquals([host.spawned[0]?.terminated, clock.waiting], [true, 0]);
    }
  });

  it("drains when it is stopped: reads no further, and ends when the workers have", async () => {
    const { attempt: job, host } = attempt(new FakeHost(endless));
    const outcome = job.run();
    await turns(1);
    job.stop(false);
    assertEquals(await outcome, { kind: "finished" });
    assertEquals(host.spawned.map(({ heard }) => heard.slice(-2)), [["stop", "close"], [
      "stop",
      "close",
    ]]);
  });

  it("reads nothing when it is stopped while it starts", async () => {
    for (const during of ["describe", "discover", "open"]) {
      const { attempt: job, host, heard, clock } = attempt(
        new FakeHost((worker, message) => {
          if (
            message.type === "request" && message.request.type === during && worker.worker === 0
          ) job.stop(false);
        }),
      );
      assertEquals(await job.run(), { kind: "finished" });
      for (const { heard, terminated } of host.spawned) {
        assertEquals([heard.includes("openShard"), heard.at(-1), terminated], [
          false,
          "close",
          true,
        ]);
      }
      assertEquals([heard.includes("running"), clock.waiting], [false, 0]);
    }
  });

  it("reads children after their parents, and hands their place on", async () => {
    const split: Script = (worker, message) => {
      if (message.type !== "request" || message.request.type !== "discover") return;
      worker.reply(message.id, [
        { id: "parent", parents: [] },
        { id: "left", parents: ["parent"] },
        { id: "right", parents: ["parent"] },
      ]);
      return true;
    };
    const { attempt: job, host } = attempt(new FakeHost(split), 1);
    await job.run();
    const commands = (host.spawned[0]?.posted ?? []).flatMap((message) => {
      if (message.type === "openShard") return [`open ${message.shard}`];
      return message.type === "releaseShard"
        ? [`release ${message.shard} to ${message.successors}`]
        : [];
    });
    assertEquals(commands, [
      "open parent",
      "release parent to left,right",
      "open left",
      "open right",
      "release left to ",
      "release right to ",
    ]);
  });

  it("lists no more shards once it has failed, though a listing was under way", async () => {
    let listings = 0;
    const growing: Script = (worker, message) => {
      if (message.type === "openShard") return true;
      if (message.type !== "request") return;
      if (message.request.type === "describe") return unbounded(worker, message.id);
      return message.request.type === "discover" && ++listings > 1;
    };
    const { attempt: job, clock, heard, host } = attempt(new FakeHost(growing), 1);
    const failed = failure(job);
    await turns(1);
    clock.pass(SHARD_DISCOVERY_MS);
    host.spawned[0]?.die("out of memory");
    await failed;
    await turns(1);
    assertEquals([listings, heard, clock.waiting], [2, ["planned demo", "running"], 0]);
  });

  it("lists the shards of a source that can grow again and again, and goes on where that fails", async () => {
    let listings = 0;
    const growing: Script = (worker, message) => {
      if (message.type === "openShard") return true;
      if (message.type !== "request") return;
      if (message.request.type === "describe") return unbounded(worker, message.id);
      if (message.request.type !== "discover") return;
      listings++;
      if (listings === 2) {
        const error = { name: "Error", message: "throttled", stack: "" };
        worker.say({ type: "refused", id: message.id, error });
      } else {worker.reply(
          message.id,
          Array.from({ length: listings }, (_, shard) => ({ id: `s${shard}`, parents: [] })),
        );}
      return true;
    };
    const { attempt: job, clock, heard, host } = attempt(new FakeHost(growing), 1);
    const outcome = job.run();
    const opened = () =>
      host.spawned[0]?.posted.flatMap((each) => each.type === "openShard" ? [each.shard] : []);
    await turns(1);
    assertEquals(opened(), ["s0"]);
    for (let round = 0; round < 2; round++) {
      clock.pass(SHARD_DISCOVERY_MS);
      await turns(1);
    }
    assertEquals(opened(), ["s0", "s1", "s2"]);
    assertEquals(heard.slice(2), ["0 warn Shards could not be listed; trying again"]);
    job.stop(false);
    await outcome;
    assertEquals(clock.waiting, 0);
  });

  it("says so where there are more workers than key groups", async () => {
    const host = new FakeHost((worker, message) => {
      if (message.type !== "request" || message.request.type !== "describe") return false;
      worker.reply(message.id, { ...PLAN, maxParallelism: 1 });
      return true;
    });
    const { attempt: job, heard } = attempt(host);
    await job.run();
    assertEquals(heard.filter((line) => line.includes("warn")), [
      "0 warn There are fewer key groups than workers: some get none",
    ]);
  });
});
