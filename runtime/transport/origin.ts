/**
 * Which records rows came from: carried along, for output ids and dead letters.
 *
 * @module
 */

/** Where rows came from: a shard. Shared by rows that are handled together. */
export interface Origin {
  /** `<source>/<shard>`, or "" for rows that no record caused: their positions say what did, for ids. */
  readonly shard: string;
  positionAt(row: number): string;
}

/** The origin of what nothing known has caused. */
export const NO_ORIGIN: Origin = { shard: "", positionAt: () => "" };

/** `<source>/<shard>@<position>`, or "" where no record is the cause: for dead letters. Ids are in `output_id.ts`. */
export function originText(origin: Origin, row: number): string {
  return origin.shard === "" ? "" : `${origin.shard}@${origin.positionAt(row)}`;
}
