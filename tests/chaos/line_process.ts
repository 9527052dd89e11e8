/**
 * A child process that tells what it does line by line, and ends when its input does, or is killed.
 *
 * @module
 */

import { fail } from "@std/assert";
import { delay, systemClock } from "../../runtime/clock.ts";
import { ROOT } from "../cli/subprocess.ts";

/** How long anything may take: machines are busy. */
const WITHIN_MS = 60_000;
/** Lines kept for messages. */
const LINES_KEPT = 20;

/** A running child. Dispose of it: that kills it if it still runs. */
export class LineProcess implements AsyncDisposable {
  readonly #onLine: (line: string) => void;
  readonly #lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Deno.CommandStatus>;
  #errors = "";
  #running = true;
  #wake: (() => void)[] = [];

  /**
   * @param program a file in this folder
   * @param onLine called for each line that it writes
   */
  constructor(program: string, args: readonly string[], onLine: (line: string) => void) {
    this.#onLine = onLine;
    const run = ["run", "-P=chaos", "--no-prompt", "--no-lock", "--no-check"];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...run, `tests/chaos/${program}`, ...args],
      cwd: ROOT,
      env: { NO_COLOR: "1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#end();
  }

  /**
   * Resolves once a line has made a condition hold.
   *
   * @throws {Error} if the process ends before that, or it takes too long
   */
  async until(condition: () => boolean, what: string, withinMs = WITHIN_MS): Promise<void> {
    const given = new AbortController();
    let late = false;
    delay(systemClock, withinMs, given.signal).then(() => {
      late = true;
      this.#wakeAll();
    });
    try {
      while (!condition()) {
        if (late) fail(`Waited ${withinMs} ms in vain for ${what}; ${this.last}`);
        if (!this.#running) fail(`The process ended before ${what}; ${this.last}`);
        await new Promise<void>((resolve) => void this.#wake.push(resolve));
      }
    } finally {
      given.abort();
    }
  }

  /** What it told last, for messages. */
  get last(): string {
    return `it told last:\n${this.#lines.join("\n")}\n${this.#errors}`;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    if (this.#running) this.#child.kill("SIGKILL");
    await this.#ended;
    await this.#child.stdin.close().catch(() => {});
  }

  /** Ends its input, upon which it ends by itself. Returns its exit code. */
  async finish(): Promise<number> {
    await this.#child.stdin.close();
    return (await this.#ended).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([this.#child.status, this.#readLines(), this.#readErrors()]);
    this.#running = false;
    this.#wakeAll();
    return status;
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.#lines.push(line);
        if (this.#lines.length > LINES_KEPT) this.#lines.shift();
        this.#onLine(line);
      }
      this.#wakeAll();
    }
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#errors = (this.#errors + text).slice(-4000);
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
