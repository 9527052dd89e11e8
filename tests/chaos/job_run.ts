/**
 * The process with the job, from outside: what it has told, and waiting for it.
 *
 * @module
 */

import { systemClock } from "../../runtime/clock.ts";
import type { JobEvent, JobProcessSettings } from "./job_events.ts";
import { LineProcess } from "./line_process.ts";

/** One run of the process. */
export class JobRun implements AsyncDisposable {
  /** Numbers of the checkpoints that it went on from. */
  readonly restored: number[] = [];
  /** Numbers of the checkpoints that it has kept. */
  readonly kept: number[] = [];
  /** Why attempts failed. */
  readonly reasons: string[] = [];
  /** Dead letters, and why. */
  readonly letters: string[] = [];
  readonly #startedAt = systemClock.monotonic();
  /** When the job ran, and when it failed; ms of the monotonic clock, as noticed here. */
  readonly #ranAt: number[] = [];
  readonly #failedAt: number[] = [];
  readonly #process: LineProcess;

  constructor(settings: JobProcessSettings) {
    this.#process = new LineProcess("job_process.ts", [JSON.stringify(settings)], (line) => {
      this.#take(JSON.parse(line));
    });
  }

  /** What it told last. */
  get last(): string {
    return this.#process.last;
  }

  /** How long it took to run: the first time since the process started, then since the failure before. */
  goOnMs(attempt: number): number | undefined {
    const ranAt = this.#ranAt[attempt];
    const since = attempt === 0 ? this.#startedAt : this.#failedAt[attempt - 1];
    return ranAt === undefined || since === undefined ? undefined : ranAt - since;
  }

  /** Resolves when the job has run so many times. */
  async running(times: number, what: string): Promise<void> {
    await this.#process.until(() => this.#ranAt.length >= times, what);
  }

  /** Resolves when it has kept a checkpoint. */
  async keeps(what: string): Promise<void> {
    await this.#process.until(() => this.kept.length > 0, what);
  }

  /** Resolves when so many attempts have failed. */
  async failed(times: number, what: string): Promise<void> {
    await this.#process.until(() => this.#failedAt.length >= times, what);
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Stops the job. Returns the exit code. */
  async finish(): Promise<number> {
    return await this.#process.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  #take(event: JobEvent): void {
    switch (event.event) {
      case "running":
        this.#ranAt.push(systemClock.monotonic());
        return;
      case "failed":
        this.#failedAt.push(systemClock.monotonic());
        this.reasons.push(event.reason);
        return;
      case "restored":
        this.restored.push(event.number);
        return;
      case "kept":
        this.kept.push(event.number);
        return;
      case "letter":
        this.letters.push(`${event.operator}: ${event.reason}`);
        return;
    }
  }
}
