import { assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { WORKER_REPLY_MS_MAX } from "../../../runtime/limits.ts";
import { WorkerHandle, type WorkerNotice } from "../../../runtime/supervisor/worker_handle.ts";
import { PROTOCOL_VERSION } from "../../../runtime/worker/protocol.ts";
import { HandClock } from "../hand_clock.ts";
import { FakeWorker, PLAN, type Script, SETTINGS, SHARDS } from "./fake_workers.ts";

function handle(script: Script = () => {}, hello: number | "never" = PROTOCOL_VERSION) {
  const clock = new HandClock();
  const notices: WorkerNotice[] = [];
  const deaths: string[] = [];
  const port = new FakeWorker(3, script, hello);
  const worker = new WorkerHandle(3, port, clock, {
    notice: (_, notice) => notices.push(notice),
    died: (worker, error) => deaths.push(`${worker}: ${error.message}`),
  });
  return { clock, port, worker, notices, deaths };
}

/** A script that never answers. */
const mute: Script = () => true;

describe("WorkerHandle", () => {
  it("is ready once the worker has said hello, and leaves no timer behind", async () => {
    const { worker, clock } = handle();
    await worker.ready;
    assertEquals(clock.waiting, 0);
  });

  it("refuses a worker that speaks another protocol", async () => {
    const { worker } = handle(() => {}, PROTOCOL_VERSION + 1);
    await assertRejects(
      () => worker.ready,
      Error,
      `Cannot use worker 3: it speaks protocol ${
        PROTOCOL_VERSION + 1
      }, expected ${PROTOCOL_VERSION}`,
    );
  });

  it("gives each request its own answer, in whatever order they come", async () => {
    const ids: number[] = [];
    const { worker, port, clock } = handle((_, message) => {
      if (message.type === "request") ids.push(message.id);
      return true;
    });
    const plan = worker.ask<"describe">({ type: "describe", job: SETTINGS });
    const shards = worker.ask<"discover">({ type: "discover", source: "in" });
    port.reply(ids[1] ?? 0, SHARDS);
    port.reply(ids[0] ?? 0, PLAN);
    assertEquals([await plan, await shards, clock.waiting], [PLAN, SHARDS, 0]);
  });

  it("rejects what the worker refuses, with the worker's error", async () => {
    const { worker } = handle((worker, message) => {
      if (message.type !== "request") return;
      const error = { name: "TopologyError", message: "it has no sink", stack: "at job.ts" };
      worker.say({ type: "refused", id: message.id, error });
      return true;
    });
    const error = await assertRejects(
      () => worker.ask<"close">({ type: "close" }),
      Error,
      "it has no sink",
    );
    assertEquals([error.name, error.stack], ["TopologyError", "at job.ts"]);
  });

  it("passes on everything else that the worker says", () => {
    const { port, notices } = handle();
    port.say({ type: "ended" });
    assertEquals(notices, [{ type: "ended" }]);
  });

  it("takes a worker for dead that does not answer in time", async () => {
    const { worker, clock, deaths } = handle(mute);
    const asked = worker.ask<"close">({ type: "close" });
    clock.pass(WORKER_REPLY_MS_MAX - 1);
    assertEquals(deaths, []);
    clock.pass(1);
    const message = `Worker 3 did not close within ${WORKER_REPLY_MS_MAX} ms`;
    await assertRejects(() => asked, Error, message);
    assertEquals(deaths, [`3: ${message}`]);
  });

  it("takes a worker for dead that never says hello", async () => {
    const { worker, port, clock, deaths } = handle(mute, "never");
    clock.pass(WORKER_REPLY_MS_MAX);
    const message = `Worker 3 did not say hello within ${WORKER_REPLY_MS_MAX} ms`;
    await assertRejects(() => worker.ready, Error, message);
    assertEquals([deaths, port.posted], [[`3: ${message}`], []]);
  });

  it("fails everything that is asked of a worker that has died, and says so once", async () => {
    const { worker, port, clock, deaths } = handle(mute);
    const asked = worker.ask<"close">({ type: "close" });
    port.die("out of memory");
    port.die("again");
    const error = await assertRejects(() => asked, Error, "Worker 3 died: out of memory");
    assertEquals(error.cause instanceof Error && error.cause.message, "out of memory");
    await assertRejects(
      () => worker.ask<"close">({ type: "close" }),
      Error,
      "Worker 3 died: out of memory",
    );
    worker.tell({ type: "stop", drain: false });
    assertEquals([port.heard, deaths.length, clock.waiting], [["close"], 1, 0]);
  });

  it("takes a worker for dead that is silent while it is watched, and says the remedy", async () => {
    const { worker, clock, deaths, port } = handle(mute);
    await worker.ready;
    worker.watch(1000, "do this");
    clock.pass(999);
    assertEquals([deaths, port.heard], [[], ["ping", "ping", "ping", "ping"]]);
    clock.pass(1);
    assertEquals(deaths.length, 1);
    assertMatch(deaths[0] ?? "", /^3: Worker 3 has not answered for 1000 ms: .* handler; do this$/);
    assertEquals(clock.waiting, 0);
  });

  it("lets a worker live that answers", async () => {
    const { worker, clock, deaths } = handle((port, { type }) => {
      if (type === "ping") port.say({ type: "pong" });
      return true;
    });
    await worker.ready;
    worker.watch(1000);
    clock.pass(60_000);
    assertEquals(deaths, []);
    worker.terminate();
    assertEquals(clock.waiting, 0);
  });

  it("takes whatever a worker says for a sign of life, and asks no more once it is ended", async () => {
    const { worker, port, clock, deaths } = handle(mute);
    await worker.ready;
    worker.watch(1000);
    for (const message of [{ type: "pong" }, { type: "ended" }] as const) {
      clock.pass(999);
      port.say(message);
    }
    clock.pass(999);
    assertEquals(deaths, []);
    worker.terminate();
    clock.pass(5000);
    assertEquals([deaths, clock.waiting], [[], 0]);
  });

  it("does not blame a worker when the supervisor itself was held up", async () => {
    const { worker, clock, deaths } = handle(mute);
    await worker.ready;
    worker.watch(1000);
    clock.heldUpMs = 5000;
    clock.pass(250);
    assertEquals(deaths, []);
    clock.pass(999);
    assertEquals(deaths, []);
    clock.pass(1);
    assertEquals(deaths.length, 1);
  });

  it("ends the worker when asked to, which is no death", async () => {
    const { worker, port, deaths, clock } = handle(mute);
    const asked = worker.ask<"close">({ type: "close" });
    worker.terminate();
    await assertRejects(() => asked, Error, "Worker 3 was ended");
    assertStrictEquals(port.terminated, true);
    assertEquals([deaths, clock.waiting], [[], 0]);
  });
});
