import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Observable } from "../../../deps.ts";
import { ACTIVE_MAILBOXES_MAX } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { type StateSpecs, store, type ValueState } from "../../../runtime/state/state.ts";
import type { Key } from "../../../runtime/key.ts";
import type { ActorContext } from "../../../runtime/stream.ts";
import { MailboxOperator, PipeOperator } from "../../../runtime/worker/mailbox_operator.ts";
import { PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { map, reduce, scan, take } from "../deps.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedChain, RecordedFailures } from "./engine_parts.ts";

type Behavior = (
  mailbox: Observable<unknown>,
  context: ActorContext<Key, StateSpecs>,
) => Observable<unknown>;

const PASSIVATE_AFTER_MS = 1000;

function operator(behavior: Behavior) {
  const clock = new HandClock();
  const actor = new PartitionActor(0);
  const state = new KeyedState({ sum: store.value(0) }, seededRandom(1));
  const failures = new RecordedFailures();
  const chain = new RecordedChain();
  let started = 0;
  const counted: Behavior = (mailbox, context) => {
    started++;
    return behavior(mailbox, context);
  };
  const running = new MailboxOperator(
    "act",
    {
      kind: "actor",
      state: { sum: store.value(0) },
      behavior: counted,
      passivateAfterMs: PASSIVATE_AFTER_MS,
    },
    state,
    clock,
    cursorAt(7),
    failures,
  );
  return {
    clock,
    actor,
    failures,
    chain,
    running,
    started: () => started,
    row: (key: Key, value: unknown) => {
      const slot = state.enterKey(key, actor.group);
      running.row(actor, 0, slot, value, chain);
      state.leave(slot);
    },
  };
}

/** Counts in the operator's memory, and sums up in the key's state. */
const counting: Behavior = (mailbox, { key, state }) => {
  const sum = state["sum"] as ValueState<number>;
  return mailbox.pipe(
    scan((count) => count + 1, 0),
    map((count) => `${key} ${count} ${sum.value += 1}`),
  );
};

describe("MailboxOperator", () => {
  it("shows the clock's time to behaviors", () => {
    const { row, clock, chain } = operator((mailbox, context) =>
      mailbox.pipe(map(() => context.processingTime))
    );
    row("a", 1);
    clock.pass(5);
    row("a", 2);
    assertEquals(chain.outputs, [0, 5]);
  });

  it("has a mailbox for each key", () => {
    const { row, chain, started } = operator(counting);
    for (const key of ["a", "b", "a"]) row(key, 1);
    assertEquals([chain.outputs, started()], [["a 1 1", "b 1 1", "a 2 2"], 2]);
  });

  it("drops the chain of a key that is inactive, and keeps its state", () => {
    const { row, chain, clock, started } = operator(counting);
    row("a", 1);
    clock.pass(PASSIVATE_AFTER_MS - 1);
    row("b", 1);
    clock.pass(1);
    for (const key of ["a", "b"]) row(key, 1);
    assertEquals([chain.outputs.slice(2), started()], [["a 1 2", "b 2 2"], 3]);
    clock.pass(2 * PASSIVATE_AFTER_MS);
    assertEquals(clock.waiting, 0, "no timer while no key is active");
  });

  it("keeps so many active at most: the longest unused goes first", () => {
    const { row, started, clock, running } = operator(counting);
    for (let key = 0; key < ACTIVE_MAILBOXES_MAX; key++) row(key, 1);
    clock.pass(1);
    row(0, 1);
    row("one too many", 1);
    assertEquals(started(), ACTIVE_MAILBOXES_MAX + 1);
    row(0, 1);
    assertEquals(started(), ACTIVE_MAILBOXES_MAX + 1);
    row(1, 1);
    assertEquals(started(), ACTIVE_MAILBOXES_MAX + 2);
    running.close();
    assertEquals(clock.waiting, 0);
  });

  it("calls the behavior anew after its Observable has completed", () => {
    const { row, chain, started } = operator((mailbox) => mailbox.pipe(take(2)));
    for (const n of [1, 2, 3]) row("a", n);
    assertEquals([chain.outputs, started()], [[1, 2, 3], 2]);
  });

  it("takes back the state of a record that failed, drops its outputs and starts anew", () => {
    const { row, chain, failures, started } = operator((mailbox, context) =>
      counting(mailbox, context).pipe(map((out) => {
        if (`${out}`.startsWith("a 2")) throw new RangeError("boom");
        return out;
      }))
    );
    for (const n of [1, 2, 3]) row("a", n);
    assertEquals([chain.outputs, started()], [["a 1 1", "a 1 2"], 2]);
    assertEquals(failures.reasons, ["act in/s0@7: RangeError: boom"]);
    assertEquals(failures.letters[0]?.value, 2);
  });

  it("completes mailboxes at the end, so that what waits for it comes out", () => {
    const { row, chain, running, actor } = operator((mailbox, { key }) =>
      mailbox.pipe(reduce((sum, n) => sum + Number(n), 0), map((sum) => `${key} ${sum}`))
    );
    for (const [key, n] of [["a", 1], ["b", 5], ["a", 2]] as const) row(key, n);
    assertEquals(chain.outputs, []);
    running.complete(actor, chain);
    assertEquals([chain.outputs, chain.ended], [["a 3", "b 5"], true]);
  });
});

describe("PipeOperator", () => {
  it("subscribes once for all keys of an actor, and gives key, value and time", () => {
    const chain = new RecordedChain();
    const [first, second] = [new PartitionActor(0), new PartitionActor(1)];
    const running = new PipeOperator(
      "pipe",
      { kind: "pipe", operator: scan((seen: unknown[], keyed) => [...seen, keyed], []) },
      { keyAt: (slot) => "abc".charAt(slot) },
      cursorAt(7, { timestamp: 50 }),
      new RecordedFailures(),
    );
    running.row(first, 0, 0, 1, chain);
    running.row(first, 0, 1, 2, chain);
    running.row(second, 0, 2, 3, chain);
    const of = (key: string, value: number) => ({ key, value, timestamp: 50 });
    assertEquals(chain.outputs, [[of("a", 1)], [of("a", 1), of("b", 2)], [of("c", 3)]]);
    running.complete(first, chain);
    assertEquals(chain.ended, true);
  });
});
