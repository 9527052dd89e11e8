/**
 * The jobs that these tests run, by the URL under which workers import them. A query tells a job what it can't know
 * otherwise, such as the paths of its files.
 *
 * @module
 */

/** The URL of a module in `jobs/`; a query parameter with several values is given several times. */
export function jobModule(
  name: "poisoned" | "tally_after" | "tally_before" | "totals" | "troubled",
  query: Readonly<Record<string, string | readonly string[]>>,
): string {
  const url = new URL(`./jobs/${name}.ts`, import.meta.url);
  for (const [parameter, values] of Object.entries(query)) {
    for (const value of [values].flat()) url.searchParams.append(parameter, value);
  }
  return url.href;
}

/** Both kinds of real workers. */
export const ISOLATIONS = ["web-worker", "thread"] as const;
