/**
 * A temporary folder of files with a JSON value on each line: what jobs on real workers read and write, since only files
 * are seen from all threads.
 *
 * @module
 */

/** A folder that goes away with everything in it when disposed of. */
export class NdjsonFolder implements AsyncDisposable {
  readonly path: string;

  constructor() {
    this.path = Deno.makeTempDirSync({ prefix: "penstock-" });
  }

  pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file: texts as lines, anything else as JSON. Returns its path. */
  async write(name: string, rows: readonly unknown[]): Promise<string> {
    const lines = rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`);
    await Deno.writeTextFile(this.pathOf(name), lines.join(""), { append: true });
    return this.pathOf(name);
  }

  /** The values of a file. What is no whole line of JSON makes it throw. */
  async read<T>(name: string): Promise<T[]> {
    const lines = (await Deno.readTextFile(this.pathOf(name))).split("\n");
    if (lines.pop() !== "") throw new SyntaxError(`File ${name} ends in a torn line`);
    return lines.map((line): T => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
