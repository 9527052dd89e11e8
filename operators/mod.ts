/**
 * Operators for a stream's `pipe`, besides those of RxJS.
 *
 * @module
 */

export type { FieldType } from "./field_rule.ts";
export { type Fields, fields, type FieldValue } from "./fields.ts";
export {
  flatMapJson,
  type FlatMapJsonOptions,
  type FlatMapJsonPath,
  type InvalidRecord,
} from "./flat_map_json.ts";
export { is } from "./is.ts";
export { compileJsonPath, type JsonPath } from "./json_path.ts";
export type { Issue, StandardSchema, Validation } from "./standard_schema.ts";
