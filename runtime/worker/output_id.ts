/**
 * Ids of outputs: the same whenever the same input is processed again, however many workers there are and in whichever
 * order they run.
 *
 * ```
 *  <source>/<shard>@<position>#<sub>                        what a record has caused
 *  timer/<stage>/<key>/<domain>/<name>/<at>#<sub>           what a timer has caused
 *  end/<stage>/<shard | group | key>/<which>#<sub>          what the end of a bounded input has caused
 *  dead/<id that the row has, or would have had>#0          a dead letter
 * ```
 *
 * `sub` is a whole number below 2^53, in base 36: which output of its cause it is. At a source things are numbered as
 * they leave for a record, from 0, whichever way they take. Behind a cut the numbers of one row's outputs are mixed of
 * its own and of the stage, so that they differ behind any number of stages; that two outputs of one record get the same
 * number is as likely as two equal ones among so many random numbers of 52 bits. Nothing but numbers is kept for a row:
 * the text is made when a sink asks for it.
 *
 * In names, shards and keys of timers and ends, the characters `%`, `/`, `#`, `@` and `~` are escaped as in URLs; a key
 * that is a number has a `~` before it. A timer that fires again for the very time for which it has fired before, having
 * been set anew after that, gives the same ids again: that happens only to one that is set for a time that is over.
 *
 * @module
 */

import type { Key } from "../key.ts";
import type { Origin } from "../transport/origin.ts";

const HALF = 0x1_0000_0000;
const HIGH_MASK = 0xf_ffff;

/**
 * The id of an output.
 *
 * @example Of a record, and of a timer
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { outputId, timerOrigin } from "./output_id.ts";
 * const shard = { shard: "orders/shard-0", positionAt: (row: number) => `${100 + row}` };
 * assertEquals(outputId(shard, 7, 36), "orders/shard-0@107#10");
 * const timer = timerOrigin("sum", "event", { key: "a/b", name: "close", at: 5000 });
 * assertEquals(outputId(timer, 0, 0), "timer/sum/a%2fb/event/close/5000#0");
 * ```
 */
export function outputId(origin: Origin, row: number, sub: number): string {
  const position = origin.positionAt(row);
  const cause = origin.shard === "" ? position : `${origin.shard}@${position}`;
  return `${cause}#${sub.toString(36)}`;
}

/** What a timer causes has no record as its origin, but an id all the same. */
export function timerOrigin(
  stage: string,
  domain: "event" | "processing",
  { key, name, at }: { readonly key: Key; readonly name: string; readonly at: number },
): Origin {
  const positionAt = () =>
    `timer/${escaped(stage)}/${keyText(key)}/${domain}/${escaped(name)}/${at}`;
  return { shard: "", positionAt };
}

/** The same for what operators put out when their input is over. */
export function endOrigin(stage: string, part: "shard" | "group" | "key", which: Key): Origin {
  return { shard: "", positionAt: () => `end/${escaped(stage)}/${part}/${keyText(which)}` };
}

/** The same for a dead letter, of a row with this id. */
export function deadLetterOrigin(id: string): Origin {
  return { shard: "", positionAt: () => `dead/${id}` };
}

/** What a stage's name, or an operator's, adds to numbers: 32 bits, never 0. */
export function saltOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  return scrambled(hash, 0x2545f491) || 1;
}

/**
 * A number of 52 bits: different ones for different numbers below 2^52 with the same salt, and as good as random else.
 * Three rounds of a Feistel network, its halves having 20 and 32 bits.
 */
export function mixed(sub: number, salt: number): number {
  let low = sub >>> 0;
  let high = Math.floor(sub / HALF) & HIGH_MASK;
  low = (low ^ scrambled(high, salt)) >>> 0;
  high ^= scrambled(low, salt ^ 0x9e3779b9) & HIGH_MASK;
  low = (low ^ scrambled(high, salt ^ 0x7f4a7c15)) >>> 0;
  return high * HALF + low;
}

function scrambled(value: number, salt: number): number {
  let bits = Math.imul(value ^ salt, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15) ^ salt, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 13), 0x27d4eb2f);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function keyText(key: Key): string {
  return typeof key === "number" ? `~${key}` : escaped(key);
}

function escaped(text: string): string {
  return text.replace(/[%/#@~]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}
