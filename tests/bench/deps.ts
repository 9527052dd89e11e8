/**
 * The operators that the RxJS peer is written with; the project itself uses none of them.
 *
 * @module
 */

export { filter, groupBy, map, mergeMap, Observable, scan, skip, toArray } from "npm:rxjs@7.8.2";
