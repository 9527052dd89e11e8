import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { AsyncContext } from "../../../runtime/stream.ts";
import type { AsyncCall } from "../../../runtime/topology.ts";
import { originText } from "../../../runtime/transport/origin.ts";
import { AsyncOperator } from "../../../runtime/worker/async_operator.ts";
import { Gate, Valve } from "../../../runtime/worker/gate.ts";
import { TurnQueue } from "../../../runtime/worker/turn_queue.ts";
import { turns } from "../../connectors/event_loop.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

interface Started {
  readonly context: AsyncContext;
  readonly answer: PromiseWithResolvers<unknown>;
}

/** A mapAsync whose calls a test answers: `calls` has them as they were started, by value. */
function operator(call: Partial<AsyncCall> = {}) {
  const clock = new HandClock();
  const queue = new TurnQueue(clock, () => {});
  const failures = new RecordedFailures();
  const cursor = cursorAt(0);
  const calls: [value: unknown, started: Started][] = [];
  const log: string[] = [];
  let outside = 0;
  const downstream = new Valve(() => mapAsync.resume());
  const behind = new Gate();
  behind.join(downstream);
  const mapAsync = new AsyncOperator({
    name: "call",
    call: {
      run(value, context) {
        const answer = Promise.withResolvers<unknown>();
        calls.push([value, { context, answer }]);
        return answer.promise;
      },
      ordered: true,
      capacity: 10,
      timeoutMs: undefined,
      attempts: 1,
      retryDelayMs: 100,
      ...call,
    },
    clock,
    queue,
    failures,
    outside: { enter: () => void outside++, leave: () => void outside-- },
    cursor,
    downstream,
    handedOn() {},
  });
  const push = (...rows: number[]) => {
    for (const row of rows) {
      cursor.goTo(cursorAt(row, { key: `k${row}` }));
      mapAsync.push(row, (result) => log.push(`${result} of ${cursor.key}`), 0);
    }
  };
  const settle = async () => {
    await turns(1);
    clock.runDeferred();
  };
  const started = (index: number) => {
    const [, call] = calls[index] ?? [];
    assert(call !== undefined, `call ${index} was not started`);
    return call;
  };
  const answer = async (index: number, result: unknown) => {
    started(index).answer.resolve(result);
    await settle();
  };
  return {
    mapAsync,
    clock,
    failures,
    calls,
    log,
    behind,
    push,
    answer,
    settle,
    started,
    outside: () => outside,
    cursor,
    mark: (name: string) => mapAsync.mark(() => log.push(name)),
  };
}

describe("AsyncOperator", () => {
  it("lets results go on in order of the records, each with its own key", async () => {
    const { push, answer, log } = operator();
    push(1, 2, 3);
    await answer(1, "two");
    await answer(2, "three");
    assertEquals(log, []);
    await answer(0, "one");
    assertEquals(log, ["one of k1", "two of k2", "three of k3"]);
  });

  it("lets results go on as they come when unordered, but never over a mark", async () => {
    const { push, answer, log, mark } = operator({ ordered: false });
    mark("nothing before");
    push(1, 2);
    mark("watermark");
    push(3);
    await answer(2, "three");
    await answer(1, "two");
    assertEquals(log, ["nothing before", "two of k2"]);
    await answer(0, "one");
    assertEquals(log.slice(2), ["one of k1", "watermark", "three of k3"]);
  });

  it("calls at most as often at once as its capacity, and closes its gate meanwhile", async () => {
    const { mapAsync, push, answer, calls } = operator({ capacity: 2 });
    push(1);
    assertEquals(mapAsync.gate.closed, false);
    push(2, 3);
    assertEquals([mapAsync.gate.closed, calls.length], [true, 2]);
    await answer(0, "one");
    assertEquals([mapAsync.gate.closed, calls.length], [true, 3]);
    await answer(1, "two");
    assertEquals([mapAsync.gate.closed, calls.length], [false, 3]);
  });

  it("holds results back while what comes after is full", async () => {
    const { push, answer, log, behind, settle } = operator();
    behind.set(true);
    push(1);
    await answer(0, "one");
    assertEquals(log, []);
    behind.set(false);
    await settle();
    assertEquals(log, ["one of k1"]);
  });

  it("makes a dead letter of a call that fails, at once or later, and goes on", async () => {
    const { push, failures, log, started, answer } = operator();
    push(1, 2);
    started(0).answer.reject(new RangeError("boom"));
    await answer(1, "two");
    assertEquals([failures.reasons, log], [["call in/s0@1: RangeError: boom"], ["two of k2"]]);

    const throwing = operator({
      run() {
        throw new Error("at once");
      },
    });
    throwing.push(1);
    await throwing.settle();
    assertEquals(throwing.failures.reasons, ["call in/s0@1: Error: at once"]);
  });

  it("tries again so often, waiting twice as long each time", async () => {
    const { push, clock, calls, started, settle, failures, outside } = operator({ attempts: 3 });
    push(1);
    for (const [attempt, waitMs] of [[1, 100], [2, 200]] as const) {
      assertEquals([started(attempt - 1).context.attempt, outside()], [attempt, 1]);
      started(attempt - 1).answer.reject(new Error(`attempt ${attempt}`));
      await settle();
      assertEquals(outside(), 0);
      clock.pass(waitMs - 1);
      await settle();
      assertEquals(calls.length, attempt);
      clock.pass(1);
      await settle();
    }
    started(2).answer.reject(new Error("attempt 3"));
    await settle();
    assertEquals([calls.length, failures.reasons], [3, ["call in/s0@1: Error: attempt 3"]]);
  });

  it("fails a call that takes too long with its retries, tells it so, and takes no late answer", async () => {
    const { push, clock, calls, started, settle, failures, log, answer } = operator({
      timeoutMs: 150,
      attempts: 5,
    });
    push(1);
    started(0).answer.reject(new Error("first"));
    await settle();
    clock.pass(100);
    await settle();
    clock.pass(50);
    await settle();
    assertEquals(started(1).context.signal.aborted, true);
    await answer(1, "late");
    clock.pass(10_000);
    await settle();
    assertEquals(failures.reasons, ["call in/s0@1: TimeoutError: No answer within 150 ms"]);
    assertEquals([calls.length, log, clock.waiting], [2, [], 0]);
  });

  it("calls no more when it times out between two attempts", async () => {
    const { push, clock, calls, started, settle } = operator({ timeoutMs: 50, attempts: 5 });
    push(1);
    started(0).answer.reject(new Error("first"));
    await settle();
    clock.pass(50);
    await settle();
    clock.pass(10_000);
    await settle();
    assertEquals(calls.length, 1);
  });

  it("counts a call as waiting for the outside, but not while it waits for the clock", async () => {
    const { push, clock, started, settle, outside, answer } = operator();
    push(1);
    assertEquals(outside(), 1);
    const { context } = started(0);
    const delayed = Promise.all([context.delay(100), context.delay("1s")]);
    assertEquals(outside(), 0);
    clock.pass(100);
    await settle();
    assertEquals(outside(), 0);
    clock.pass(900);
    await delayed;
    assertEquals(outside(), 1);
    await answer(0, "done");
    assertEquals(outside(), 0);
  });

  it("ends all calls when it closes, and leaves no timer behind", async () => {
    const { mapAsync, push, started, clock, log, failures, answer } = operator({ timeoutMs: 1000 });
    push(1);
    mapAsync.close();
    assertEquals([started(0).context.signal.aborted, clock.waiting], [true, 0]);
    await answer(0, "late");
    assertEquals([log, failures.letters], [[], []]);
  });

  it("tells of the records whose results have not gone on, in order, and calls for them again", async () => {
    for (const ordered of [true, false]) {
      const before = operator({ ordered, capacity: 2 });
      before.push(1, 2, 3);
      before.mark("watermark");
      before.push(4);
      await before.answer(1, "two");
      const pending = before.mapAsync.snapshot();
      assertEquals(pending.map(({ value }) => value), ordered ? [1, 2, 3, 4] : [1, 3, 4]);
      assertEquals(pending[0], {
        operator: "call",
        owner: 0,
        value: 1,
        timestamp: -Infinity,
        shard: "in/s0",
        position: "1",
        sub: 0,
        key: "k1",
        bytes: 10,
      });

      const { mapAsync, calls, log, answer, failures, started, cursor } = operator({ ordered });
      const seen: string[] = [];
      for (const call of structuredClone(pending)) {
        mapAsync.pushAgain(call, (result) => {
          log.push(`${result} of ${cursor.key}`);
          seen.push(originText(cursor.origin, cursor.row));
        });
      }
      assertEquals(calls.map(([value]) => value), pending.map(({ value }) => value));
      assertEquals(mapAsync.snapshot(), pending, "until they have gone on they stay so");
      await answer(0, "one again");
      assertEquals([log, seen], [["one again of k1"], ["in/s0@1"]]);
      started(1).answer.reject(new Error("boom"));
      await answer(2, "late");
      assertEquals(failures.reasons, [`call in/s0@${pending[1]?.value}: Error: boom`]);
    }
  });

  it("counts records that it is given again towards its capacity", () => {
    const { mapAsync, calls, push } = operator({ capacity: 2 });
    push(1, 2);
    const pending = mapAsync.snapshot();
    const again = operator({ capacity: 1 });
    for (const call of pending) again.mapAsync.pushAgain(call, () => {});
    assertEquals([again.calls.length, again.mapAsync.gate.closed, calls.length], [1, true, 2]);
  });
});
