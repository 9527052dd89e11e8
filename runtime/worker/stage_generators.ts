/**
 * The watermark generators of one stage on one worker: one for each `eventTime` and domain, asked at the ends of turns,
 * once every emission period, or by records themselves, and for idleness.
 *
 * @module
 */

import type { OperatorTime } from "../checkpoint/worker_snapshot.ts";
import type { Cancel, Clock } from "../clock.ts";
import { EventTimeGenerator } from "../time/event_time.ts";
import type { WatermarkEvent } from "../time/watermark.ts";
import type { NodeId, NodeOf } from "../topology.ts";

/** Where watermarks go on. */
export type MarkFlow = (origin: string, event: WatermarkEvent) => void;

type EventTimeNode = NodeOf<"eventTime">;

/** An `eventTime` of the stage. */
interface Timed {
  readonly node: EventTimeNode;
  /** What comes after it. */
  readonly after: MarkFlow;
  /** By domain: whose watermark it is, a shard's, or that of this worker's stage. */
  readonly generators: Map<string, EventTimeGenerator>;
}

/** Generators by node and domain. */
export class StageGenerators {
  readonly #clock: Clock;
  readonly #timed = new Map<NodeId, Timed>();
  /** Domains whose generators are ticked and probed, and whether records of theirs are stuck in a queue. */
  readonly #held = new Map<string, () => boolean>();
  readonly #ticks = new Map<NodeId, Cancel>();

  readonly #restored: readonly OperatorTime[];

  readonly #isHeldUp: () => boolean;

  /**
   * @param restored what generators were at the checkpoint that the job starts from
   * @param isHeldUp whether what they told last may have been held up behind them then: it is told again
   */
  constructor(
    clock: Clock,
    restored: readonly OperatorTime[] = [],
    isHeldUp: () => boolean = () => false,
  ) {
    this.#clock = clock;
    this.#restored = restored;
    this.#isHeldUp = isHeldUp;
  }

  /** What they are now, for a checkpoint. */
  snapshot(): readonly OperatorTime[] {
    return [...this.#timed.values()].flatMap(({ generators }, index) =>
      [...generators].map(([domain, generator]) => ({ index, domain, time: generator.snapshot() }))
    );
  }

  /** Puts an `eventTime` on the watermarks' way; what comes from before it goes on from here, as far as it does. */
  add(node: EventTimeNode, after: MarkFlow): MarkFlow {
    const generators = this.#timed.get(node.id)?.generators ?? new Map();
    this.#timed.set(node.id, { node, after, generators });
    // Its own watermarks replace those from before; that origins come and end, or all input is over, stays true.
    return (origin, event) => {
      if (event.kind === "ended" || event.kind === "joined") after(origin, event);
      else if (event.kind === "advance" && event.at === Infinity) {
        this.#over(node.id, origin, event);
      }
    };
  }

  of(node: EventTimeNode, domain: string): EventTimeGenerator {
    const generators = this.#timed.get(node.id)?.generators;
    const known = generators?.get(domain);
    if (known !== undefined) return known;
    const bound = node.watermark === "bounded" ? node.outOfOrdernessMs : undefined;
    const generator = new EventTimeGenerator(bound, node.idleAfterMs);
    const index = [...this.#timed.keys()].indexOf(node.id);
    const restored = this.#restored.find((of) => of.index === index && of.domain === domain);
    if (restored !== undefined) {
      const told = this.#isHeldUp() ? -Infinity : restored.time.told;
      generator.restore({ ...restored.time, told });
    }
    generators?.set(domain, generator);
    return generator;
  }

  /** Watermarks of times that were taken from records since the last call go on. Called at the ends of turns. */
  advance(domain: string): void {
    for (const { node, after, generators } of this.#timed.values()) {
      if (node.emitEveryMs !== undefined) continue;
      const generator = generators.get(domain);
      if (generator !== undefined) say(after, domain, generator.take());
    }
  }

  /** The same for all domains. */
  advanceAll(): void {
    const domains = new Set([...this.#timed.values()].flatMap((of) => [...of.generators.keys()]));
    for (const domain of domains) this.advance(domain);
  }

  /** A domain's input is over: what a period would still have to say is said now. */
  finish(domain: string): void {
    this.advance(domain);
    for (const { node, after, generators } of this.#timed.values()) {
      const generator = generators.get(domain);
      if (node.emitEveryMs === undefined || generator === undefined) continue;
      say(after, domain, generator.tick(this.#clock.monotonic(), false));
    }
  }

  /** A watermark that a record says itself. */
  raise(node: EventTimeNode, domain: string, at: number): void {
    const timed = this.#timed.get(node.id);
    if (timed !== undefined) say(timed.after, domain, this.of(node, domain).raise(at));
  }

  /** Ticks and probes the domain's generators until closed. `held`: whether records of it are stuck in a queue. */
  watch(domain: string, held: () => boolean): () => void {
    this.#held.set(domain, held);
    const probes = [...this.#timed.values()].map((timed) => {
      if (timed.node.emitEveryMs !== undefined) this.#tickLater(timed, timed.node.emitEveryMs);
      else if (timed.node.idleAfterMs !== undefined) {
        return this.#probe(timed, timed.node.idleAfterMs, domain, held);
      }
      return () => {};
    });
    return () => {
      probes.forEach((cancel) => cancel());
      this.#held.delete(domain);
      if (this.#held.size > 0) return;
      this.#ticks.forEach((cancel) => cancel());
      this.#ticks.clear();
    };
  }

  /** One period for all domains: what they say counts together, not one after the other. */
  #tickLater(timed: Timed, periodMs: number): void {
    const { node, after, generators } = timed;
    if (this.#ticks.has(node.id)) return;
    const tick = () => {
      this.#ticks.set(node.id, this.#clock.setTimer(periodMs, tick));
      const now = this.#clock.monotonic();
      let last: string | undefined;
      for (const [domain, held] of this.#held) {
        const events = generators.get(domain)?.tick(now, held()) ?? [];
        if (this.#held.size === 1) return say(after, domain, events);
        say(after, domain, events.map((event) => ({ ...event, deferred: true })));
        if (events.length > 0) last = domain;
      }
      if (last !== undefined) after(last, { kind: "settle" });
    };
    this.#ticks.set(node.id, this.#clock.setTimer(periodMs, tick));
  }

  #probe(
    { after, generators }: Timed,
    periodMs: number,
    domain: string,
    held: () => boolean,
  ): Cancel {
    let cancel: Cancel = () => {};
    const probe = () => {
      const event = generators.get(domain)?.probe(held());
      if (event !== undefined) after(domain, event);
      cancel = this.#clock.setTimer(periodMs, probe);
    };
    probe();
    return () => cancel();
  }

  #over(id: NodeId, origin: string, event: WatermarkEvent): void {
    const timed = this.#timed.get(id);
    const generator = timed?.generators.get(origin);
    if (timed === undefined) return;
    // Nothing that it would still make of timestamps rises above.
    if (generator === undefined) timed.after(origin, event);
    else say(timed.after, origin, generator.raise(Infinity));
  }
}

function say(after: MarkFlow, domain: string, events: readonly WatermarkEvent[]): void {
  for (const event of events) after(domain, event);
}
