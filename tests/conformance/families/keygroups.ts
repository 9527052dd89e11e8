/**
 * Key groups: by the functions through which edges choose key groups, and the supervisor places them.
 *
 * @module
 */

import {
  defaultMaxParallelism,
  keyGroupOf,
  type KeyHash,
  keyHashOf,
  murmurHash,
} from "../../../runtime/state/key_group.ts";
import { placeKeyGroups } from "../../../runtime/supervisor/placement.ts";
import type { Family } from "../family.ts";
import { type GoldenObject, numberOf, textOf } from "../golden_file.ts";

const HASHES: readonly KeyHash[] = ["string", "int", "long", "double", "boolean"];

function hashOf(step: GoldenObject): KeyHash {
  const type = textOf(step, "type");
  const hash = HASHES.find((known) => known === type);
  if (hash === undefined) {
    throw new TypeError(`Cannot hash a key as ${type}: expected one of ${HASHES.join(", ")}`);
  }
  return hash;
}

/** Hash codes, key groups and the ranges of workers. */
export const keygroups: Family = {
  name: "keygroups",
  grouping: () => undefined,
  run({ spec, input }) {
    const maxParallelism = numberOf(spec, "maxParallelism");
    const parallelism = numberOf(spec, "parallelism");
    const placed = placeKeyGroups(maxParallelism, parallelism);
    const outputs = input.map((given, step) => {
      const as = hashOf(given);
      const key = textOf(given, "key");
      const hash = keyHashOf(key, as);
      const keyGroup = keyGroupOf(key, maxParallelism, as);
      const subtask = placed[keyGroup] ?? -1;
      const range = [placed.indexOf(subtask), placed.lastIndexOf(subtask)];
      return {
        step,
        out: {
          hash,
          murmur: murmurHash(hash),
          keyGroup,
          subtask,
          range,
          defaultMaxParallelism: defaultMaxParallelism(parallelism),
        },
      };
    });
    return Promise.resolve(outputs);
  },
};
