import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { memory } from "../../../connectors/memory/memory.ts";
import { defineJob } from "../../../runtime/job.ts";
import { store } from "../../../runtime/state/state.ts";
import { plantedBugs } from "../../../runtime/testing/planted_bugs.ts";
import { simulate, SimulationError } from "../../../runtime/testing/simulate.ts";

/** Sums by customer; `seen` is what a mistake would be: something outside of state. */
function totals(seen?: Map<string, number>) {
  return defineJob({
    name: "totals",
    sources: { orders: memory.source<{ id: string; total: number }>([]) },
    sinks: { totals: memory.sink<string>() },
    build({ orders }, { totals }) {
      orders.keyBy(({ id }) => id).process("sum", {
        state: { sum: store.value(0) },
        onEvent({ total }, { key, state }) {
          state.sum.value += total;
          seen?.set(key, (seen.get(key) ?? 0) + total);
          return [`${key} ${seen?.get(key) ?? state.sum.value}`];
        },
      }).to(totals);
    },
  });
}

const orders = Array.from({ length: 60 }, (_, n) => ({ id: `c${n % 7}`, total: n }));

describe("simulate()", () => {
  afterEach(() => plantedBugs.clear());

  it("finds nothing in a job that keeps what it knows in state", async () => {
    const { seeds, checkpoints } = await simulate(totals(), { seeds: 15, inputs: { orders } });
    assertEquals(seeds, 15);
    assert(checkpoints > 0);
  });

  it("finds state that is kept elsewhere, says where, and finds it again", async () => {
    const options = { seeds: 50, inputs: { orders } };
    const error = await assertRejects(
      () => simulate(totals(new Map()), options),
      SimulationError,
      'Job "totals" fails in the simulator',
    );
    assert(error.message.includes(`{ seeds: 1, seed: ${error.seed} }`));
    assert(error.trace.length > 0);
  });

  it("finds mistakes of the engine", async () => {
    plantedBugs.add("dirty key missed");
    const options = { seeds: 100, inputs: { orders } };
    const { seed, message } = await assertRejects(
      () => simulate(totals(), options),
      SimulationError,
    );
    const again = await assertRejects(
      () => simulate(totals(), { seeds: 1, seed, inputs: { orders } }),
      SimulationError,
    );
    assertEquals(again.message, message);
  });

  it("lets a job say itself what must hold", async () => {
    await assertRejects(
      () =>
        simulate(totals(), {
          ...{ seeds: 1, inputs: { orders } },
          check: ({ totals = [] }) => totals.length === orders.length ? "as it should" : undefined,
        }),
      SimulationError,
      "as it should",
    );
  });

  it("refuses no seeds, no workers, and inputs for no source", async () => {
    await assertRejects(() => simulate(totals(), { seeds: 0 }), RangeError, "seeds 0");
    await assertRejects(
      () => simulate(totals(), { seeds: 1, workersMax: 0 }),
      RangeError,
      "workersMax 0",
    );
    const inputs = { other: [] } as Record<string, never[]>;
    await assertRejects(() => simulate(totals(), { seeds: 1, inputs }), RangeError, '"other"');
  });
});
