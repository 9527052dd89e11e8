/**
 * A job in trouble, told by its URL which. Query: `trouble`, one of the names below; `marker`, the path of a file that
 * says to later attempts that there was one before.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { defineJob, memory } from "../../../mod.ts";

const query = new URL(import.meta.url).searchParams;
const trouble = query.get("trouble");

if (trouble === "import") throw new Error("The job has no mood to be imported");
if (trouble === "stray error on import") throwAstray("Thrown by the module's remains");

/** What goes wrong while a record is handled. */
function handle(value: number): number[] {
  switch (trouble) {
    case "stray error":
      throwAstray("Thrown where nobody listens");
      break;
    case "stray rejection":
      Promise.reject(new Error("Rejected where nobody listens"));
      break;
    case "memory": {
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array<number>(10_000).fill(value));
    }
    case "stop":
      throw new RangeError("This is the end");
    case "stray error once":
      if (!isFirstAttempt()) throw new RangeError("Here again");
      throwAstray("Thrown the first time only");
  }
  return [value];
}

function throwAstray(message: string): void {
  queueMicrotask(() => {
    throw new Error(message);
  });
}

function isFirstAttempt(): boolean {
  try {
    Deno.writeTextFileSync(query.get("marker") ?? "", "", { createNew: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

const job = defineJob({
  name: "troubled",
  onError: trouble === "stop" ? "stop" : "resume",
  params: z.object({ limit: z.number().default(1) }),
  sources: { numbers: memory.source({ shards: [[1]], bounded: false }) },
  sinks: { results: memory.sink<number>() },
  build({ numbers }, { results }) {
    if (trouble === "build") throw new Error("The job cannot be built today");
    const handled = numbers.keyBy((n) => n % 2)
      .process("handle", { state: {}, onEvent: handle });
    if (trouble !== "topology") handled.to(results);
  },
});

export default trouble === "no job" ? { name: "not a job" } : job;
