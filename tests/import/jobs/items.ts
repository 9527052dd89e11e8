/**
 * A job from a file to a file whose paths are parts of its URL: numbers the items of each line. What is no text among
 * them is a dead letter.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { defineJob, file, flatMapJson, store } from "../../../mod.ts";

const query = new URL(import.meta.url).searchParams;

export default defineJob({
  name: "items",
  sources: { lines: file.source(query.get("in") ?? "") },
  sinks: { numbered: file.sink<{ item: string; number: number }>(query.get("out") ?? "") },
  build({ lines }, { numbered }) {
    lines.pipe(flatMapJson("$.items[*]", z.string()))
      .keyBy((item) => item)
      .process("number", {
        state: { number: store.value(0) },
        onEvent: (item, { state }) => [{ item, number: state.number.value += 1 }],
      })
      .to(numbered);
  },
});
