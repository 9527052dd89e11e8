/**
 * How the stages of a worker are connected: what comes in to each over which channels and in whose names, and what goes
 * out.
 *
 * @module
 */

import type { RestoredStage } from "../checkpoint/worker_snapshot.ts";
import type { Edge, Stage } from "../stage_plan.ts";
import type { GateOrigins } from "../time/gate_watermark.ts";
import type { NodeId, Topology } from "../topology.ts";
import { BroadcastOutput } from "./broadcast_output.ts";
import { EdgeChannels } from "./edge_channels.ts";
import { EdgeOutput } from "./edge_output.ts";
import type { Exchange } from "./exchange.ts";
import type { Failures } from "./failures.ts";
import type { Placement } from "./protocol.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { shardOrigin } from "./shard_actor.ts";
import { type InputOfWorker, originOf, type StageInput } from "./stage_inputs.ts";

/** The edges of all stages on one worker. */
export class StageEdges {
  readonly #topology: Topology;
  readonly #placement: Placement;
  readonly #exchange: Exchange;
  readonly #stages: readonly Stage[];
  readonly #failures: Failures;

  constructor(options: {
    topology: Topology;
    placement: Placement;
    exchange: Exchange;
    stages: readonly Stage[];
    failures: Failures;
  }) {
    this.#topology = options.topology;
    this.#placement = options.placement;
    this.#exchange = options.exchange;
    this.#stages = options.stages;
    this.#failures = options.failures;
  }

  /** What comes in to a keyed stage from the workers that are there when it is opened. */
  inputs(stage: Stage, count: number, restored: RestoredStage | undefined): readonly StageInput[] {
    const { workers } = this.#placement;
    return Array.from({ length: count }, (_, input) => {
      const edges = edgesOf(stage, input);
      return {
        channels: edges.flatMap((edge) => this.#exchange.inbound(edge).slice(0, workers)),
        origins: this.#originsOf(new Set(edges.map(({ from }) => from))),
        restored: restored?.inputs[input],
      };
    });
  }

  /** What comes in to it from one worker. */
  inputsOf(stage: Stage, count: number, worker: number): readonly InputOfWorker[] {
    const { slots } = this.#placement;
    return Array.from({ length: count }, (_, input) => {
      const edges = edgesOf(stage, input);
      const upstream = [...new Set(edges.map(({ from }) => from))];
      return {
        channels: edges.flatMap((edge) => this.#exchange.inbound(edge)[worker] ?? []),
        origins: upstream.filter((name) => this.#head(name)?.kind === "keyed").map((name) => ({
          name: originOf(name, worker),
          siblings: Array.from({ length: slots }, (_, other) => originOf(name, other)),
        })),
      };
    });
  }

  /** Its ways out of this worker, by the node of the cut. */
  outputs(stage: Stage, cursor: RecordCursor): Map<NodeId, EdgeOutput | BroadcastOutput> {
    const { routing, workers } = this.#placement;
    const outputs = new Map<NodeId, EdgeOutput | BroadcastOutput>();
    const cutOf = (edge: Edge) => "keyBy" in edge ? edge.keyBy : edge.broadcast;
    for (const [id, ofCut] of Map.groupBy(stage.outputs, cutOf)) {
      const node = this.#topology.nodes[id];
      const edges = ofCut.map((edge) => this.#exchange.outbound(edge));
      const channels = new EdgeChannels(edges, workers);
      const operator = `${stage.name}/${node?.kind}`;
      const options = { operator, channels, cursor, failures: this.#failures };
      if (node?.kind === "keyBy") {
        outputs.set(id, new EdgeOutput({ ...options, routing, key: node.key, hash: node.hash }));
      } else if (node?.kind === "broadcast") {
        outputs.set(id, new BroadcastOutput(options));
      } else {throw new Error(
          `Cannot open the edges of node ${id}: it is no keyBy and no broadcast`,
        );}
    }
    return outputs;
  }

  /** Who sends the watermarks of stages: their shards, or their parts on each worker. */
  #originsOf(names: Iterable<string>): GateOrigins {
    const { shards, workers } = this.#placement;
    const splits = new Map<string, readonly string[]>();
    const channels: string[] = [];
    for (const name of names) {
      const head = this.#head(name);
      if (head?.kind === "source") {
        const origins = (shards[name] ?? []).map((shard) => shardOrigin(name, shard));
        if (head.source.watermarks === "channels") channels.push(...origins);
        else splits.set(name, origins);
      } else {
        for (let worker = 0; worker < workers; worker++) channels.push(originOf(name, worker));
      }
    }
    return { splits, channels };
  }

  #head(name: string): Stage["head"] | undefined {
    return this.#stages.find((stage) => stage.name === name)?.head;
  }
}

function edgesOf({ inputs }: Stage, input: number): readonly Edge[] {
  return inputs.filter((edge) => edge.input === input);
}
