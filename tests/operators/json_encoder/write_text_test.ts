import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { TEXT_BYTES_PER_UNIT_MAX, writeText } from "../../../operators/json_encoder/write_text.ts";

function assertWritten(text: string): void {
  const bytes = new Uint8Array(TEXT_BYTES_PER_UNIT_MAX * text.length);
  const end = writeText(bytes, 0, text);
  const expected = new TextEncoder().encode(JSON.stringify(text).slice(1, -1));
  assertEquals(bytes.subarray(0, end), expected);
}

describe("writeText()", () => {
  it("writes every UTF-16 code unit as JSON.stringify does, lone surrogates too", () => {
    for (let unit = 0; unit < 0x10000; unit += unit < 0x900 || unit >= 0xd700 ? 1 : 37) {
      assertWritten(String.fromCharCode(unit));
    }
  });

  it("writes pairs of surrogates, and halves in the wrong order", () => {
    for (const text of ["😀", "\u{10000}", "\u{10ffff}", "\ude00\ud83d", "\ud83d\ud83d\ude00"]) {
      for (const around of [text, `a${text}`, `${text}a`, `a${text}\ud83d`]) assertWritten(around);
    }
  });

  it("writes a special character at every place", () => {
    for (const special of ['"', "\\", "\0", "é", "€", "😀", "\ud800"]) {
      for (let place = 0; place < 20; place++) {
        assertWritten("x".repeat(place) + special + "y".repeat(19 - place));
      }
    }
  });

  it("needs no more room than it says", () => {
    for (const text of ["\0", "\ud800", "\u{10ffff}", "\uffff"]) assertWritten(text.repeat(200));
  });

  it("writes strings that are not flat", () => {
    const joined = ["booking-0123456789", "hotel-0123456789"].reduce((text, part) => text + part);
    assertWritten(joined);
    assertWritten(joined.slice(3));
  });
});
