/**
 * What a barrier is for. It goes through the job's channels in the same way whatever it is for; what happens behind it
 * differs.
 *
 * @module
 */

import type { GroupMove } from "./protocol.ts";

/** What happens where a barrier passes. */
export type BarrierPurpose =
  /** A checkpoint: sinks have to do with it too. */
  | { readonly kind: "snapshot" }
  /** Behind it records of these key groups go to their new workers. */
  | { readonly kind: "hand over"; readonly moves: readonly GroupMove[] }
  /** Behind it this worker takes part: what is said to all workers is said to it too. */
  | { readonly kind: "join"; readonly worker: number };
