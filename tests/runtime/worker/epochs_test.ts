import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SinkWriter } from "../../../connectors/sink.ts";
import { SinkPort } from "../../../runtime/worker/sink_port.ts";
import { Epochs } from "../../../runtime/worker/epochs.ts";
import { turns } from "../../connectors/event_loop.ts";
import { stagePart } from "../checkpoint/stage_parts.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

/** The epochs of a worker with one stage, `in`, and a sink of dead letters. */
function epochs(commit: (epoch: number) => Promise<void> = () => Promise.resolve()) {
  const clock = new HandClock();
  const log: string[] = [];
  const failures = new RecordedFailures();
  const writer: SinkWriter<unknown> = {
    write: ({ values, length }) => void log.push(`letters ${values.slice(0, length)}`),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    pending: () => 0,
    prepare: (epoch) => Promise.resolve(`letters of ${epoch}`),
    commit: (epoch) => {
      log.push(`commit ${epoch}`);
      return commit(epoch);
    },
  };
  const deadLetters = new SinkPort({
    name: "letters",
    writer,
    failed: (error) => failures.fatal(error),
    written: (epoch, sink, prepared) => of.written(epoch, sink, prepared),
  });
  const of: Epochs = new Epochs({
    stages: ["in"],
    sinks: [],
    deadLetters,
    clock,
    failed: (error) => failures.fatal(error),
    tell(message) {
      if (message.type === "snapshot") {
        const { epoch, sinks } = message.snapshot;
        log.push(`snapshot ${epoch} ${JSON.stringify(sinks)}`);
      } else if (message.type === "declined") log.push(`declined ${message.epoch}`);
    },
  });
  const settle = async () => {
    await turns(1);
    clock.runDeferred();
    await turns(1);
  };
  return { of, log, failures, deadLetters, settle };
}

describe("Epochs", () => {
  it("has one snapshot of an epoch, whoever asks first, and tells the host when it is whole", async () => {
    const { of, log, deadLetters, settle } = epochs();
    const first = of.of(1);
    assertEquals(of.of(1) === first, true);
    assertEquals(of.lacking("in"), [first]);
    deadLetters.next("bad", cursorAt(1));
    first.source([], stagePart("in"));
    await settle();
    assertEquals(log, ["letters bad", 'snapshot 1 {"letters":"letters of 1"}']);
    assertEquals(of.lacking("in"), []);
  });

  it("hands a snapshot that is begun for somebody to them, and not to the host", async () => {
    const { of, log, settle } = epochs();
    const handed: number[] = [];
    of.begin(3, ({ epoch }) => handed.push(epoch), () => {}).source([], stagePart("in"));
    await settle();
    assertEquals([handed, log], [[3], []]);
  });

  it("commits sinks, and forgets the epoch and those before it", async () => {
    const { of, log, settle } = epochs();
    const aborted = of.of(1);
    of.aborted(1);
    // Its barrier may still come to stages.
    assertEquals(of.of(1) === aborted, true);
    of.of(2).source([], stagePart("in"));
    const next = of.of(3);
    await settle();
    of.committed(2);
    await of.commits;
    assertEquals(log.slice(-1), ["commit 2"]);
    assertEquals(of.lacking("in"), [next]);
  });

  it("fails when a sink can't commit", async () => {
    const { of, failures } = epochs(() => Promise.reject(new Error("disk full")));
    of.committed(1);
    await of.commits;
    assertEquals(failures.failed.map((line) => line.includes("disk full")), [true]);
  });
});
