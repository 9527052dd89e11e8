/**
 * Runs a workload on Penstock in one thread under the CPU profiler, in a process of its own.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { systemRandom } from "../../runtime/random.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import { benchJobUrl, SCHEMA_KINDS, type SchemaKind } from "./bench_job.ts";
import { inThreadHost } from "./in_thread_host.ts";
import { type CpuProfile, type Step, stepShares } from "./profile.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

/** Where a workload's time goes, with schemas of one kind. */
export async function profiledShares(
  workload: Workload,
  schema: SchemaKind,
  dataDir: string,
  passes: number,
): Promise<Readonly<Record<Step, number>>> {
  const dir = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-lock", "--cpu-prof", `--cpu-prof-dir=${dir}`],
        fileURLToPath(import.meta.url),
        ...[workload, schema, dataDir, String(passes)],
      ],
      stdout: "null",
    }).output();
    if (!success) {
      throw new Error(`Cannot profile ${workload}: ${new TextDecoder().decode(stderr)}`);
    }
    for await (const { name } of Deno.readDir(dir)) {
      const profile: CpuProfile = JSON.parse(await Deno.readTextFile(`${dir}/${name}`));
      return stepShares(profile);
    }
    throw new Error(`Cannot profile ${workload}: the profiler left no file`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) {
  const [name, kind, dataDir = "", passes] = Deno.args;
  const workload = WORKLOADS.find((workload) => workload === name);
  const schema = SCHEMA_KINDS.find((schema) => schema === kind);
  if (workload === undefined || schema === undefined) {
    throw new RangeError(`Cannot profile ${name} with schema ${kind}: there is no such job`);
  }
  const url = benchJobUrl(workload, { dataDir, passes: Number(passes), schema, input: "memory" });
  const outcome = await new Supervisor({
    host: inThreadHost(),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    settings: {
      url,
      params: {},
      aws: {},
      startedAt: systemClock.now(),
      logLevel: "error",
    },
    workers: 1,
    parallelism: 1,
  }).run();
  if (outcome.kind === "failed") throw outcome.error;
}
