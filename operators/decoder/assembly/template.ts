/**
 * What records of a batch have in common. Those that one program writes mostly differ in their values only: the bytes
 * between the values, names and all, are the same. A template is a list of steps, each of such bytes and what to do with
 * the value behind them. Templates that begin alike share those steps: together they are a tree.
 *
 * A record in which all steps fit is as valid as the one that they were learned from, since only strings took the place
 * of strings and numbers that of numbers, each validated; and it has the same members in the same places.
 *
 * @module
 */

/** What to do with the value behind a step's bytes. */
export const enum Action {
  /** There is none: more bytes follow. */
  BYTES = 0,
  // Not wanted.
  SKIP_STRING = 1,
  SKIP_NUMBER = 2,
  /** `true`, `false` or `null`. */
  SKIP_WORD = 3,
  /** An array or object, whose bracket is the last of the step's bytes: of the two, one might have to be looked into. */
  SKIP_REST = 4,
  // For a column.
  STRING = 5,
  NUMBER = 6,
  BOOLEAN = 7,
  /** The value was `null`, the last of the step's bytes. */
  NULL = 8,
  /** The record is over. */
  END = 9,
}

@unmanaged
/** Bytes, and what to do with the value behind them. */
export class Step {
  /** Up to 16. */
  bytes: v128;
  /** A bit for each. */
  mask: u32;
  length: u32;
  action: Action;
  /** What ends a string: a quote, or in a text in a string the backslash in front of it. */
  closing: u32;
  /** The column of cells; at the end of a record what becomes of it. */
  cells: usize;
  /** The column of its kind. */
  values: usize;
  /** The step that comes next. */
  next: Step | null;
  /** The step to try if this one does not fit. */
  other: Step | null;
}

/** Steps of a batch's templates. */
const STEPS_MAX: i32 = 1024;
/** Steps that are tried at one place. */
const OTHERS_MAX: i32 = 8;

const steps = memory.data(1024 * 48, 16);
let stepCount: i32 = 0;

/** The step that all templates begin with, or its alternatives; null if nothing is learned. */
export let firstStep: Step | null = null;

/** Forgets all. */
export function forget(): void {
  firstStep = null;
  stepCount = 0;
}

/** The step that the next one added comes after. */
let previous: Step | null = null;

/** Begins to add a template. */
export function beginTemplate(): void {
  previous = null;
}

/**
 * Adds a step with `length` bytes, up to 16, that stand at `bytes`, unless it is there already.
 *
 * @returns false if there is no room
 */
export function addStep(
  bytes: usize,
  length: u32,
  action: Action,
  closing: u32,
  cells: usize,
  values: usize,
): bool {
  if (stepCount == STEPS_MAX) return false;
  const step = changetype<Step>(steps + stepCount * offsetof<Step>());
  step.bytes = v128.load(bytes);
  step.mask = (1 << length) - 1;
  step.length = length;
  step.action = action;
  step.closing = closing;
  step.cells = cells;
  step.values = values;
  step.next = null;
  step.other = null;
  const same = placed(step);
  if (same == null) return false;
  if (same == step) stepCount++;
  previous = same;
  return true;
}

/** The step where it belongs, or what is there and the same; null if there are too many already. */
function placed(step: Step): Step | null {
  const before = previous;
  let there = before == null ? firstStep : before.next;
  if (there == null) {
    if (before == null) firstStep = step;
    else before.next = step;
    return step;
  }
  for (let tried = 1; !isSame(there, step); tried++) {
    if (tried == OTHERS_MAX) return null;
    const other = there.other;
    if (other == null) {
      there.other = step;
      return step;
    }
    there = other;
  }
  return there;
}

function isSame(one: Step, other: Step): bool {
  return one.mask == other.mask && fits(one, other.bytes) && one.action == other.action &&
    one.closing == other.closing && one.cells == other.cells && one.values == other.values;
}

@inline
/** Whether these begin with the step's bytes. */
export function fits(step: Step, bytes: v128): bool {
  return ((i8x16.bitmask(i8x16.eq(bytes, step.bytes)) as u32) & step.mask) == step.mask;
}
