/**
 * Every third-party package, each with an exact version and what it spares us. Specifiers are inline because import
 * maps do not apply when `mod.ts` is imported from a URL. A package that only some jobs need is loaded when asked for.
 *
 * @module
 */

/** RxJS: the operator vocabulary that jobs are written in; public API only. */
export { Observable, Subject } from "npm:rxjs@7.8.2";
export type { OperatorFunction, Subscriber, Subscription } from "npm:rxjs@7.8.2";
