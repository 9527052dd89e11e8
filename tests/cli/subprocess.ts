/**
 * Deno in a process of its own, for tests of what people run: its output as it comes, its exit code, and its end by id
 * whatever the test does.
 *
 * @module
 */

import { fail } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";
import { PATIENCE_MS } from "../workers/patience.ts";

/** The repository's root. */
export const ROOT = new URL("../../", import.meta.url);

/** What is set for a process besides its arguments. */
export interface SubprocessOptions {
  /** The repository's root unless said. */
  readonly cwd?: string | URL;
  /** Added to the test's own environment, or instead of it with `clearEnv`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clearEnv?: boolean;
}

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running process. Dispose of it: that ends it if it still runs. */
export class Subprocess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Ended>;
  readonly #waiting = new Set<() => void>();
  readonly #output = { stdout: "", stderr: "" };
  #running = true;
  #hung = false;

  constructor(
    args: readonly string[],
    { cwd = ROOT, env = {}, clearEnv = false }: SubprocessOptions,
  ) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1", ...env },
      clearEnv,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#end();
  }

  /** Sends a signal, such as that of Ctrl-C. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves when the standard output matches; fails if the process ends before that. */
  async untilOutput(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#output.stdout)) {
      if (!this.#running) {
        const { code, stdout, stderr } = await this.#ended;
        fail(`Exited with ${code} before ${pattern} came out:\n${stdout}\n${stderr}`);
      }
      await new Promise<void>((resolve) => void this.#waiting.add(resolve));
    }
  }

  /** Resolves when the process has ended by itself; fails if it hangs. */
  async ended(): Promise<Ended> {
    const ended = await this.#ended;
    if (this.#hung) {
      fail(`Still running after ${PATIENCE_MS} ms:\n${ended.stdout}\n${ended.stderr}`);
    }
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async #end(): Promise<Ended> {
    const cancel = systemClock.setTimer(PATIENCE_MS, () => {
      this.#hung = true;
      this.#child.kill("SIGKILL");
    });
    const [{ code, signal }] = await Promise.all([
      this.#child.status,
      this.#collect("stdout"),
      this.#collect("stderr"),
    ]);
    cancel();
    this.#running = false;
    this.#wake();
    return { code, signal, ...this.#output };
  }

  async #collect(stream: "stdout" | "stderr"): Promise<void> {
    for await (const text of this.#child[stream].pipeThrough(new TextDecoderStream())) {
      this.#output[stream] += text;
      this.#wake();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Runs Deno to its end. */
export async function runDeno(
  args: readonly string[],
  options: SubprocessOptions = {},
): Promise<Ended> {
  await using process = new Subprocess(args, options);
  return await process.ended();
}

/** What `deno task start` runs, without the task. */
export const START = ["run", "-P=start", "--no-prompt", "--no-lock", "runtime/main.ts"];

/** What `deno task penstock` runs, without the task. */
export const PENSTOCK = ["run", "-P=start", "--no-prompt", "--no-lock", "runtime/penstock.ts"];
