/**
 * Texts through a job with an actor for each first letter.
 *
 * @module
 */

import type { Observable } from "npm:rxjs@7.8.2";
import { memory, type MemorySink } from "../../connectors/memory/memory.ts";
import type { Source } from "../../connectors/source.ts";
import type { Duration } from "../../runtime/duration.ts";
import { defineJob } from "../../runtime/job.ts";
import { type StateSpec, store, type ValueState } from "../../runtime/state/state.ts";
import type { ActorContext } from "../../runtime/stream.ts";
import { runJob, type TestRun } from "../../runtime/testing/run_job.ts";

/** What an actor keeps. */
type Counting = { count: StateSpec<ValueState<number>> };
/** What an actor does. */
export type Behavior = (
  mailbox: Observable<string>,
  context: ActorContext<string, Counting>,
) => Observable<string>;

/** Runs texts through an actor each for their first letters, which keep a count in their state. */
export function acted(texts: Source<string> | readonly string[], behavior: Behavior, options: {
  passivateAfter?: Duration;
  workers?: number;
  seed?: number;
} = {}): Promise<TestRun<{ out: MemorySink<string> }>> {
  const { passivateAfter = "1m", ...rest } = options;
  const job = defineJob({
    name: "acting",
    sources: { texts: memory.source<string>([]) },
    sinks: { out: memory.sink<string>() },
    build({ texts }, { out }) {
      texts.keyBy((text) => text.slice(0, 1))
        .actor("act", { state: { count: store.value(0) }, behavior, passivateAfter })
        .to(out);
    },
  });
  return runJob(job, { texts }, rest);
}
