/**
 * The policy `responsive`: as many workers as the demand takes, within seconds when it grows, and after a minute when it
 * falls.
 *
 * Demand is estimated as DS2 does (Kalavri et al., OSDI 2018): one step goes to where it should be. Growing is eager and
 * shrinking timid, as in Kubernetes' horizontal autoscaler: what was needed at any moment of the last minute is kept.
 *
 * @module
 */

import { type Duration, milliseconds } from "../duration.ts";
import { type LoadView, usableCores, workersNeeded } from "./demand.ts";
import type { ScalingContext, ScalingPolicy, ScalingRule } from "./scaling_policy.ts";
import { coresText, countText, durationText, percentText } from "./scaling_text.ts";

/** When {@linkcode responsive} acts. Shares are of the workers' time, 0 to 1. */
export interface ResponsiveOptions {
  /** How busy workers should be. Default 0.7. */
  readonly target?: number;
  /** Above this there are too few of them. Default 0.8. */
  readonly high?: number;
  /** Below this there are too many. Default 0.55. */
  readonly low?: number;
  /** For how long there must be too few. Default 2 s. */
  readonly upAfter?: Duration;
  /**
   * For how long there must be too many. Default 60 s; twice as long after workers that were given up had to be taken
   * back within twice that time, up to 16 times as long while that goes on.
   */
  readonly downAfter?: Duration;
  /** Least time from one change to the next that adds workers. Default 5 s. */
  readonly rest?: Duration;
  /** Rows that wait longer are a reason for more workers as soon as workers are busier than `target`. Default 2 s. */
  readonly latency?: Duration;
}

interface Settings {
  readonly target: number;
  readonly high: number;
  readonly low: number;
  readonly upMs: number;
  readonly downMs: number;
  readonly restMs: number;
  readonly latencyMs: number;
}

interface Sample {
  readonly at: number;
  readonly intervalMs: number;
  readonly cores: number;
  readonly oldestMs: number;
  /** Workers that would have done with room to spare. */
  readonly needed: number;
}

/** Weight of the last second in the average by which workers are given up. */
const WEIGHT_PER_SECOND = 0.5;
/** How much longer, at most, there must be too many workers after some had to be taken back. */
const PATIENCE_MAX = 16;

/**
 * Reacts within seconds.
 *
 * @throws {RangeError} if an option is out of range, or they are not in the order low, target, high
 *
 * @example Workers that are at most half busy
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { responsive } from "./responsive.ts";
 * assertEquals(responsive({ target: 0.5, low: 0.3, high: 0.6 }).name, "responsive");
 * ```
 */
export function responsive(options: ResponsiveOptions = {}): ScalingPolicy {
  const { target = 0.7, high = 0.8, low = 0.55 } = options;
  if (!(0 < low && low < target && target <= high && high <= 1)) {
    throw new RangeError(
      `Cannot scale with low ${low}, target ${target} and high ${high}: expected 0 < low < target <= high <= 1`,
    );
  }
  const settings = {
    target,
    high,
    low,
    upMs: milliseconds(options.upAfter ?? "2s"),
    downMs: milliseconds(options.downAfter ?? "60s"),
    restMs: milliseconds(options.rest ?? "5s"),
    latencyMs: milliseconds(options.latency ?? "2s"),
  };
  return { name: "responsive", begin: () => responsiveRule(settings) };
}

function responsiveRule(settings: Settings): ScalingRule {
  const { target, low, upMs, downMs } = settings;
  // Those that are kept get some room, so that noise does not ask for the others at once.
  const relaxed = (low + target) / 2;
  const samples: Sample[] = [];
  const patience = new Patience(downMs);
  let average: number | undefined;
  return (load, context) => {
    const { at, intervalMs, coresNow, oldestMs } = load;
    const { workers } = context;
    const downAfterMs = patience.observe(at, workers);
    const weight = 1 - (1 - WEIGHT_PER_SECOND) ** (intervalMs / 1000);
    average = average === undefined ? coresNow : average + weight * (coresNow - average);
    const sample = { at, intervalMs, cores: coresNow, oldestMs, needed: 1 };
    samples.push(sample);
    const least = lowest(samples, at, upMs);
    // What counts for adding some, as well: none is given up that the last minute would have taken back.
    const needed = Math.max(average, least?.cores ?? 0);
    sample.needed = workersNeeded(load, needed, relaxed);
    while ((samples[0]?.at ?? at) <= at - Math.max(upMs, downMs * PATIENCE_MAX)) samples.shift();
    return up(load, context, settings, least) ??
      down(load, context, { ...settings, downMs: downAfterMs }, samples) ??
      {
        workers,
        because: `demand of ${coresText(average)} is ${
          percentText(usableCores(load, average) / workers)
        } of ${countText(workers, "worker")}`,
      };
  };
}

/** Workers that were given up and had to be taken back soon: each time, the next ones are kept for twice as long. */
class Patience {
  readonly #downMs: number;
  #factor = 1;
  #workers: number | undefined;
  #downAt = -Infinity;

  constructor(downMs: number) {
    this.#downMs = downMs;
  }

  /** For how long there must be too many workers now, ms. */
  observe(at: number, workers: number): number {
    const before = this.#workers ?? workers;
    this.#workers = workers;
    const holdMs = this.#downMs * this.#factor;
    const isSoon = at - this.#downAt <= 2 * holdMs;
    if (workers > before && isSoon) {
      this.#factor = Math.min(PATIENCE_MAX, 2 * this.#factor);
      this.#downAt = -Infinity;
    } else if (workers < before) {
      this.#downAt = at;
    } else if (this.#downAt > -Infinity && !isSoon) {
      this.#factor = 1;
      this.#downAt = -Infinity;
    }
    return this.#downMs * this.#factor;
  }
}

interface Lowest {
  readonly cores: number;
  readonly oldestMs: number;
}

/** What the demand was at least, in the last time. */
function lowest(samples: readonly Sample[], at: number, spanMs: number): Lowest | undefined {
  const recent = samples.filter((sample) => sample.at > at - spanMs);
  // Looks come a bit early or late.
  if (recent.reduce((sum, { intervalMs }) => sum + intervalMs, 0) < 0.9 * spanMs) return undefined;
  return {
    cores: Math.min(...recent.map((sample) => sample.cores)),
    oldestMs: Math.min(...recent.map((sample) => sample.oldestMs)),
  };
}

function up(
  load: LoadView,
  { workers: now, changedAt }: ScalingContext,
  { target, high, upMs, restMs, latencyMs }: Settings,
  least: Lowest | undefined,
) {
  if (least === undefined || load.at - changedAt < restMs) return undefined;
  const needed = workersNeeded(load, least.cores, target);
  const usable = usableCores(load, least.cores);
  const isLate = least.oldestMs > latencyMs;
  if (needed <= now || (usable / now <= high && !isLate)) return undefined;
  const late = isLate ? `, and rows have waited for ${durationText(least.oldestMs)}` : "";
  const considered = [{
    what: countText(now, "worker"),
    because: `${percentText(usable / now)} busy`,
  }];
  if (needed - 1 > now) {
    const fewer = needed - 1;
    considered.push({
      what: countText(fewer, "worker"),
      because: `${percentText(usable / fewer)} busy`,
    });
  }
  return {
    workers: needed,
    because: `demand of at least ${coresText(least.cores)} for ${durationText(upMs)} is ${
      percentText(usable / now)
    } of ${countText(now, "worker")}, limit ${percentText(high)}${late}; ${
      countText(needed, "worker")
    } would be ${percentText(usable / needed)} busy`,
    considered,
  };
}

function down(
  load: LoadView,
  { workers: now, changedAt }: ScalingContext,
  { low, downMs }: Settings,
  samples: readonly Sample[],
) {
  const busy = usableCores(load, load.cores) / now;
  const recent = samples.filter(({ at }) => at > load.at - downMs);
  const known = recent.reduce((sum, { intervalMs }) => sum + intervalMs, 0);
  if (load.at - changedAt < downMs || known < 0.9 * downMs || busy >= low) return undefined;
  const needed = Math.max(...recent.map((sample) => sample.needed));
  if (needed >= now) return undefined;
  const half = Math.ceil(now / 2);
  const to = Math.max(needed, half);
  const considered = [{ what: countText(now, "worker"), because: `${percentText(busy)} busy` }];
  if (needed < half) {
    considered.push({
      what: countText(needed, "worker"),
      because: "at most half of them go at a time",
    });
  }
  return {
    workers: to,
    because: `demand of ${coresText(load.cores)} is ${percentText(busy)} of ${
      countText(now, "worker")
    }, limit ${percentText(low)}, and took at most ${countText(needed, "worker")} in the last ${
      durationText(downMs)
    }`,
    considered,
  };
}
