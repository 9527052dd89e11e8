/**
 * The places in a job where a record can fail, each with a job around it: number 3 of six fails
 * there, as often as the test says.
 *
 * @module
 */

import { map } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import type { Sink } from "../../connectors/sink.ts";
import type { Source } from "../../connectors/source.ts";
import type { Key } from "../../runtime/key.ts";
import type { Stream } from "../../runtime/stream.ts";

/** What the jobs read. */
export const NUMBERS = [0, 1, 2, 3, 4, 5];
/** The one that fails. */
export const BAD = 3;

/** Fails on the bad number, as often as it still has to. */
export class Trouble {
  left: number;
  /** How often number 0 was read: once an attempt. */
  attempts = 0;

  constructor(times: number) {
    this.left = times;
  }

  meet(n: number): number {
    if (n === BAD && this.left-- > 0) throw new Error("three is too many");
    return n;
  }

  /** Whether the bad number is bad this time. */
  strikes(n: number): boolean {
    return n === BAD && this.left-- > 0;
  }
}

/** The part of the job that fails. */
export type Shape = (numbers: Stream<number>, trouble: Trouble) => Stream<number>;

/** A place where a record can fail. */
export interface Place {
  readonly what: string;
  readonly operator: string;
  /** Empty for a timer. */
  readonly origin: string;
  readonly reason: string;
  readonly shape: Shape;
  readonly source?: (trouble: Trouble) => Source<number>;
  readonly sink?: (rows: number[], trouble: Trouble) => Sink<number>;
}

const AT = "numbers/shard-0@3";
const THROWN = "Error: three is too many";
const KEY = "Cannot key the record: its key is";

/** Keyed by what is no key, but says that it is one. */
function badKey(key: unknown): Shape {
  return (numbers, trouble) =>
    numbers.keyBy((n) => trouble.strikes(n) ? key as Key : n).process("pass", passing);
}

const passing = { state: {}, onEvent: (n: number) => [n] };
const same: Shape = (numbers) => numbers;

/** All of them. */
export const PLACES: readonly Place[] = [
  {
    what: "an RxJS map",
    operator: "numbers/pipe",
    origin: AT,
    reason: THROWN,
    shape: (numbers, trouble) => numbers.pipe(map((n) => trouble.meet(n))),
  },
  {
    what: "a keyBy function",
    operator: "numbers/keyBy",
    origin: AT,
    reason: THROWN,
    shape: (numbers, trouble) => numbers.keyBy((n) => trouble.meet(n)).process("pass", passing),
  },
  ...([["undefined", undefined], ["NaN", NaN], ["object", {}]] as const).map(([name, key]) => ({
    what: `a key that is ${name}`,
    operator: "numbers/keyBy",
    origin: AT,
    reason: `${KEY} ${name}, expected a string or a finite number`,
    shape: badKey(key),
  })),
  {
    what: "a handler",
    operator: "meet",
    origin: AT,
    reason: THROWN,
    shape: (numbers, trouble) =>
      numbers.keyBy(() => "all").process("meet", {
        state: {},
        onEvent: (n) => [trouble.meet(n)],
      }),
  },
  {
    what: "a handler that returns no sequence",
    operator: "meet",
    origin: AT,
    reason: "TypeError: Cannot emit what the handler returned: found number, " +
      "expected nothing, an array or a sequence",
    shape: (numbers, trouble) =>
      numbers.keyBy(() => "all").process("meet", {
        state: {},
        onEvent: (n): number[] => trouble.strikes(n) ? (7 as never) : [n],
      }),
  },
  {
    what: "a generator half way",
    operator: "meet",
    origin: AT,
    reason: THROWN,
    shape: (numbers, trouble) =>
      numbers.keyBy(() => "all").process("meet", {
        state: {},
        *onEvent(n) {
          yield n;
          trouble.meet(n);
        },
      }),
  },
  {
    what: "onTimer",
    operator: "meet",
    origin: "",
    reason: THROWN,
    shape: (numbers, trouble) =>
      numbers.eventTime({ timestamp: (n) => n }).keyBy((n) => n).process("meet", {
        state: {},
        onEvent: (n, { setTimer }) => setTimer("later", n + 1),
        onTimer: (_name, { key }) => [trouble.meet(key)],
      }),
  },
  {
    what: "a timestamp function",
    operator: "numbers/eventTime",
    origin: AT,
    reason: THROWN,
    shape: (numbers, trouble) => numbers.eventTime({ timestamp: (n) => trouble.meet(n) }),
  },
  {
    what: "a mapAsync call",
    operator: "call",
    origin: AT,
    reason: THROWN,
    shape: (numbers, trouble) => numbers.mapAsync("call", (n) => Promise.resolve(trouble.meet(n))),
  },
  {
    what: "an actor's mailbox",
    operator: "meet",
    origin: AT,
    reason: THROWN,
    shape: (numbers, trouble) =>
      numbers.keyBy(() => "all").actor("meet", {
        state: {},
        behavior: (mailbox) => mailbox.pipe(map((n) => trouble.meet(n))),
      }),
  },
  {
    what: "the source",
    operator: "numbers/shard-0",
    origin: AT,
    reason: THROWN,
    shape: same,
    source: (trouble) => meetingSource(trouble),
  },
  {
    what: "the sink",
    operator: "out",
    origin: AT,
    reason: "three is not taken",
    shape: same,
    sink: (rows, trouble) => refusingSink(rows, trouble),
  },
];

/** A memory source whose values are looked at as the engine takes them. */
function meetingSource(trouble: Trouble): Source<number> {
  const numbers = memory.source(NUMBERS);
  return {
    ...numbers,
    read: (...args) =>
      numbers.read(...args).pipe(map((batch) => ({
        length: batch.length,
        bytes: batch.bytes,
        position: batch.position,
        valueAt: (row) => trouble.meet(batch.valueAt(row)),
        positionAt: (row) => batch.positionAt(row),
        timestampAt: (row) => batch.timestampAt(row),
      }))),
  };
}

/** A sink that keeps its rows but for those that it refuses. */
function refusingSink(rows: number[], trouble: Trouble): Sink<number> {
  return {
    kind: "refusing",
    name: "refusing",
    guarantee: "at least once",
    open: (context) =>
      Promise.resolve({
        write(batch) {
          for (const [row, value] of batch.values.slice(0, batch.length).entries()) {
            if (!trouble.strikes(value)) rows.push(value);
            else {context.reject({
                value,
                origin: batch.originAt(row),
                reason: "three is not taken",
              });}
          }
          return undefined;
        },
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
        pending: () => 0,
      }),
  };
}
