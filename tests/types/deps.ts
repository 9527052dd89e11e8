/**
 * RxJS's operators as jobs use them, for the types that a chain of them has.
 *
 * @module
 */

export { filter, map } from "npm:rxjs@7.8.2";
