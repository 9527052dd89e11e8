import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import {
  checkTopology,
  consumersOf,
  inputsOf,
  type Node,
  outputsOf,
  type Topology,
  TopologyError,
} from "../../runtime/topology.ts";

const source = (id: number, name: string): Node => ({
  kind: "source",
  id,
  name,
  source: memory.source([1]),
});
const sink = (id: number, name: string, node: number): Node => ({
  kind: "sink",
  id,
  name,
  input: { node, port: "main" },
});
const keyed = (id: number, name: string): Node => ({
  kind: "keyed",
  id,
  name,
  inputs: [],
  operator: { kind: "handlers", state: {}, handlers: [], onTimer: undefined },
});
const topology = (nodes: readonly Node[], sinks = ["out"]): Topology => ({
  nodes,
  sinks: new Map(sinks.map((name) => [name, memory.sink<unknown>(name)])),
});

describe("consumersOf()", () => {
  it("lists who reads an output, in order, and twice who reads it twice", () => {
    const merge: Node = {
      kind: "merge",
      id: 2,
      inputs: [{ node: 0, port: "main" }, { node: 0, port: "main" }],
    };
    const invalid: Node = {
      kind: "sink",
      id: 3,
      name: "invalid",
      input: { node: 0, port: "invalid" },
    };
    const nodes = [source(0, "in"), sink(1, "out", 0), merge, invalid];
    const readers = (port: "main" | "invalid") =>
      consumersOf(topology(nodes), { node: 0, port }).map(({ node, input }) => [node.id, input]);
    assertEquals(readers("main"), [[1, 0], [2, 0], [2, 1]]);
    assertEquals(readers("invalid"), [[3, 0]]);
  });
});

describe("inputsOf()", () => {
  it("gives what a node reads directly: nothing for heads of stages", () => {
    assertEquals(inputsOf(sink(1, "out", 0)), [{ node: 0, port: "main" }]);
    assertEquals([inputsOf(source(0, "in")), inputsOf(keyed(1, "sum"))], [[], []]);
  });
});

describe("outputsOf()", () => {
  it("tells each output of a node, with those of its sides", () => {
    const handlers = { state: {}, handlers: [], onTimer: undefined, sides: ["a", "main"] };
    const node = (of: Node) => outputsOf(of).map(({ node, port }) => `${node} ${port}`);
    assertEquals(node(source(3, "in")), ["3 main"]);
    assertEquals(
      node({
        kind: "keyed",
        id: 4,
        name: "n",
        inputs: [],
        operator: { kind: "handlers", ...handlers },
      }),
      ["4 main", "4 side:a", "4 side:main"],
    );
  });
});

describe("checkTopology()", () => {
  it("takes what can run", () => {
    checkTopology("demo", topology([source(0, "in"), sink(1, "out", 0)]));
    const named = [source(0, "a/b@x"), keyed(1, "a/c@1"), sink(2, "a/b@x/d@2", 0)];
    checkTopology("demo", topology(named, ["a/b@x/d@2"]));
  });

  it("refuses what can't, with what to do", () => {
    const fed = [source(0, "in"), sink(1, "out", 0)];
    const cases: [string, Topology][] = [
      ["it has no source: declare at least one in sources", topology([])],
      ["it has no sink: declare at least one in sinks", topology(fed, [])],
      [
        'the name "in" is used twice, by a source and by a keyed operator: give each its own',
        topology([...fed, keyed(2, "in")]),
      ],
      [
        "a keyed operator has no name: it needs one that stays the same",
        topology([...fed, keyed(2, "")]),
      ],
      [
        'source "other" is never read: use its stream, or take it out of sources',
        topology([...fed, source(2, "other")]),
      ],
      [
        'sink "second" is never fed: end a stream with to(sinks.second), or take it out of sinks',
        topology(fed, ["out", "second"]),
      ],
      [
        'no sink can be named "dead letters", which is that of deadLetters: give it another name',
        topology([source(0, "in"), sink(1, "dead letters", 0)], ["dead letters"]),
      ],
      [
        'the name "in/sum" reads like that of a shard of source "in": let it not begin with "in/"',
        topology([...fed, keyed(2, "in/sum")]),
      ],
      [
        'source "sum@1" is named like a worker\'s part of an operator: let it not end in "@" and a number',
        topology([source(0, "sum@1"), sink(1, "out", 0)]),
      ],
    ];
    for (const [message, broken] of cases) {
      assertThrows(
        () => checkTopology("demo", broken),
        TopologyError,
        `Cannot build job "demo": ${message}`,
      );
    }
  });
});
