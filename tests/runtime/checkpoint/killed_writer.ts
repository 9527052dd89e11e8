/**
 * A process that writes a checkpoint to a SQLite file and stops in the middle, for a test to kill it there. Arguments: the
 * file, and at which of the pauses that the store makes. Says "here" when it is there, "written" if it never came there.
 *
 * @module
 */

import { sqliteStore } from "../../../runtime/checkpoint/sqlite_store.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { manifestNaming, someBytes, storeContext } from "./store_suite.ts";

const [path = "", pauseText] = Deno.args;
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
let pauses = Number(pauseText);
const clock = {
  ...systemClock,
  defer(callback: () => void) {
    if (--pauses > 0) return systemClock.defer(callback);
    say("here");
    // Keeps the process alive until it is killed.
    return systemClock.setTimer(3_600_000, callback);
  },
};
const store = await sqliteStore(path).open(storeContext({ clock }));
const names = ["a", "b", "c"];
const parts = names.map((name, index) => ({ name, bytes: someBytes(3_000_000, index) }));
await store.write({ id: 2, manifest: manifestNaming(...names), parts });
say("written");
await store.close();
