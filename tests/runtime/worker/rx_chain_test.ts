import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { OperatorFunction } from "../../../deps.ts";
import { Subject } from "../../../deps.ts";
import { RxChain } from "../../../runtime/worker/rx_chain.ts";
import { map, reduce, scan, take, withLatestFrom } from "../deps.ts";

function chainOf(...operators: OperatorFunction<never, unknown>[]) {
  const log: unknown[] = [];
  const chain = new RxChain(operators as OperatorFunction<unknown, unknown>[], {
    emit: (value) => log.push(value),
    thrown: (value, error) => log.push(`${value}: ${error}`),
    outside: (what) => log.push(`outside: ${what}`),
  });
  return { chain, log };
}

const sum = () => scan((sum: number, n: number) => sum + n, 0);
const failAt = (bad: number) =>
  map((n: number) => {
    if (n === bad) throw new RangeError("boom");
    return n;
  });

describe("RxChain", () => {
  it("runs values through its operators, which keep their memory", () => {
    const { chain, log } = chainOf(sum(), map((n: number) => `sum ${n}`));
    for (const n of [1, 2, 3]) chain.next(n);
    assertEquals(log, ["sum 1", "sum 3", "sum 6"]);
  });

  it("tells which value an operator threw for, and goes on with a new memory", () => {
    const { chain, log } = chainOf(failAt(3), sum());
    for (const n of [1, 2, 3, 4, 5]) chain.next(n);
    assertEquals(log, [1, 3, "3: RangeError: boom", 4, 9]);
  });

  it("lets operators that wait for the end emit at the end", () => {
    const { chain, log } = chainOf(reduce((sum: number, n: number) => sum + n, 0));
    for (const n of [1, 2]) chain.next(n);
    assertEquals(log, []);
    chain.complete();
    assertEquals(log, [3]);
  });

  it("takes what an operator does after the call for a failure", () => {
    const later = new Subject<number>();
    const { chain, log } = chainOf(() => later);
    chain.next(1);
    later.next(5);
    later.error(new RangeError("boom"));
    assertEquals(log, ["outside: emitted", 'outside: failed with "RangeError: boom"']);
  });

  it("emits no more once its operators have completed, or it is closed", () => {
    const first = chainOf(take(1));
    for (const n of [1, 2]) first.chain.next(n);
    assertEquals(first.log, [1]);

    const other = new Subject<number>();
    const closed = chainOf(withLatestFrom(other));
    closed.chain.close();
    closed.chain.next(1);
    assertEquals([closed.log, other.observed], [[], false]);
  });
});
