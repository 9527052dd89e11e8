import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  headOf,
  type Lane,
  PutLanes,
  REQUEST_BYTES_TARGET,
  REQUEST_RECORDS_MAX,
} from "../../../connectors/kinesis/put_batch.ts";
import { seededRandom } from "../../../runtime/random.ts";

const entry = (partitionKey: string, value: unknown, bytes = 10) => ({
  data: new Uint8Array(0),
  partitionKey,
  explicitHashKey: undefined,
  bytes,
  value,
  origin: "",
});
const values = (lanes: readonly Lane[]) => lanes.map((lane) => headOf(lane).value);

describe("PutLanes", () => {
  it("puts one record of a key at a time, the others behind it", () => {
    const lanes = new PutLanes("key");
    for (const [index, key] of ["a", "a", "b", "a", "c"].entries()) lanes.add(entry(key, index));
    const first = lanes.take();
    assertEquals(values(first), [0, 2, 4]);
    assertEquals(lanes.take(), []);
    for (const lane of first) lanes.confirm(lane);
    const second = lanes.take();
    assertEquals(values(second), [1]);
    second.forEach((lane) => lanes.confirm(lane));
    assertEquals(values(lanes.take()), [3]);
  });

  it("puts a failed record again before later ones of its key", () => {
    const lanes = new PutLanes("key");
    lanes.add(entry("a", "first"));
    lanes.add(entry("a", "second"));
    const [lane] = lanes.take();
    assert(lane !== undefined);
    lanes.add(entry("a", "third"));
    assertEquals(lanes.ready, 0);
    lanes.retry(lane);
    assertEquals(values(lanes.take()), ["first"]);
  });

  it("fills requests up to the service's number of records", () => {
    const lanes = new PutLanes("key");
    for (let index = 0; index < REQUEST_RECORDS_MAX + 3; index++) {
      lanes.add(entry(`${index}`, index));
    }
    assert(lanes.full);
    assertEquals(lanes.take().length, REQUEST_RECORDS_MAX);
    assert(!lanes.full);
    assertEquals(lanes.take().length, 3);
  });

  it("fills requests up to their bytes, and lets a larger record go alone", () => {
    const lanes = new PutLanes("none");
    const half = REQUEST_BYTES_TARGET / 2;
    for (const bytes of [half, half, 1, REQUEST_BYTES_TARGET * 2, 1]) {
      lanes.add(entry("a", bytes, bytes));
    }
    const requests = Array.from({ length: 4 }, () => values(lanes.take()));
    assertEquals(requests, [[half, half], [1], [REQUEST_BYTES_TARGET * 2], [1]]);
  });

  it("fills requests from one key when no order is asked for", () => {
    const lanes = new PutLanes("none");
    for (let index = 0; index < 4; index++) lanes.add(entry("a", index));
    assertEquals(values(lanes.take()), [0, 1, 2, 3]);
  });

  it("lets a suspect record go alone", () => {
    const lanes = new PutLanes("key");
    for (const key of ["a", "b", "c"]) lanes.add(entry(key, key));
    for (const lane of lanes.take()) {
      lane.alone = lane.key !== "c";
      lanes.retry(lane);
    }
    assertEquals(Array.from({ length: 3 }, () => values(lanes.take())), [["a"], ["b"], ["c"]]);
  });

  it("counts what is not confirmed and forgets keys that are done", () => {
    const lanes = new PutLanes("key");
    lanes.add(entry("a", 0, 7));
    lanes.add(entry("a", 1, 5));
    const [lane] = lanes.take();
    assert(lane !== undefined);
    assertEquals([lanes.records, lanes.bytes], [2, 12]);
    lanes.confirm(lane);
    assertEquals([lanes.records, lanes.bytes, lanes.ready], [1, 5, 1]);
    lanes.take().forEach((taken) => lanes.confirm(taken));
    assertEquals([lanes.records, lanes.bytes, lanes.ready], [0, 0, 0]);
    lanes.add(entry("a", 2));
    assertEquals(values(lanes.take()), [2]);
  });

  it("keeps the order of every key under any pattern of failures, and loses nothing", () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = seededRandom(seed);
      const lanes = new PutLanes("key");
      const written = new Map<string, unknown[]>();
      const underWay: Lane[][] = [];
      let added = 0;
      while (added < 3000 || lanes.records > 0) {
        for (let more = random() * 200; more > 0 && added < 3000; more--) {
          lanes.add(entry(`key-${Math.floor(random() ** 2 * 700)}`, added++));
        }
        const taken = lanes.take();
        assertEquals(new Set(taken.map(({ key }) => key)).size, taken.length);
        if (taken.length > 0) underWay.push(taken);
        if (underWay.length > 4 || added === 3000) {
          // Requests are answered in any order.
          const [answered = []] = underWay.splice(Math.floor(random() * underWay.length), 1);
          for (const lane of answered) {
            const { partitionKey, value } = headOf(lane);
            if (random() < 0.3) {
              lanes.retry(lane);
              continue;
            }
            written.set(partitionKey, [...written.get(partitionKey) ?? [], value]);
            lanes.confirm(lane);
          }
        }
      }
      const all = [...written.values()];
      assertEquals(all.flat().length, 3000);
      for (const row of all) assertEquals(row, row.toSorted((a, b) => Number(a) - Number(b)));
    }
  });
});
