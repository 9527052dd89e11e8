import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { CheckpointMissingError, type CheckpointStore } from "../../../runtime/checkpoint/store.ts";
import { UsageError } from "../../../runtime/cli/arguments.ts";
import { inspectUnderConsole } from "../../../runtime/cli/inspect_command.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { JobDriver } from "../../../runtime/testing/job_driver.ts";
import { PrintedLines, startKeptJob } from "./kept_job.ts";

const around = { clock: systemClock, random: seededRandom(1) };

describe("inspectUnderConsole()", () => {
  let store: CheckpointStore;
  let driver: JobDriver;
  let savepoint: number;

  const inspect = async (
    { job, id, key, json = false }: { job?: string; id?: number; key?: string; json?: boolean },
  ) => {
    const printed = new PrintedLines();
    const command = { kind: "inspect" as const, store, aws: {}, job, id, key, json };
    const code = await inspectUnderConsole(command, printed, around);
    return { code, text: printed.lines.join("\n") };
  };

  beforeEach(async () => {
    store = memoryStore("kept");
    const started = await startKeptJob(store);
    driver = started.driver;
    savepoint = await driver.savepoint();
    started.orders.push("b", { value: { customer: "ann", amount: 1000 } });
    await driver.settle();
    await driver.checkpoint();
  });
  afterEach(async () => void await driver.stop());

  it("shows operators with their states, keys and timers, positions and sinks", async () => {
    const { code, text } = await inspect({ id: savepoint });
    assertEquals(code, 0);
    assertEquals(
      text.split("\n")[0]?.replace(/[\d,]+ bytes$/, ""),
      [
        `savepoint ${savepoint} of job "orders", made 1970-01-01T00:00:00Z, `,
      ][0],
    );
    const operators = text.split("\n\n")[1] ?? "";
    assertEquals(
      operators.replaceAll(/[\d,]+ bytes/g, "N bytes").replaceAll(/\d chunks? in \d/g, "C in G")
        .split("\n"),
      [
        "Operators",
        "  totals  keyed  3 keys, N bytes, 3 timers, C in G key groups",
        "    state  sum   value of number  version 2",
        "    state  seen  list             version 1",
        "    state  by    map              version 1",
        "  limited  keyed  1 key, N bytes, 0 timers, C in G key group",
        "    state  last  value  version 1",
        "    broadcast  limits  map  version 1",
        "      Map(1) { 'most' => 7 }",
      ],
    );
    assertStringIncludes(text, "\n\nSources\n  orders  scripted  ");
    assertStringIncludes(text, "\n    a  1\n    b  1\n");
    assertStringIncludes(text, "\n\nSinks\n  out  memory");
  });

  it("gives the same as JSON, of the one that a start goes on from unless said", async () => {
    const { text } = await inspect({ json: true });
    const { id, kind, operators, sources } = JSON.parse(text);
    assertEquals([id, kind], [savepoint + 1, "checkpoint"]);
    const limited = operators.find(({ name }: { name: string }) => name === "limited");
    assertEquals(limited.broadcastContent, { limits: [["most", 7]] });
    const orders = sources.find(({ name }: { name: string }) => name === "orders");
    assertEquals(orders.shards.map(({ position }: { position: string }) => position), ["1", "2"]);
  });

  it("shows what each operator has of a key", async () => {
    const { code, text } = await inspect({ key: "ann", id: savepoint });
    assertEquals(code, 0);
    assertEquals(text.replaceAll(/group \d+/g, "group G").split("\n"), [
      'totals, key "ann" in key group G',
      "  sum  210",
      "  seen  [ 60, 150 ]",
      "  by  Map(1) { 'large' => 150 }",
      '  timer "forget" at 60000 of event time',
      "",
      'limited, key "ann" in key group G',
      "  last  150",
    ]);
    const later = await inspect({ key: "ann" });
    assertStringIncludes(later.text, "  seen  [ 60, 150, 1000 ]");
  });

  it("finds numbers and strings of the same form", async () => {
    const { text } = await inspect({ key: "5", json: true });
    const keys = JSON.parse(text).map(({ key, state }: { key: unknown; state: unknown }) => [
      key,
      state,
    ]);
    assertEquals(keys.length, 2);
    assertEquals(
      new Map(keys),
      new Map<unknown, unknown>([
        [5, { sum: 20, seen: [20] }],
        ["5", { sum: 1, seen: [1] }],
      ]),
    );
  });

  it("exits with 1 for a key that nobody has", async () => {
    assertEquals(await inspect({ key: "bob", id: savepoint }), {
      code: 1,
      text:
        `error Cannot show key "bob": no operator has it in savepoint ${savepoint} of job "orders"`,
    });
  });

  it("says which checkpoints there are when there is none of that number", async () => {
    await assertRejects(() => inspect({ id: 99 }), CheckpointMissingError, "there are 1, 2, 3");
  });

  it("wants a name where there are several jobs, and none where there is none", async () => {
    const open = await store.open({
      ...{ ...around, aws: {}, job: "other", partsOf: () => [] },
      logger: { debug() {}, info() {}, warn() {}, error() {}, critical() {} },
      signal: new AbortController().signal,
    });
    await open.write({ id: 1, manifest: new Uint8Array(1), parts: [] });
    await assertRejects(() => inspect({}), UsageError, 'there are jobs "orders", "other"');
    assertEquals((await inspect({ job: "orders" })).code, 0);
    store = memoryStore("empty");
    await assertRejects(() => inspect({}), Error, "there are no checkpoints in it");
  });
});
