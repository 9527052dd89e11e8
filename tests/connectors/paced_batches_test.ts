import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { aborted, pacedBatches } from "../../connectors/paced_batches.ts";
import type { ReadContext } from "../../connectors/source.ts";
import { connectorContext } from "./connector_context.ts";
import { turns } from "./event_loop.ts";
import { jumpingClock } from "./kinesis/jumping_clock.ts";

const batch = {
  length: 0,
  bytes: 0,
  position: "",
  valueAt: () => 0,
  positionAt: () => "",
  timestampAt: () => 0,
};

/** A context whose grants are handed out by `grant`. */
function handContext() {
  const waiting: (() => void)[] = [];
  const closing = new AbortController();
  const context: ReadContext = {
    ...connectorContext(jumpingClock()),
    signal: closing.signal,
    demand: { next: () => new Promise((resolve) => waiting.push(resolve)) },
  };
  return { context, closing, grant: () => waiting.shift()?.() };
}

describe("pacedBatches()", () => {
  it("frees what the generator holds when unsubscribed while no grant comes", async () => {
    const { context, grant } = handContext();
    let freed = 0;
    const subscription = pacedBatches(context, async function* () {
      try {
        while (true) yield await Promise.resolve(batch);
      } finally {
        freed++;
      }
    }).subscribe();
    grant();
    await turns(3);
    assertEquals(freed, 0);
    subscription.unsubscribe();
    await turns(3);
    assertEquals(freed, 1);
  });

  it("frees what the generator holds when unsubscribed while it waits", async () => {
    for (const how of ["unsubscribe", "abort"]) {
      const { context, closing, grant } = handContext();
      let freed = 0;
      const ends: unknown[] = [];
      const subscription = pacedBatches(context, async function* (signal) {
        try {
          yield batch;
          await aborted(signal);
        } finally {
          freed++;
        }
      }).subscribe({ complete: () => ends.push("completed"), error: (error) => ends.push(error) });
      grant();
      await turns(3);
      grant();
      await turns(3);
      assertEquals(freed, 0);
      if (how === "abort") closing.abort();
      else subscription.unsubscribe();
      await turns(3);
      assertEquals([freed, ends], [1, []]);
      subscription.unsubscribe();
    }
  });

  it("errors when the generator throws, but not once it must let go", async () => {
    for (const late of [false, true]) {
      const { context, closing, grant } = handContext();
      const errors: unknown[] = [];
      const failure = new Error("broken");
      const subscription = pacedBatches(context, async function* (signal) {
        yield batch;
        if (late) await aborted(signal);
        throw failure;
      }).subscribe({ error: (error) => errors.push(error) });
      grant();
      await turns(3);
      grant();
      await turns(3);
      closing.abort();
      await turns(3);
      assertEquals(errors, late ? [] : [failure]);
      subscription.unsubscribe();
    }
  });
});
