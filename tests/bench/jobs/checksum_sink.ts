/**
 * A sink that encodes each row as JSON, as a stream's sink does, and sums the lines up instead of sending them. Each
 * worker logs its sum when it is flushed.
 *
 * @module
 */

import type { Sink } from "../../../connectors/sink.ts";
import { Checksum } from "../checksum.ts";

/** The log line that carries a worker's sum. */
export const CHECKSUM_MESSAGE = "Checksum";

/** The sink. */
export function checksumSink<T>(): Sink<T> {
  return {
    kind: "checksum",
    name: "checksum",
    open: ({ logger }) => {
      let sum = new Checksum();
      return Promise.resolve({
        write: ({ values, length }) => {
          for (let row = 0; row < length; row++) sum.add(JSON.stringify(values[row]));
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
