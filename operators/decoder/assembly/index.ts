/**
 * What the module exports.
 *
 * @module
 */

export { decode, memoryStart, place } from "./decoder";
export { numberGroups, pick, pickCells, pickNumbers, pickTexts, stringGroups } from "./columns";
