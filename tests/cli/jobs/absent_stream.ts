/**
 * A job that reads a stream which the tests never create.
 *
 * @module
 */

import { defineJob, kinesis, type RawRecord } from "../../../mod.ts";

export default defineJob({
  name: "absent",
  sources: { records: kinesis.source("no-such-stream") },
  sinks: {
    copies: kinesis.sink<RawRecord>("no-such-sink", { partitionKey: (row) => row.partitionKey }),
  },
  build: ({ records }, { copies }) => records.to(copies),
});
