import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ENCODED_BYTES_MAX, RowOutput } from "../../../operators/json_encoder/row_output.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Writes a row of so many bytes. */
function writeRow(output: RowOutput, row: number, byte: number, count: number): void {
  output.room(count);
  output.bytes.fill(byte, output.at, output.at + count);
  output.at += count;
  output.ends[row] = output.at;
}

describe("RowOutput", () => {
  it("room() keeps what is written when it grows", () => {
    const output = new RowOutput();
    output.start(3);
    for (const [row, count] of [1, 5000, 100_000].entries()) writeRow(output, row, 97 + row, count);
    const { ends } = output;
    assertEquals(textOf(output.take()), "a" + "b".repeat(5000) + "c".repeat(100_000));
    assertEquals([...ends], [1, 5001, 105_001]);
  });

  it("take() gives bytes that are not written again, whether they fill the buffer or not", () => {
    const output = new RowOutput();
    const taken: [Uint8Array, string][] = [];
    for (const [batch, count] of [4096, 4096, 10, 3000, 5000, 5000, 7, 2_000_000, 3].entries()) {
      output.start(1);
      writeRow(output, 0, 97 + batch, count);
      taken.push([output.take(), String.fromCharCode(97 + batch).repeat(count)]);
    }
    for (const [bytes, text] of taken) assertEquals(textOf(bytes), text);
  });

  it("take() lets go of a large buffer that a small batch does not need", () => {
    const output = new RowOutput();
    output.start(1);
    output.room(8 * 1024 * 1024);
    writeRow(output, 0, 97, 10);
    output.take();
    assertEquals(output.bytes.length, 0);
  });

  it("addText() puts texts before what is written next, each with its end", () => {
    const output = new RowOutput();
    output.start(5);
    output.addText(0, "one");
    output.addText(1, "");
    output.addText(2, "three");
    writeRow(output, 3, 52, 1);
    output.addText(4, "é€");
    const { ends } = output;
    assertEquals(textOf(output.take()), "onethree4é€");
    assertEquals([...ends], [3, 3, 8, 9, 14]);
  });

  it("addText() finds the ends of texts beyond ASCII", () => {
    const output = new RowOutput();
    output.start(3);
    for (const [row, text] of ["é", "x", "😀"].entries()) output.addText(row, text);
    const { ends } = output;
    output.take();
    assertEquals([...ends], [2, 3, 7]);
  });

  it("addText() makes room for texts that have three bytes a code unit", () => {
    const output = new RowOutput();
    output.start(2);
    const text = "€".repeat(5000);
    output.addText(0, text);
    output.addText(1, text);
    assertEquals(textOf(output.take()), text + text);
  });

  it("start() forgets the texts of a batch that was given up", () => {
    const output = new RowOutput();
    output.start(1);
    output.addText(0, "given up");
    output.start(1);
    output.addText(0, "x");
    assertEquals(textOf(output.take()), "x");
  });

  it("room() throws before it makes a batch that 32 bits can't count", () => {
    const output = new RowOutput();
    output.start(1);
    assertThrows(() => output.room(ENCODED_BYTES_MAX + 1), RangeError, "write fewer rows at once");
  });
});
