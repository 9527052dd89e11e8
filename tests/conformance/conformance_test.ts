import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DIFFERENCES } from "./differences.ts";
import { type GoldenFile, readGoldenFiles } from "./golden_file.ts";
import { familyLines } from "./report.ts";
import { FAMILIES, runFamily, type RunnerOptions } from "./runner.ts";

/** Of a family's cases, so many at most may show differences that are on purpose. */
const DIFFERENT_SHARE_MAX = 0.01;

const folderOf = (path: string) => new URL(path, import.meta.url).pathname;

async function sharedFiles(): Promise<readonly GoldenFile[]> {
  try {
    return await readGoldenFiles(folderOf("../../../shared/conformance"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // deno-lint-ignore no-console
    console.log("skipped: no recorded cases beside the repository");
    return [];
  }
}

async function assertPasses(
  file: GoldenFile,
  options: Partial<RunnerOptions> & { workers: number },
): Promise<void> {
  const result = await runFamily(file, { seed: 1, ...options });
  assertEquals(result.failed.length, 0, familyLines(result).join("\n"));
  const different = [...result.different.values()].reduce((sum, count) => sum + count, 0);
  assertEquals(result.passed + different, file.cases.length);
  assert(different <= file.cases.length * DIFFERENT_SHARE_MAX, familyLines(result)[0]);
}

const kept = await readGoldenFiles(folderOf("kept"));
const shared = await sharedFiles();

describe("cases recorded from Flink", () => {
  const isCovered = ({ family }: GoldenFile) => FAMILIES.has(family);

  it("are kept for every family that the engine has", () => {
    const families = kept.map(({ family }) => family);
    for (const family of FAMILIES.keys()) assert(families.includes(family), family);
  });

  for (const file of kept.filter(isCovered)) {
    for (const workers of [1, 3]) {
      it(`come out the same: ${file.family}, kept, ${workers} workers`, () =>
        assertPasses(file, { workers }));
      it(`come out the same when interrupted: ${file.family}, kept, ${workers} workers`, () =>
        assertPasses(file, { workers, interrupt: true, seed: workers }));
    }
  }
  for (const file of shared.filter(isCovered)) {
    it(`come out the same: ${file.family}, all`, () => assertPasses(file, { workers: 2 }));
  }

  it("fail when something else comes out", async () => {
    const [file] = kept.filter(({ family }) => family === "keygroups");
    const [first] = file?.cases ?? [];
    assert(file !== undefined && first !== undefined);
    const wrong = { ...first, expected: [...first.expected, { step: 0, out: "more" }] };
    const result = await runFamily({ ...file, cases: [first, wrong] }, { seed: 1, workers: 1 });
    assertEquals([result.passed, result.failed.map(({ of }) => of)], [1, [wrong]]);
    const lines = familyLines(result);
    assertEquals(lines[0], "keygroups: 1 passed, 1 failed");
    assert(lines.includes(`    spec: ${JSON.stringify(first.spec)}`));
  });

  it("of families that the engine has not are not counted as passed", async () => {
    const result = await runFamily({ family: "none", cases: [] }, { seed: 1, workers: 1 });
    assertEquals([result.covered, result.passed, familyLines(result)], [false, 0, [
      "none: not yet covered, 0 cases",
    ]]);
  });

  it("show differences by their input", () => {
    const [idle] = DIFFERENCES;
    const periods = (...input: readonly Record<string, unknown>[]) =>
      idle?.shows({ spec: { kind: "splits" }, input });
    const [add, remove, periodic] = [{ add: "s0" }, { remove: "s0" }, { periodic: true }];
    const idleness = { split: "s0", status: "idle" };
    assertEquals(periods(add, idleness, remove, periodic), true);
    assertEquals(periods(add, idleness, periodic, remove), false);
    assertEquals(periods(add, remove, periodic), false);
  });
});
