/**
 * Looks ahead at what structured clone would do with a value: whether it can be cloned, where it can't, and about how
 * large it is. `postMessage` says only that a whole batch failed; a dead letter needs the row and the field. Looking
 * costs less than cloning, and is done only for values that do not fit a typed column.
 *
 * It promises no false alarm. A `Proxy` and extra properties of arrays are the things it lets pass although structured
 * clone refuses them: for those, `uncloneableRows` asks structured clone itself.
 *
 * @module
 */

/** A value with more parts than this, counted through shared references, is called unbounded. */
export const INSPECTED_PARTS_MAX = 16_384;
/** A value nested deeper than this is called unbounded. A cycle always is. */
export const INSPECTED_DEPTH_MAX = 32;

/** Why a value can't be sent in a column. */
export type Finding =
  /** It has a cycle, or is too deep or too large to be looked at: only structured clone itself can tell. */
  | { readonly kind: "unbounded" }
  /** Structured clone refuses the part at `path` (`""` is the value itself). */
  | {
    readonly kind: "uncloneable";
    readonly path: string;
    readonly what: string;
    readonly cause: unknown;
  };

const PRIMITIVE_BYTES = 8;
const OBJECT_BYTES = 16;
const UNBOUNDED: Finding = { kind: "unbounded" };

/** Built-in classes whose instances clone without a look inside. */
const opaque: ReadonlySet<unknown> = new Set([
  Boolean.prototype,
  Date.prototype,
  Number.prototype,
  RegExp.prototype,
  String.prototype,
]);

/** Prototypes of classes of which structured clone has taken an instance before. */
const proven = new WeakSet<object>();

/** One look at one value: make a new one for the next. `bytes` adds up what has been seen. */
export class CloneInspection {
  bytes = 0;
  #parts = 0;

  /**
   * @returns undefined if the value can be cloned
   *
   * @example A function inside
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { CloneInspection } from "./clone_inspection.ts";
   * const finding = new CloneInspection().inspect({ a: [1, { b: () => 1 }] });
   * assertEquals(finding, { kind: "uncloneable", path: ".a[1].b", what: "is a function", cause: undefined });
   * ```
   */
  inspect(value: unknown): Finding | undefined {
    return this.#inspect(value, 0);
  }

  #inspect(value: unknown, depth: number): Finding | undefined {
    if (++this.#parts > INSPECTED_PARTS_MAX || depth > INSPECTED_DEPTH_MAX) return UNBOUNDED;
    switch (typeof value) {
      case "string":
        this.bytes += value.length;
        return undefined;
      case "function":
      case "symbol":
        return uncloneable(`is a ${typeof value}`);
      case "object":
        if (value === null) break;
        this.bytes += OBJECT_BYTES;
        return this.#inspectObject(value, depth);
      default:
    }
    this.bytes += PRIMITIVE_BYTES;
    return undefined;
  }

  #inspectObject(value: object, depth: number): Finding | undefined {
    if (Array.isArray(value)) return this.#inspectArray(value, depth);
    if (value instanceof Map) return this.#inspectMap(value, depth);
    if (value instanceof Set) return this.#inspectSet(value, depth);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const buffer = value instanceof ArrayBuffer ? value : value.buffer;
      this.bytes += value.byteLength;
      return buffer instanceof ArrayBuffer && buffer.detached
        ? uncloneable("is on a detached buffer")
        : undefined;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      return this.#inspectFields(value, depth);
    }
    if (opaque.has(prototype)) return undefined;
    // Error is asked about each time: a cause may be anything, and is no field that could be looked at.
    if (typeof prototype === "object" && proven.has(prototype) && !(value instanceof Error)) {
      return this.#inspectFields(value, depth);
    }
    return trial(value, prototype);
  }

  #inspectFields(value: object, depth: number): Finding | undefined {
    for (const name of Object.keys(value)) {
      this.bytes += name.length;
      let cell: unknown;
      try {
        cell = Reflect.get(value, name);
      } catch (cause) {
        return uncloneable(`throws when it is read: ${messageOf(cause)}`, cause, `.${name}`);
      }
      const finding = this.#inspect(cell, depth + 1);
      if (finding !== undefined) return under(`.${name}`, finding);
    }
    return undefined;
  }

  #inspectArray(value: readonly unknown[], depth: number): Finding | undefined {
    for (let index = 0; index < value.length; index++) {
      const finding = this.#inspect(value[index], depth + 1);
      if (finding !== undefined) return under(`[${index}]`, finding);
    }
    return undefined;
  }

  #inspectMap(value: ReadonlyMap<unknown, unknown>, depth: number): Finding | undefined {
    let index = 0;
    for (const [key, cell] of value) {
      const finding = this.#inspect(key, depth + 1) ?? this.#inspect(cell, depth + 1);
      if (finding !== undefined) return under(`[${index}]`, finding);
      index++;
    }
    return undefined;
  }

  #inspectSet(value: ReadonlySet<unknown>, depth: number): Finding | undefined {
    let index = 0;
    for (const cell of value) {
      const finding = this.#inspect(cell, depth + 1);
      if (finding !== undefined) return under(`[${index}]`, finding);
      index++;
    }
    return undefined;
  }
}

/** Asks structured clone itself, once for a class that it takes. */
function trial(value: object, prototype: unknown): Finding | undefined {
  try {
    structuredClone(value);
  } catch (cause) {
    // A field of the instance may be to blame: then its name says more than the class does.
    for (const name of Object.keys(value)) {
      const type = typeOfField(value, name);
      if (type === "function" || type === "symbol") {
        return uncloneable(`is a ${type}`, cause, `.${name}`);
      }
    }
    return uncloneable(`is an instance of ${classOf(value)}: ${messageOf(cause)}`, cause);
  }
  if (typeof prototype === "object" && prototype !== null) proven.add(prototype);
  return undefined;
}

function uncloneable(what: string, cause?: unknown, path = ""): Finding {
  return { kind: "uncloneable", path, what, cause };
}

function under(step: string, finding: Finding): Finding {
  return finding.kind === "unbounded" ? finding : { ...finding, path: step + finding.path };
}

function typeOfField(value: object, name: string): string {
  try {
    return typeof Reflect.get(value, name);
  } catch {
    return "unreadable";
  }
}

function classOf(value: object): string {
  const constructor: unknown = Reflect.get(value, "constructor");
  return typeof constructor === "function" && constructor.name !== ""
    ? constructor.name
    : "a class";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
