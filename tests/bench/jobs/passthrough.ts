/**
 * The passthrough job of the benchmark, as a user would write it.
 *
 * @module
 */

import { filter, map } from "npm:rxjs@7.8.2";
import { z } from "npm:zod@4.6.7";
import { defineJob, flatMapJson } from "../../../mod.ts";
import { checksumSink } from "./checksum_sink.ts";
import { replay, replayOptions } from "./replay.ts";

const Click = z.object({ itemId: z.string(), action: z.string(), value: z.number() });

/** Job `passthrough`. */
export default defineJob({
  name: "passthrough",
  sources: { clicks: replay(replayOptions(import.meta.url, "clicks.ndjson")) },
  sinks: { bought: checksumSink<{ itemId: string; value: number }>() },
  build({ clicks }, { bought }) {
    clicks.pipe(
      flatMapJson("$", Click),
      filter((click) => click.action === "buy"),
      map(({ itemId, value }) => ({ itemId, value })),
    ).to(bought);
  },
});
