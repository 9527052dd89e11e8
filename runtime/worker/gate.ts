/**
 * Back-pressure inside a worker: a gate is closed by whatever is full (a channel, a sink, a mapAsync), and a stage
 * takes no turns while one of its gates is closed. That stops its actors' mailboxes, and so on up to the shard readers.
 *
 * @module
 */

/** Counts the closed gates of a stage and wakes it when the last one opens. */
export class Valve {
  #closed = 0;
  readonly #resume: () => void;

  constructor(resume: () => void) {
    this.#resume = resume;
  }

  /** Whether a turn may not go on. */
  get blocked(): boolean {
    return this.#closed > 0;
  }

  close(): void {
    this.#closed++;
  }

  open(): void {
    this.#closed--;
    if (this.#closed === 0) this.#resume();
  }
}

/** One full thing, and the stages that feed it. */
export class Gate {
  readonly #valves = new Set<Valve>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** A stage feeds this. */
  join(valve: Valve): void {
    if (this.#valves.has(valve)) return;
    this.#valves.add(valve);
    if (this.#closed) valve.close();
  }

  set(closed: boolean): void {
    if (closed === this.#closed) return;
    this.#closed = closed;
    for (const valve of this.#valves) {
      if (closed) valve.close();
      else valve.open();
    }
  }
}
