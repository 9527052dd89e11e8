/**
 * What the module exports.
 *
 * @module
 */

export { decode, memoryStart, place } from "./decoder";
export {
  deal,
  numberGroups,
  pick,
  pickCells,
  pickGroups,
  pickNumbers,
  pickTexts,
  stringGroups,
  workersOf,
} from "./columns";
