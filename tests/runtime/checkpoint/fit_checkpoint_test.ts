import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fitCheckpoint, RestoreError } from "../../../runtime/checkpoint/fit_checkpoint.ts";
import type { ManifestOperator, ManifestState } from "../../../runtime/checkpoint/manifest.ts";
import type { JobPlan, PlannedStage } from "../../../runtime/stage_plan.ts";
import { KEYED_PLAN } from "../supervisor/checkpoint_parts.ts";
import { FULL_MANIFEST } from "./sample_checkpoint.ts";

const SUM: ManifestState = { name: "sum", kind: "value", version: 1, holds: "number" };
const SEEN: ManifestState = { name: "seen", kind: "map", version: 1, holds: "" };

const operator = (states: readonly ManifestState[], keys = 3): ManifestOperator => ({
  ...{ name: "sum", kind: "keyed", states, keys, bytes: 4 },
});

const manifestWith = (more: Partial<typeof FULL_MANIFEST> = {}) => ({
  ...FULL_MANIFEST,
  ...{ job: "demo", maxParallelism: 2, operators: [operator([SUM])] },
  sources: [{ name: "in", kind: "memory", of: "numbers", shards: [] }],
  ...more,
});

/** The job, whose stage `sum` declares these states. */
const planWith = (...states: readonly PlannedStage["states"][number][]): JobPlan => ({
  ...KEYED_PLAN,
  stages: KEYED_PLAN.stages.map((stage) => stage.kind === "keyed" ? { ...stage, states } : stage),
});

const declared = (state: ManifestState, migrates = false) => ({ ...state, migrates });

function fit(
  manifest: ReturnType<typeof manifestWith>,
  plan: JobPlan,
  allowDroppedState = false,
) {
  return fitCheckpoint(manifest, plan, { allowDroppedState });
}

function refused(manifest: ReturnType<typeof manifestWith>, plan: JobPlan): string {
  return assertThrows(() => fit(manifest, plan), RestoreError).message;
}

/** Refused without leave, and dropped with it. */
function dropped(manifest: ReturnType<typeof manifestWith>, plan: JobPlan, what: string) {
  const message = refused(manifest, plan);
  assertEquals(message.includes(what), true, message);
  assertEquals(message.includes("--allow-dropped-state"), true, message);
  const fitted = fit(manifest, plan, true);
  assertEquals(fitted.dropped.map((of) => of.startsWith(what)), [true]);
  return fitted;
}

describe("fitCheckpoint()", () => {
  it("takes over what has the same name and is the same", () => {
    assertEquals(
      fit(
        manifestWith({ operators: [operator([SUM, SEEN])] }),
        planWith(...[
          declared(SEEN),
          declared(SUM),
        ]),
      ),
      {
        operators: [{ name: "sum", dropped: [], migrated: {} }],
        sources: ["in"],
        dropped: [],
      },
    );
  });

  it("lets operators, state and sources begin that the checkpoint does not know", () => {
    const { operators, sources } = fit(
      manifestWith({ operators: [], sources: [] }),
      planWith(declared(SUM)),
    );
    assertEquals([operators, sources], [[], []]);
    const [of] = fit(manifestWith(), planWith(declared(SUM), declared(SEEN))).operators;
    assertEquals(of, { name: "sum", dropped: [], migrated: {} });
  });

  it("refuses a checkpoint of another job, or with another number of key groups", () => {
    const plan = planWith(declared(SUM));
    assertEquals(
      refused(manifestWith({ job: "other", kind: "savepoint" }), plan),
      'Cannot start job "demo" from savepoint 7: it is of job "other"; give one of this job, or the job that name',
    );
    assertEquals(
      refused(manifestWith({ maxParallelism: 128 }), plan),
      'Cannot start job "demo" from checkpoint 7: it has 128 key groups and the job 2; ' +
        "set maxParallelism to 128, or start without the checkpoint",
    );
  });

  it("drops an operator only with leave, and one that had no keys without", () => {
    const gone = { ...operator([SUM], 5), name: "gone" };
    const { operators } = dropped(
      manifestWith({ operators: [operator([SUM]), gone] }),
      planWith(declared(SUM)),
      'operator "gone" with 5 keys',
    );
    assertEquals(operators.map(({ name }) => name), ["sum"]);
    const empty = manifestWith({ operators: [operator([SUM]), { ...gone, keys: 0 }] });
    assertEquals(fit(empty, planWith(declared(SUM))).dropped, []);
  });

  it("takes a source of the same name for no operator", () => {
    dropped(
      manifestWith({ operators: [{ ...operator([SUM]), name: "in" }] }),
      planWith(declared(SUM)),
      'operator "in" with 3 keys',
    );
  });

  it("drops state only with leave, and where there are no keys without: it is left out all the same", () => {
    const [of] = dropped(
      manifestWith({ operators: [operator([SUM, SEEN])] }),
      planWith(declared(SUM)),
      'state "seen" of operator "sum"',
    ).operators;
    assertEquals(of?.dropped, ["seen"]);
    const empty = manifestWith({ operators: [operator([SUM, SEEN], 0)] });
    const fitted = fit(empty, planWith(declared(SUM)));
    assertEquals([fitted.operators[0]?.dropped, fitted.dropped], [["seen"], []]);
  });

  it("migrates state of a lower version, from the version that is there, or refuses it", () => {
    const manifest = manifestWith({ operators: [operator([{ ...SUM, version: 2 }])] });
    const newer = { ...SUM, version: 4, holds: "object" };
    assertEquals(fit(manifest, planWith(declared(newer, true))).operators[0]?.migrated, { sum: 2 });
    assertEquals(
      refused(manifest, planWith(declared(newer))),
      'Cannot start job "demo" from checkpoint 7: state "sum" of operator "sum" is of version 2 there and 4 in the ' +
        "job; declare it with migrate(content, version) for content of version 2",
    );
  });

  it("refuses state of a higher version, though it could be dropped", () => {
    const manifest = manifestWith({ operators: [operator([{ ...SUM, version: 3 }])] });
    for (const allowDroppedState of [false, true]) {
      assertThrows(
        () => fit(manifest, planWith(declared({ ...SUM, version: 2 }, true)), allowDroppedState),
        RestoreError,
        "is of version 3 there and 2 in the job; start the newer version of the job",
      );
    }
  });

  it("refuses state that is something else in the same version, and asks for a version more", () => {
    const changes: readonly (readonly [ManifestState, ManifestState, string])[] = [
      [SUM, { ...SUM, kind: "list", holds: "" }, "is a value of type number there and a list in"],
      [SUM, { ...SUM, holds: "string" }, "is a value of type number there and a value of type str"],
      [SEEN, { ...SEEN, kind: "list" }, "is a map there and a list in the job, both of version 1"],
    ];
    for (const [was, is, said] of changes) {
      const message = refused(
        manifestWith({ operators: [operator([was])] }),
        planWith(declared(is, true)),
      );
      assertEquals(message.includes(said), true, message);
      assertEquals(message.includes("raise its version to 2"), true, message);
    }
  });

  it("can't tell values apart that are undefined before they are set", () => {
    const unset = { ...SUM, holds: "undefined" };
    const manifest = manifestWith({ operators: [operator([unset])] });
    assertEquals(fit(manifest, planWith(declared(unset))).operators.length, 1);
    const message = refused(manifest, planWith(declared({ ...unset, kind: "map", holds: "" })));
    assertEquals(message.includes("is a value there and a map in the job"), true, message);
  });

  it("asks nothing of state that no key has", () => {
    const plan = planWith(declared({ ...SUM, kind: "list", holds: "", version: 2 }));
    const manifest = manifestWith({ operators: [operator([{ ...SUM, version: 9 }], 0)] });
    assertEquals(fit(manifest, plan).operators, [{ name: "sum", dropped: [], migrated: {} }]);
  });

  it("drops positions of a source that is gone or reads something else only with leave", () => {
    const plan = planWith(declared(SUM));
    const sources = (name: string, kind: string, of: string) =>
      manifestWith({ sources: [{ name, kind, of, shards: [] }] });
    const gone = dropped(sources("old", "memory", "numbers"), plan, 'source "old" (memory "numb');
    assertEquals(gone.sources, []);
    const moved = 'source "in" reading memory "letters" (now memory "numbers")';
    assertEquals(dropped(sources("in", "memory", "letters"), plan, moved).sources, []);
    const other = 'source "in" reading kinesis "numbers" (now memory "numbers")';
    assertEquals(dropped(sources("in", "kinesis", "numbers"), plan, other).sources, []);
  });
});
