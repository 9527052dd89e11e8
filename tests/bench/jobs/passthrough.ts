/**
 * The passthrough job of the benchmark, as a user would write it.
 *
 * @module
 */

import { filter, map } from "npm:rxjs@7.8.2";
import { defineJob, flatMapJson } from "../../../mod.ts";
import { benchJobOptions } from "../bench_job.ts";
import { checksumSink } from "./checksum_sink.ts";
import { replay } from "./replay.ts";
import { schemasOf } from "./schemas.ts";

const options = benchJobOptions(import.meta.url);
const { PricedClick } = await schemasOf(options.schema);

/** Job `passthrough`. */
export default defineJob({
  name: "passthrough",
  sources: { clicks: replay({ ...options, file: "clicks.ndjson" }) },
  sinks: { bought: checksumSink<{ itemId: string; value: number }>() },
  build({ clicks }, { bought }) {
    clicks.pipe(
      flatMapJson("$", PricedClick),
      filter((click) => click.action === "buy"),
      map(({ itemId, value }) => ({ itemId, value })),
    ).to(bought);
  },
});
