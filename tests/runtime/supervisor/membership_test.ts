import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Membership } from "../../../runtime/supervisor/membership.ts";
import { WorkerHandle } from "../../../runtime/supervisor/worker_handle.ts";
import { stagePart } from "../checkpoint/stage_parts.ts";
import { HandClock } from "../hand_clock.ts";
import { FakeHost, PLAN, type Script, SETTINGS } from "./fake_workers.ts";

const STAGE = stagePart("in", { watermark: 5 });

/** Workers that pass each barrier, and answer everything; what is said of changes is written down. */
function members(
  { script = () => {}, routing = [0, 0], shards = () => 0 }: {
    script?: Script;
    routing?: readonly number[];
    shards?: (worker: number) => number;
  } = {},
) {
  const log: string[] = [];
  const clock = new HandClock();
  const state = { open: true };
  const host = new FakeHost((worker, message) => {
    if (script(worker, message)) return true;
    if (message.type === "join") {
      const { epoch } = message;
      queueMicrotask(() => worker.say({ type: "joined", epoch, stages: [STAGE] }));
      return true;
    }
    if (message.type !== "request") return;
    if (!["prepare", "connect", "leave"].includes(message.request.type)) return;
    worker.reply(message.id, message.request.type === "leave" ? true : undefined);
    return true;
  });
  const spawn = (worker: number): WorkerHandle =>
    new WorkerHandle(worker, host.spawn(worker), clock, {
      notice(from, notice) {
        if (notice.type === "joined") membership.passed(from, notice.epoch, notice.stages);
      },
      died(from, error) {
        if (membership.isSpare(from)) membership.spareDied();
        else log.push(error.message);
      },
    });
  const handles = [spawn(0)];
  const membership: Membership = new Membership({
    ...{ host, settings: SETTINGS, slots: 3, checkpoints: false, handles, spawn },
    tellAll: (command) => handles.forEach((handle) => handle.tell(command)),
    isOpen: () => state.open,
    routing: () => routing,
    shardsOf: shards,
    letGo: () => Promise.resolve(),
    readOn: (workers) => log.push(`read on ${workers}`),
    joined: ({ worker }) => log.push(`${worker} joined`),
    left: (worker) => log.push(`${worker} left`),
    failed: (error) => log.push(`failed: ${error.message}`),
  });
  membership.begin(PLAN);
  let epoch = 0;
  return { membership, host, handles, log, state, grow: () => membership.grow(() => ++epoch) };
}

describe("Membership", () => {
  it("adds the spare at a barrier, opened as the stages were there, and makes another", async () => {
    const { host, handles, log, grow } = members();
    assertEquals(await grow(), true);
    assertEquals([handles.length, log], [2, ["1 joined", "read on 2"]]);
    const [first, second, spare] = host.spawned;
    assertEquals(first?.heard, ["connect", "join"]);
    assertEquals(second?.heard, ["describe", "prepare", "open"]);
    assertEquals([spare?.worker, spare?.heard], [2, ["describe"]]);
    const open = second?.posted.at(-1);
    const request = open?.type === "request" && open.request.type === "open"
      ? open.request
      : undefined;
    assertEquals(request?.placement, {
      ...{ worker: 1, workers: 2, slots: 3, routing: [0, 0], shards: {} },
    });
    assertEquals([request?.links, request?.restored?.stages["in"]?.watermark], [["b"], 5]);
  });

  it("adds no more than there may be", async () => {
    const { grow } = members();
    await grow();
    await grow();
    await assertRejects(grow, RangeError, "Cannot add worker 3: the job was started for at most 3");
  });

  it("lets the last go when all it has written has arrived, and the others know", async () => {
    const { membership, host, handles, log, grow } = members();
    await grow();
    assertEquals(await membership.shrink(), true);
    assertEquals([handles.length, log.slice(2)], [1, ["read on 1", "1 left"]]);
    const [first, second, third] = host.spawned;
    assertEquals(first?.heard.at(-1), "left");
    assertEquals([second?.heard.slice(3), second?.terminated], [["leave", "close"], true]);
    // The spare had the number behind it: the next one has its own.
    assertEquals([third?.terminated, host.spawned.at(-1)?.worker], [true, 1]);
  });

  it("keeps one that has key groups or shards, and the last of all", async () => {
    const one = members();
    await assertRejects(() => one.membership.shrink(), RangeError, "Cannot let worker 0 of 1 go");
    const groups = members({ routing: [0, 1] });
    await groups.grow();
    await assertRejects(
      () => groups.membership.shrink(),
      RangeError,
      "it has 1 key groups and 0 shards",
    );
    const shards = members({ shards: () => 1 });
    await shards.grow();
    await assertRejects(() => shards.membership.shrink(), RangeError, "0 key groups and 1 shards");
  });

  it("keeps one whose rows wait for a checkpoint", async () => {
    const { membership, handles, log, grow } = members({
      script: (worker, message) => {
        if (message.type !== "request" || message.request.type !== "leave") return;
        worker.reply(message.id, false);
        return true;
      },
    });
    await grow();
    assertEquals([await membership.shrink(), handles.length], [false, 2]);
    assertEquals(log.slice(2), ["read on 1", "read on 2"]);
  });

  it("changes nothing once the job is being stopped", async () => {
    const { state, host, grow, log } = members();
    state.open = false;
    assertEquals([await grow(), log, host.spawned[0]?.heard], [false, [], []]);
  });

  it("makes another spare when the first dies, and fails when it dies behind the barrier", async () => {
    const { host, log, grow } = members({
      script: (worker, message) => {
        if (message.type !== "request" || message.request.type !== "open") return;
        worker.die("no memory");
        return true;
      },
    });
    host.spawned[1]?.die("at once");
    await assertRejects(grow, Error, "Worker 1 died: no memory");
    assertEquals(log, ["failed: Worker 1 died: no memory"]);
    assertEquals(host.spawned.length, 3);
  });

  it("has one change at a time", async () => {
    const { membership, grow } = members();
    const first = grow();
    await assertRejects(grow, Error, "Cannot change the workers: one is preparing already");
    assertEquals(await first, true);
    await membership.settled;
  });
});
