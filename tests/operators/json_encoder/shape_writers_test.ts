import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RowOutput } from "../../../operators/json_encoder/row_output.ts";
import {
  SHAPE_GENERATIONS_MAX,
  SHAPE_ROWS_LOOKED_AT,
  SHAPE_ROWS_PER_LOOK,
  SHAPE_WRITERS_MAX,
  SHAPES_COUNTED_MAX,
  ShapeWriters,
} from "../../../operators/json_encoder/shape_writers.ts";

const output = new RowOutput();

/** Whether a row is written by code. */
function isWritten(writers: ShapeWriters, row: unknown): boolean {
  output.start(1);
  const stop = writers.write([row], 0, 1, output);
  assertEquals(new TextDecoder().decode(output.take()), stop === 1 ? JSON.stringify(row) : "");
  return stop === 1;
}

const keyed = (key: number) => ({ [`k${key}`]: key });

describe("ShapeWriters", () => {
  it("generates code after as many rows as it is told", () => {
    const writers = new ShapeWriters("", 3);
    for (let row = 0; row < 3; row++) {
      writers.look({ a: row });
      assert(!isWritten(writers, { a: row }));
    }
    writers.look({ a: 3 });
    assert(isWritten(writers, { a: 4 }));
  });

  it("never generates code for an infinite number of rows", () => {
    const writers = new ShapeWriters("", Infinity);
    for (let row = 0; row < 100; row++) writers.look({ a: row });
    assert(!isWritten(writers, { a: 1 }));
  });

  it("widens the code when rows of another kind come", () => {
    const writers = new ShapeWriters("", 0);
    writers.look({ a: 1 });
    assert(!isWritten(writers, { a: "x" }));
    writers.look({ a: "x" });
    assert(isWritten(writers, { a: "x" }) && isWritten(writers, { a: 1 }));
  });

  it("writes runs of several shapes in turn", () => {
    const writers = new ShapeWriters("", 0);
    const rows = [0, 1, 2].map(keyed);
    for (const row of rows) writers.look(row);
    for (let round = 0; round < 3; round++) for (const row of rows) assert(isWritten(writers, row));
    output.start(4);
    assertEquals(writers.write([keyed(1), keyed(1), keyed(0), []], 0, 4, output), 2);
  });

  it("drops the code of the shape whose rows came the longest ago", () => {
    const writers = new ShapeWriters("", 0);
    for (let key = 0; key < SHAPE_WRITERS_MAX; key++) writers.look(keyed(key));
    for (let key = SHAPE_WRITERS_MAX - 1; key >= 0; key--) assert(isWritten(writers, keyed(key)));
    writers.look(keyed(100));
    const written = (key: number) => isWritten(writers, keyed(key));
    assertEquals([100, SHAPE_WRITERS_MAX - 1, 0].map(written), [true, false, true]);
    writers.look(keyed(SHAPE_WRITERS_MAX - 1));
    assert(written(SHAPE_WRITERS_MAX - 1));
  });

  it("counts a shape anew when too many others came in between", () => {
    const writers = new ShapeWriters("", 1);
    writers.look(keyed(0));
    for (let key = 1; key <= SHAPES_COUNTED_MAX; key++) writers.look(keyed(key));
    writers.look(keyed(0));
    assert(!isWritten(writers, keyed(0)));
    writers.look(keyed(0));
    assert(isWritten(writers, keyed(0)));
  });

  it("generates no more code for rows that are left out because their strings are long", () => {
    const writers = new ShapeWriters("", 0);
    const long = { text: "x".repeat(1000) };
    for (let row = 0; row < 2 * SHAPE_GENERATIONS_MAX; row++) {
      writers.look(long);
      assert(!isWritten(writers, long));
    }
    writers.look(keyed(0));
    assert(isWritten(writers, keyed(0)) && isWritten(writers, { text: "x" }));
  });

  it("stops generating for ever new shapes", () => {
    const writers = new ShapeWriters("", 0);
    for (let key = 0; key < SHAPE_GENERATIONS_MAX; key++) writers.look(keyed(key));
    assert(isWritten(writers, keyed(SHAPE_GENERATIONS_MAX - 1)));
    writers.look(keyed(SHAPE_GENERATIONS_MAX));
    assert(!isWritten(writers, keyed(SHAPE_GENERATIONS_MAX)));
  });

  it("still finds a shape that comes late, looking at a row now and then", () => {
    const writers = new ShapeWriters("", 0);
    for (let row = 0; row < SHAPE_ROWS_LOOKED_AT; row++) writers.look([row]);
    writers.look({ late: 1 });
    assert(!isWritten(writers, { late: 1 }));
    for (let row = 1; row < SHAPE_ROWS_PER_LOOK; row++) writers.look({ late: row });
    assert(isWritten(writers, { late: 1 }));
  });

  it("takes a proxy whose traps throw for a row without a shape", () => {
    const { proxy, revoke } = Proxy.revocable({ a: 1 }, {});
    revoke();
    const writers = new ShapeWriters("", 0);
    writers.look(proxy);
    assert(!isWritten(writers, { a: 1 }));
  });
});
