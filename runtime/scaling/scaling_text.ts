/**
 * How figures are written in what is said about scaling.
 *
 * @module
 */

/** `"0.25 cores"`. */
export function coresText(cores: number): string {
  return `${cores.toFixed(2)} cores`;
}

/** A share of 0 to 1 as `"25 %"`. */
export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `"90 ms"`, `"2.5 s"`, `"15 min"`, `"6 h"`. */
export function durationText(ms: number): string {
  const tenths = (value: number) => `${Math.round(value * 10) / 10}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${tenths(ms / 1000)} s`;
  if (ms < 7_200_000) return `${tenths(ms / 60_000)} min`;
  return `${tenths(ms / 3_600_000)} h`;
}

/** `"1 worker"`, `"2 workers"`, `"1 key group"`. */
export function countText(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}

/** `"12 B"`, `"3.4 kB"`, `"5.6 MB"`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
