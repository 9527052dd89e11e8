import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SinkContext } from "../../../connectors/sink.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { transactionalSink } from "../../../runtime/testing/transactional_sink.ts";
import { HandClock } from "../hand_clock.ts";

function context(worker: number, restored: readonly unknown[] = []): SinkContext {
  return {
    ...{ clock: new HandClock(), random: seededRandom(1), logger: silentLogger, aws: {} },
    ...{ signal: new AbortController().signal, worker, restored },
    reject() {},
    fail() {},
  };
}

function batch(...values: string[]) {
  return {
    length: values.length,
    values,
    originAt: (row: number) => `origin-${values[row]}`,
    idAt: (row: number) => `id-${values[row]}`,
    timestampAt: () => 0,
  };
}

describe("transactionalSink()", () => {
  const valuesOf = (sink: { rows: readonly { value: string }[] }) =>
    sink.rows.map(({ value }) => value);

  it("shows what is committed, in the order of writing", async () => {
    const sink = transactionalSink<string>();
    const [one, two] = [await sink.open(context(0)), await sink.open(context(1))];
    one.write(batch("a"));
    two.write(batch("b"));
    one.write(batch("c"));
    await one.prepare?.(1);
    await two.prepare?.(1);
    one.write(batch("d"));
    assertEquals(sink.rows, []);
    await two.commit?.(1);
    await one.commit?.(1);
    assertEquals(valuesOf(sink), ["a", "b", "c"]);
    assertEquals(sink.rows.map(({ id, epoch }) => [id, epoch]).at(0), ["id-a", 1]);
    await one.finish?.();
    assertEquals(valuesOf(sink), ["a", "b", "c", "d"]);
  });

  it("commits what a checkpoint says was prepared, once, and forgets the rest", async () => {
    const sink = transactionalSink<string>();
    const first = await sink.open(context(0));
    first.write(batch("a"));
    const prepared = await first.prepare?.(1);
    first.write(batch("lost"));
    await first.prepare?.(2);
    const second = await sink.open(context(0, [prepared]));
    assertEquals(valuesOf(sink), ["a"]);
    await first.commit?.(2);
    await second.commit?.(2);
    assertEquals(valuesOf(sink), ["a"]);
  });
});
