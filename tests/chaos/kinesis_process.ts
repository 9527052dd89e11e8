/**
 * An embedded Kinesis in a process of its own: prints its endpoint and ends when its standard input does.
 *
 * @module
 */

import { startEmbeddedKinesis } from "../../connectors/kinesis/embedded.ts";

const { endpoint } = await startEmbeddedKinesis();
await Deno.stdout.write(new TextEncoder().encode(`${endpoint}\n`));
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
