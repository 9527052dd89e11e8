/**
 * The count job of the benchmark, as a user would write it.
 *
 * @module
 */

import { defineJob, flatMapJson, store } from "../../../mod.ts";
import { benchJobOptions } from "../bench_job.ts";
import { checksumSink } from "./checksum_sink.ts";
import { replay } from "./replay.ts";
import { schemasOf } from "./schemas.ts";

const options = benchJobOptions(import.meta.url);
const { UserClick } = await schemasOf(options.schema);

/** Job `count`. */
export default defineJob({
  name: "count",
  sources: { clicks: replay({ ...options, file: "clicks.ndjson" }) },
  sinks: { counts: checksumSink<{ userId: string; count: number }>() },
  build({ clicks }, { counts }) {
    clicks.pipe(flatMapJson("$", UserClick))
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
