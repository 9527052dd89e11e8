/**
 * RxJS operators as jobs use them: the engine is tested with the real ones.
 *
 * @module
 */

export { bufferCount, filter, map, of, reduce, scan, take, withLatestFrom } from "npm:rxjs@7.8.2";
