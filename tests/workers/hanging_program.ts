/**
 * A program whose job has a worker that hangs: prints how it went, a line of JSON, and the CPU time that the process uses
 * in a while after that. Arguments: the isolation, and `exit` for a program that ends itself.
 *
 * @module
 */

import process from "node:process";
import { delay, systemClock } from "../../runtime/clock.ts";
import { print } from "../fuzz/fuzz_options.ts";
import { poisonedRun } from "./poisoned_run.ts";

const [isolation, end] = Deno.args;
const run = await poisonedRun("hang", isolation === "thread" ? "thread" : "web-worker");
const before = process.cpuUsage();
await delay(systemClock, 500);
const { user, system } = process.cpuUsage(before);
print(JSON.stringify({ ...run, cpuMs: (user + system) / 1000 }));
if (end === "exit") Deno.exit(0);
