/**
 * What reading a GetRecords answer costs, with the SDK's own deserialiser and with ours, over a loopback server in this
 * process: `deno run -A tests/bench/get_records_bench.ts`. CPU is the whole process: server, HTTP, client and decoding;
 * the answer without a client shows how much of it is HTTP.
 *
 * @module
 */

import { createServer, request } from "node:http";
import process from "node:process";
import { openKinesis } from "../../connectors/kinesis/client.ts";
import { GetRecordsAnswer } from "../../connectors/kinesis/get_records_protocol.ts";
import { loadKinesis, loadNodeHttpHandler } from "../../deps.ts";
import { systemClock } from "../../runtime/clock.ts";

const RECORDS = 10_000;
const PAYLOAD_BYTES = 164;
const CALLS = 20;
const RUNS = 5;

const payload = new Uint8Array(PAYLOAD_BYTES).fill(97);
const body = JSON.stringify({
  MillisBehindLatest: 0,
  NextShardIterator: "A".repeat(224),
  Records: Array.from({ length: RECORDS }, (_, index) => ({
    ApproximateArrivalTimestamp: 1_700_000_000 + index / 1000,
    Data: payload.toBase64(),
    PartitionKey: `booking-${index % 500}`,
    SequenceNumber: `495903382714902566085596925383615710959215759891${10_000_000 + index}`,
  })),
});
const bytes = new TextEncoder().encode(body);
const server = createServer((incoming, response) => {
  incoming.resume();
  incoming.on("end", () => {
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.setHeader("content-length", bytes.length);
    response.end(bytes);
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
const address = server.address();
if (address === null || typeof address === "string") throw new TypeError("The server has no port");
const endpoint = `http://127.0.0.1:${address.port}`;

const ours = await openKinesis({ endpoint, region: "us-east-1" });
const sdk = await loadKinesis();
const { NodeHttpHandler } = await loadNodeHttpHandler();
const plain = new sdk.KinesisClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "a", secretAccessKey: "b" },
  requestHandler: new NodeHttpHandler({ httpAgent: { keepAlive: true } }),
});
const command = () => new sdk.GetRecordsCommand({ ShardIterator: "A".repeat(224) });

const cases: Readonly<Record<string, () => Promise<unknown>>> = {
  "HTTP alone": () =>
    new Promise((resolve, reject) => {
      request(endpoint, { method: "POST" }, (response) => {
        response.resume();
        response.on("end", resolve);
      }).on("error", reject).end("{}");
    }),
  "SDK's deserialiser": () => plain.send(command()),
  "ours": () => ours.client.send(command()),
  "ours, decoding alone": () => Promise.resolve(new GetRecordsAnswer(body, 200)),
};

for (const [name, call] of Object.entries(cases)) {
  for (let warm = 0; warm < 5; warm++) await call();
  const walls: number[] = [];
  const cpus: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const cpuBefore = process.cpuUsage();
    const before = systemClock.monotonic();
    for (let index = 0; index < CALLS; index++) await call();
    const cpu = process.cpuUsage(cpuBefore);
    walls.push((systemClock.monotonic() - before) * 1000 / CALLS / RECORDS);
    cpus.push((cpu.user + cpu.system) / CALLS / RECORDS);
  }
  // deno-lint-ignore no-console
  console.log(
    `${name.padEnd(22)} ${median(walls)} us a record, ${median(cpus)} us CPU a record`,
  );
}
plain.destroy();
ours.client.destroy();
server.close();
server.closeAllConnections();

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN).toFixed(2);
}
