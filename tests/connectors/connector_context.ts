/**
 * What connectors are given in tests: everything but the clock is the same for all.
 *
 * @module
 */

import type { ConnectorContext } from "../../connectors/source.ts";
import type { Clock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { seededRandom } from "../../runtime/random.ts";

/** A context that is never aborted, with the same randomness each time. */
export function connectorContext(clock: Clock): ConnectorContext {
  const { signal } = new AbortController();
  return { clock, random: seededRandom(1), logger: silentLogger, aws: {}, signal };
}
