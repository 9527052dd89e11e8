import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  CONTROL_VERSION,
  type ControlAnswer,
  controlLine,
  ControlProtocolError,
  type ControlRequest,
  parseAnswer,
  parseRequest,
} from "../../../runtime/control/control_protocol.ts";

const SAVEPOINT = { id: 7, store: "a.db", kind: "savepoint", writtenBytes: 12 } as const;

describe("the control protocol", () => {
  it("reads what it has written", () => {
    const requests: readonly ControlRequest[] = [
      { type: "status" },
      { type: "savepoint" },
      { type: "stop", drain: true, savepoint: false },
      { type: "stop", drain: false, savepoint: true },
    ];
    for (const request of requests) assertEquals(parseRequest(controlLine(request)), request);
    const answers: readonly ControlAnswer[] = [
      { type: "status", job: "orders\n", state: "restarting" },
      { type: "kept", savepoint: SAVEPOINT },
      { type: "stopped", savepoint: SAVEPOINT },
      { type: "stopped", savepoint: undefined },
      { type: "failed", reason: "it is full" },
    ];
    for (const answer of answers) {
      const line = controlLine(answer);
      assertEquals(parseAnswer(line), answer);
      assertEquals(line.includes("\n"), false);
    }
  });

  const strange = [
    ["", "found nothing, expected a line of JSON"],
    ["stop", 'found "stop", expected a line of JSON'],
    ["[]", 'found "[]", expected an object'],
    ["null", 'found "null", expected an object'],
    ['{"type":"status"}', 'expected an object with "penstock"'],
    ['{"penstock":1}', "expected status"],
    ['{"penstock":1,"type":"start"}', "expected status"],
    [`{"penstock":"${CONTROL_VERSION}","type":"status"}`, 'found version "1" of the protocol'],
  ] as const;

  it("refuses what is no request", () => {
    const more = [
      ['{"penstock":1,"type":"stop"}', "expected status, savepoint or stop"],
      ['{"penstock":1,"type":"stop","drain":1,"savepoint":true}', "expected status"],
      ['{"penstock":1,"type":"stop","drain":true}', "expected status"],
    ] as const;
    for (const [line, message] of [...strange, ...more]) {
      assertThrows(() => parseRequest(line), ControlProtocolError, message);
    }
  });

  it("refuses what is no answer", () => {
    const more = [
      ['{"penstock":1,"type":"kept"}', "expected status, kept, stopped or failed"],
      ['{"penstock":1,"type":"kept","savepoint":{"id":"7"}}', "expected status"],
      ['{"penstock":1,"type":"stopped","savepoint":null}', "expected status"],
      ['{"penstock":1,"type":"failed","reason":1}', "expected status"],
      ['{"penstock":1,"type":"status","job":"a","state":"dancing"}', "expected status"],
    ] as const;
    for (const [line, message] of [...strange, ...more]) {
      assertThrows(() => parseAnswer(line), ControlProtocolError, message);
    }
  });

  it("says which Penstock to run when the other side speaks another version", () => {
    assertThrows(
      () => parseRequest('{"penstock":2,"type":"status","more":true}'),
      ControlProtocolError,
      "found version 2 of the protocol, expected 1; run the command of the Penstock that the job runs on",
    );
  });

  it("quotes no more than the beginning of what it can't read", () => {
    const error = assertThrows(() => parseRequest("x".repeat(5000)), ControlProtocolError);
    assertEquals(error.message.length < 200, true);
  });
});
