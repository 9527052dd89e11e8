/**
 * Cases that were recorded from Apache Flink, kept beside the repository. They are large, so tests that use them also
 * have a few of their own, and go without where they are not there.
 *
 * @module
 */

/** The cases of a family; undefined, said aloud, where there are none. */
export function goldenCases<Case>(family: string): readonly Case[] | undefined {
  const url = new URL(`../../../shared/conformance/${family}/golden.json`, import.meta.url);
  try {
    const { cases }: { cases: readonly Case[] } = JSON.parse(Deno.readTextFileSync(url));
    return cases;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // deno-lint-ignore no-console
    console.log(`skipped: no recorded cases of family ${family}`);
    return undefined;
  }
}
