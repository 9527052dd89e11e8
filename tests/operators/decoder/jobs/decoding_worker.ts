/**
 * Decodes one record in a thread of its own and posts what it got.
 *
 * @module
 */

import { ColumnDecoder } from "../../../../operators/decoder/column_decoder.ts";
import { fields } from "../../../../operators/fields.ts";

const arena = new TextEncoder().encode('{"id":"a"}');
const decoded = ColumnDecoder.of(["$"], fields({ id: "string" }))
  ?.decode({ arena, starts: [0], ends: [arena.length] });
self.postMessage(decoded?.rowAt(0));
self.close();
