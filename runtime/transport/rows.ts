/**
 * Rows between stages, whatever they are kept as: values in arrays (`row_batch.ts`), or columns of decoded records
 * (`decoded_rows.ts`).
 *
 * @module
 */

import type { DecodedRows } from "./decoded_rows.ts";
import type { RowBatch } from "./row_batch.ts";

/** Rows of one edge. */
export type Rows = RowBatch | DecodedRows;
