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
  /** When its next emission period is over, on the monotonic clock. */
  tickAt: number | undefined;
  /** When each domain is probed next. */
  readonly probeAt: Map<string, number>;
}

/** Generators by node and domain. */
export class StageGenerators {
  readonly #clock: Clock;
  readonly #timed = new Map<NodeId, Timed>();
  /** Domains whose generators are ticked and probed, and whether records of theirs are stuck in a queue. */
  readonly #held = new Map<string, () => boolean>();
  readonly #ticks = new Map<NodeId, Cancel>();

  #restored: readonly OperatorTime[];

  /** @param restored what generators were at the checkpoint that the job starts from */
  constructor(clock: Clock, restored: readonly OperatorTime[] = []) {
    this.#clock = clock;
    this.#restored = restored;
  }

  /** What the domain's generators told last goes on once more. */
  sayAgain(domain: string): void {
    for (const { after, generators } of this.#timed.values()) {
      say(after, domain, generators.get(domain)?.told() ?? []);
    }
  }

  /** What they are now, for a checkpoint. */
  snapshot(): readonly OperatorTime[] {
    const [now, takenAt] = [this.#clock.monotonic(), this.#clock.now()];
    return [...this.#timed.values()].flatMap(({ generators, tickAt, probeAt }, index) =>
      [...generators].map(([domain, generator]) => {
        const nextAt = tickAt ?? probeAt.get(domain);
        const nextInMs = nextAt === undefined ? undefined : Math.max(0, nextAt - now);
        return { index, domain, time: generator.snapshot(now), takenAt, nextInMs };
      })
    );
  }

  /** A domain that another worker had comes here, with what its generators were there: before its chain is made. */
  adopt(domain: string, times: readonly OperatorTime[]): void {
    this.forget(domain);
    this.#restored = [...this.#restored, ...times];
  }

  /** A domain is another worker's from now on. */
  forget(domain: string): void {
    for (const { generators } of this.#timed.values()) generators.delete(domain);
    this.#restored = this.#restored.filter((of) => of.domain !== domain);
  }

  /** Puts an `eventTime` on the watermarks' way; what comes from before it goes on from here, as far as it does. */
  add(node: EventTimeNode, after: MarkFlow): MarkFlow {
    const generators = this.#timed.get(node.id)?.generators ?? new Map();
    const timed = { node, after, generators, tickAt: undefined, probeAt: new Map() };
    this.#timed.set(node.id, timed);
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
    const restored = this.#restoredOf(node).find((of) => of.domain === domain);
    if (restored !== undefined) {
      generator.restore(restored.time, this.#clock.monotonic(), this.#hasListened(restored));
    }
    generators?.set(domain, generator);
    return generator;
  }

  #restoredOf(node: EventTimeNode): readonly OperatorTime[] {
    const index = [...this.#timed.keys()].indexOf(node.id);
    return this.#restored.filter((of) => of.index === index);
  }

  /** Whether no time has passed since the checkpoint, so that nothing can have been missed. */
  #hasListened({ takenAt }: OperatorTime): boolean {
    return takenAt === this.#clock.now();
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
      for (const timed of this.#timed.values()) timed.tickAt = undefined;
    };
  }

  /** One period for all domains: what they say counts together, not one after the other. */
  #tickLater(timed: Timed, periodMs: number): void {
    const { node, after, generators } = timed;
    if (this.#ticks.has(node.id)) return;
    const wait = (waitMs: number) => {
      timed.tickAt = this.#clock.monotonic() + waitMs;
      this.#ticks.set(node.id, this.#clock.setTimer(waitMs, tick));
    };
    const tick = () => {
      wait(periodMs);
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
    // The period that was under way at the checkpoint goes on.
    const left = this.#restoredOf(node).map(({ nextInMs = periodMs }) => nextInMs);
    wait(Math.min(periodMs, ...left));
  }

  #probe(
    { node, after, generators, probeAt }: Timed,
    periodMs: number,
    domain: string,
    held: () => boolean,
  ): Cancel {
    let cancel: Cancel = () => {};
    const wait = (waitMs: number) => {
      probeAt.set(domain, this.#clock.monotonic() + waitMs);
      cancel = this.#clock.setTimer(waitMs, probe);
    };
    const probe = () => {
      const event = generators.get(domain)?.probe(held());
      if (event !== undefined) after(domain, event);
      wait(periodMs);
    };
    const restored = this.#restoredOf(node).find((of) => of.domain === domain);
    if (restored?.nextInMs !== undefined && this.#hasListened(restored)) {
      wait(Math.min(periodMs, restored.nextInMs));
    } else probe();
    return () => {
      probeAt.delete(domain);
      cancel();
    };
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
