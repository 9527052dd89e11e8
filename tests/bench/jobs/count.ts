/**
 * The count job of the benchmark, as a user would write it.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { defineJob, flatMapJson, store } from "../../../mod.ts";
import { checksumSink } from "./checksum_sink.ts";
import { replay, replayOptions } from "./replay.ts";

const Click = z.object({ userId: z.string() });

/** Job `count`. */
export default defineJob({
  name: "count",
  sources: { clicks: replay(replayOptions(import.meta.url, "clicks.ndjson")) },
  sinks: { counts: checksumSink<{ userId: string; count: number }>() },
  build({ clicks }, { counts }) {
    clicks.pipe(flatMapJson("$", Click))
      .keyBy((click) => click.userId)
      .process("count", {
        state: { count: store.value(0) },
        onEvent({ userId }, { state }) {
          const count = state.count.value + 1;
          state.count.value = count;
          if (count % 10 === 0) return [{ userId, count }];
        },
      })
      .to(counts);
  },
});
