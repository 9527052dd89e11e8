/**
 * The example as `deno task start` runs it: an embedded Kinesis, a producer, the job on Web Workers, and an auditor that
 * counts what comes out.
 *
 * @module
 */

import { type KinesisConnection, openKinesis } from "../../connectors/kinesis/client.ts";
import { createStream, startEmbeddedKinesis } from "../../connectors/kinesis/embedded.ts";
import { type StartArguments, UsageError } from "../../runtime/cli/arguments.ts";
import { type Console, runUnderConsole, startOptions } from "../../runtime/cli/run_command.ts";
import { type Clock, delay } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { seededRandom, systemRandom } from "../../runtime/random.ts";
import { Auditor } from "./auditor.ts";
import { EVENTS_PER_BOOKING } from "./job.ts";
import { produce } from "./producer.ts";

const STREAMS = ["booking-created", "booking-events", "booking-correlated"];
const SHARDS = 2;
/** Records a second when the example runs until it is interrupted. */
const RATE = 2000;
/** How often it is looked whether everything has come out. */
const POLL_MS = 20;
/** Without any progress for so long, what has not come out is lost. */
const STALLED_MS = 10_000;

/** Runs the example. Returns the exit code: 1 if a booking was lost or doubled. */
export async function runExample(args: StartArguments, terminal: Console): Promise<number> {
  if (args.endpoint !== undefined || args.region !== undefined) {
    throw new UsageError(
      "Cannot use --endpoint or --region with the example, which has a Kinesis of its own: name a job",
    );
  }
  const { clock } = terminal;
  const { endpoint, close } = await startEmbeddedKinesis();
  const connection = await openKinesis({ endpoint });
  await Promise.all(STREAMS.map((stream) => createStream(connection, stream, SHARDS)));
  terminal.print(
    `Embedded Kinesis at ${endpoint}; streams ${STREAMS.join(", ")} with ${SHARDS} shards each`,
  );

  const reading = new AbortController();
  const auditor = new Auditor();
  await auditor.read("booking-correlated", {
    clock,
    random: systemRandom,
    logger: silentLogger,
    aws: { endpoint },
    startedAt: clock.now(),
    signal: reading.signal,
  });
  const producing = new AbortController();
  const bookings = args.bookings ?? Infinity;
  const produced = startProducer(connection, bookings, clock, producing.signal);
  const { handle, exitCode } = runUnderConsole(
    new URL("./job.ts", import.meta.url).href,
    { ...startOptions(args), aws: { endpoint } },
    {
      ...terminal,
      onInterrupt: (callback) =>
        terminal.onInterrupt(() => {
          producing.abort();
          callback();
        }),
    },
  );
  if (bookings !== Infinity) {
    await Promise.race([untilAllCameOut(auditor, bookings, produced, clock), handle.outcome]);
    handle.stop();
  }
  const code = await exitCode;
  producing.abort();
  await produced;
  await untilQuiet(auditor, handle.status.sinks["correlated"]?.rows ?? 0, clock);
  reading.abort();
  connection.client.destroy();
  await close();
  if (code !== 0 || bookings === Infinity || !Number.isFinite(bookings)) return code;
  const { correlated, lost, doubled } = auditor.audit(bookings);
  terminal.print(`${correlated} correlated, ${lost} lost, ${doubled} doubled`);
  return lost === 0 && doubled === 0 ? 0 : 1;
}

function startProducer(
  connection: KinesisConnection,
  bookings: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const rate = bookings === Infinity ? RATE : Infinity;
  return produce(connection, {
    bookings,
    rate,
    clock,
    random: seededRandom(EVENTS_PER_BOOKING),
    signal,
  });
}

/** Resolves when every booking came out, or nothing more does. */
async function untilAllCameOut(
  auditor: Auditor,
  bookings: number,
  produced: Promise<void>,
  clock: Clock,
): Promise<void> {
  await produced;
  let last = { records: -1, at: clock.now() };
  while (auditor.bookings < bookings && clock.now() - last.at < STALLED_MS) {
    if (auditor.records !== last.records) last = { records: auditor.records, at: clock.now() };
    await delay(clock, POLL_MS);
  }
}

/** Resolves when the auditor has read what the job wrote. */
async function untilQuiet(auditor: Auditor, written: number, clock: Clock): Promise<void> {
  const until = clock.now() + STALLED_MS;
  while (auditor.records < written && clock.now() < until) await delay(clock, POLL_MS);
}
