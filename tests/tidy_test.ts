import { fail } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  ambientIo,
  ambientRandomness,
  ambientTime,
  exactVersions,
  thirdParty,
} from "./tidy/ambient.ts";
import {
  deadFiles,
  exportDoc,
  fileLength,
  fileName,
  functionLength,
  hiddenCharacters,
  moduleDoc,
} from "./tidy/shape.ts";
import { type Finding, type SourceFile, sourceFile } from "./tidy/source_file.ts";
import { silencedChecks, typeEscapes } from "./tidy/types.ts";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const NOT_OURS = new Set([".git", ".bench", "node_modules", "coverage"]);

async function* sources(folder = ""): AsyncGenerator<SourceFile> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + name;
    if (isDirectory && !NOT_OURS.has(name)) yield* sources(`${path}/`);
    else if (isFile && /\.tsx?$/.test(name)) {
      yield sourceFile(path, await Deno.readTextFile(new URL(path, ROOT)));
    }
  }
}

const files = await Array.fromAsync(sources());

function assertTidy(findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  fail(findings.map(({ path, line, message }) => `${path}:${line}: ${message}`).join("\n"));
}

const rules: Record<string, (file: SourceFile) => Finding[]> = {
  "time comes from a Clock": ambientTime,
  "randomness comes from a Random": ambientRandomness,
  "the outside is reached in named places": ambientIo,
  "third-party packages are named in deps.ts": thirdParty,
  "third-party packages have exact versions": exactVersions,
  "files are short": fileLength,
  "functions are short": functionLength,
  "file names say what is in them": fileName,
  "library files say what they are for": moduleDoc,
  "library exports are documented": exportDoc,
  "texts have no hidden characters": hiddenCharacters,
  "types are not got around": typeEscapes,
  "checks are not silenced": silencedChecks,
};

describe("the repository is tidy", () => {
  for (const [name, rule] of Object.entries(rules)) {
    it(name, () => assertTidy(files.flatMap(rule)));
  }

  it("every file is in use", () => assertTidy(deadFiles(files, config.imports)));

  it("has been found by this test", () => {
    const found = new Set(files.map(({ path }) => path));
    for (const path of ["deps.ts", "runtime/clock.ts", "tests/tidy_test.ts"]) {
      if (!found.has(path)) fail(`Found no ${path} among ${found.size} files under ${ROOT}`);
    }
  });
});
