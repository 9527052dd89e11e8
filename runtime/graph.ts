/**
 * What a job's `build` has chained so far: nodes, numbered in order of building, and the sinks that streams may end in.
 *
 * @module
 */

import type { Job } from "./job.ts";
import { type Node, type NodeId, type Output, TopologyError } from "./topology.ts";

/** The nodes written down so far. */
export class Graph {
  readonly nodes: Node[] = [];
  readonly #jobName: string;
  readonly #sinks = new Map<unknown, string>();

  constructor(job: Job) {
    this.#jobName = job.name;
    for (const [name, sink] of Object.entries(job.sinks)) {
      const other = this.#sinks.get(sink);
      if (other !== undefined) {
        this.fail(`sinks "${other}" and "${name}" are the same object: make one for each`);
      }
      this.#sinks.set(sink, name);
    }
  }

  add(node: (id: NodeId) => Node): Output {
    const id = this.nodes.length;
    this.nodes.push(node(id));
    return { node: id, port: "main" };
  }

  sinkName(sink: unknown): string {
    const name = this.#sinks.get(sink);
    if (name === undefined) {
      this.fail("a stream ends in a sink that is not among the job's sinks: declare it there");
    }
    return name;
  }

  fail(what: string): never {
    throw new TopologyError(`Cannot build job "${this.#jobName}": ${what}`);
  }
}
