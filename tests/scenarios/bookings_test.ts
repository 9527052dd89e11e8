/**
 * The booking example as a user tests it: whatever the order of the two streams, each booking with three events comes
 * out once, and nothing else does.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { z } from "npm:zod@4.6.7";
import job, {
  type CorrelatedBooking,
  EVENTS_PER_BOOKING,
} from "../../examples/booking_correlation/job.ts";
import { seededRandom } from "../../runtime/random.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { type SimulatedRecord, simulatedStream } from "../../runtime/testing/simulated_stream.ts";
import { timedSource } from "./timed_source.ts";
