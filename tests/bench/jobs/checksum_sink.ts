/**
 * A sink that encodes each row as JSON, as a stream's sink does, and sums the lines up instead of sending them. Each
 * worker logs its sum when it is flushed.
 *
 * @module
 */

import type { Sink } from "../../../connectors/sink.ts";
import { JsonEncoder } from "../../../operators/json_encoder.ts";
import { Checksum } from "../checksum.ts";

/** The log line that carries a worker's sum. */
export const CHECKSUM_MESSAGE = "Checksum";

/** The sink. */
export function checksumSink<T>(): Sink<T> {
  return {
    kind: "checksum",
    name: "checksum",
    guarantee: "at least once",
    open: ({ logger }) => {
      const encoder = new JsonEncoder();
      let sum = new Checksum();
      return Promise.resolve({
        write: ({ values, length }) => {
          const { bytes, ends, faults: [fault] } = encoder.encode(values, length);
          if (fault !== undefined) throw fault.error;
          let start = 0;
          for (const end of ends) {
            sum.addBytes(bytes, start, end);
            start = end;
          }
          return undefined;
        },
        flush: () => {
          logger.info(CHECKSUM_MESSAGE, { outputs: sum.outputs, sum: sum.sum });
          sum = new Checksum();
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
        pending: () => 0,
      });
    },
  };
}
