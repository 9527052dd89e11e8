/**
 * RxJS operators as jobs use them: the engine is tested with the real ones.
 *
 * @module
 */

export { delay, filter, identity, map, of, reduce, scan, take, tap } from "npm:rxjs@7.8.2";
