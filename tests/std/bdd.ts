/**
 * `@std/testing/bdd` by name and signature: suites and cases become a `Deno.test` per outermost suite with a step per
 * nested suite and case, so that Deno's own filters, sanitizers and reporters apply. The part that the tests use.
 *
 * @module
 */

/** A hook: runs before or after cases, with the suite's context as `this`. */
export type Hook<T> = (this: T) => void | Promise<void>;
/** A case's body. */
export type Body<T> = (this: T, t: Deno.TestContext) => void | Promise<void>;

/** What may be said about a case besides its name and body. */
export interface ItDefinition<T> extends Sanitizers {
  name: string;
  fn: Body<T>;
  ignore?: boolean;
  only?: boolean;
}

/** What may be said about a suite besides its name and body. */
export interface DescribeDefinition<T> extends Sanitizers {
  name: string;
  fn?: () => void;
  ignore?: boolean;
  only?: boolean;
  beforeAll?: Hook<T>;
  afterAll?: Hook<T>;
  beforeEach?: Hook<T>;
  afterEach?: Hook<T>;
}

interface Sanitizers {
  sanitizeOps?: boolean;
  sanitizeResources?: boolean;
  sanitizeExit?: boolean;
  permissions?: Deno.PermissionOptions;
}

type Context = Record<string, unknown>;
type Moment = "beforeAll" | "beforeEach" | "afterEach" | "afterAll";
type Mark = "only" | "ignore" | "none";

interface Case {
  readonly kind: "case";
  readonly name: string;
  readonly mark: Mark;
  readonly body: Body<Context>;
  readonly sanitizers: Sanitizers;
}

interface Suite {
  readonly kind: "suite";
  readonly name: string;
  readonly mark: Mark;
  readonly hooks: Readonly<Record<Moment, Hook<Context>[]>>;
  readonly items: (Case | Suite)[];
  readonly sanitizers: Sanitizers;
}

/** The suites being declared, outermost first. */
const open: Suite[] = [];

/** How a suite is declared. */
export interface Describe {
  <T>(name: string, fn: () => void): void;
  <T>(name: string, options: Omit<DescribeDefinition<T>, "name" | "fn">, fn: () => void): void;
  <T>(definition: DescribeDefinition<T>): void;
}

/** How a case is declared. */
export interface It {
  <T>(name: string, fn: Body<T>): void;
  <T>(name: string, options: Omit<ItDefinition<T>, "name" | "fn">, fn: Body<T>): void;
  <T>(definition: ItDefinition<T>): void;
}

interface Marks<F> {
  only: F;
  ignore: F;
  /** The same as `ignore`. */
  skip: F;
}

/** Declares a suite. */
export const describe: Describe & Marks<Describe> = Object.assign(describeAs("none"), {
  only: describeAs("only"),
  ignore: describeAs("ignore"),
  skip: describeAs("ignore"),
});

/** Declares a case. */
export const it: It & Marks<It> = Object.assign(itAs("none"), {
  only: itAs("only"),
  ignore: itAs("ignore"),
  skip: itAs("ignore"),
});
/** The same as {@linkcode it}. */
export const test: It & Marks<It> = it;

/** Runs once before the suite's first case. */
export function beforeAll<T>(fn: Hook<T>): void {
  addHook("beforeAll", fn);
}

/** The same as {@linkcode beforeAll}. */
export function before<T>(fn: Hook<T>): void {
  addHook("beforeAll", fn);
}

/** Runs once after the suite's last case, whatever became of it. */
export function afterAll<T>(fn: Hook<T>): void {
  addHook("afterAll", fn);
}

/** The same as {@linkcode afterAll}. */
export function after<T>(fn: Hook<T>): void {
  addHook("afterAll", fn);
}

/** Runs before each case of the suite and of those in it, outer suites' hooks first. */
export function beforeEach<T>(fn: Hook<T>): void {
  addHook("beforeEach", fn);
}

/** Runs after each case of the suite and of those in it, whatever became of it, inner suites' hooks first. */
export function afterEach<T>(fn: Hook<T>): void {
  addHook("afterEach", fn);
}

function describeAs(mark: Mark): Describe {
  return <T>(
    first: string | DescribeDefinition<T>,
    second?: (() => void) | Omit<DescribeDefinition<T>, "name" | "fn">,
    third?: () => void,
  ) => {
    const { name, fn, ignore, only, beforeAll, afterAll, beforeEach, afterEach, ...sanitizers } =
      definitionOf<DescribeDefinition<T>>(first, second, third);
    const suite: Suite = {
      kind: "suite",
      name,
      mark: markOf(mark, ignore, only),
      hooks: {
        beforeAll: listOf(beforeAll),
        afterAll: listOf(afterAll),
        beforeEach: listOf(beforeEach),
        afterEach: listOf(afterEach),
      },
      items: [],
      sanitizers,
    };
    open.push(suite);
    try {
      const result: unknown = fn?.();
      if (result instanceof Promise) {
        throw new TypeError(`Cannot declare suite "${name}" with an async function`);
      }
    } finally {
      open.pop();
    }
    declare(suite);
  };
}

function itAs(mark: Mark): It {
  return <T>(
    first: string | ItDefinition<T>,
    second?: Body<T> | Omit<ItDefinition<T>, "name" | "fn">,
    third?: Body<T>,
  ) => {
    const { name, fn, ignore, only, ...sanitizers } = definitionOf<ItDefinition<T>>(
      first,
      second,
      third,
    );
    const body = fn as Body<Context>;
    declare({ kind: "case", name, mark: markOf(mark, ignore, only), body, sanitizers });
  };
}

function definitionOf<D extends { name: string; fn?: unknown }>(
  first: string | D,
  second: object | undefined,
  third: unknown,
): D {
  if (typeof first !== "string") return first;
  const parts = typeof second === "function" ? { fn: second } : { ...second, fn: third };
  return { name: first, ...parts } as D;
}

function markOf(mark: Mark, ignore: boolean | undefined, only: boolean | undefined): Mark {
  if (mark !== "none") return mark;
  return ignore ? "ignore" : only ? "only" : "none";
}

function listOf<T>(hook: Hook<T> | undefined): Hook<Context>[] {
  return hook === undefined ? [] : [hook as Hook<Context>];
}

function addHook<T>(moment: Moment, hook: Hook<T>): void {
  const suite = open.at(-1);
  if (suite === undefined) throw new TypeError(`Cannot add ${moment}() outside of describe()`);
  suite.hooks[moment].push(hook as Hook<Context>);
}

/** Puts an item into the suite being declared, or hands it to Deno when there is none. */
function declare(item: Case | Suite): void {
  const outer = open.at(-1);
  if (outer !== undefined) {
    outer.items.push(item);
    return;
  }
  Deno.test({
    ...item.sanitizers,
    name: item.name,
    ignore: item.mark === "ignore",
    only: hasOnly(item),
    fn: (t) => item.kind === "case" ? item.body.call({}, t) : runSuite(item, t, {}, []),
  });
}

function hasOnly(item: Case | Suite): boolean {
  if (item.mark === "ignore") return false;
  return item.mark === "only" || (item.kind === "suite" && item.items.some(hasOnly));
}

async function runSuite(
  suite: Suite,
  t: Deno.TestContext,
  context: Context,
  outer: readonly Suite[],
): Promise<void> {
  const chain = [...outer, suite];
  const selective = suite.items.some(hasOnly);
  try {
    for (const hook of suite.hooks.beforeAll) await hook.call(context);
    for (const item of suite.items) {
      if (selective && !hasOnly(item)) continue;
      // What a case does to `this` is gone with the next case.
      const own: Context = Object.create(context);
      await t.step({
        ...item.sanitizers,
        name: item.name,
        ignore: item.mark === "ignore",
        fn: (step) =>
          item.kind === "case" ? runCase(item, step, own, chain) : runSuite(item, step, own, chain),
      });
    }
  } finally {
    for (const hook of suite.hooks.afterAll) await hook.call(context);
  }
}

async function runCase(
  item: Case,
  t: Deno.TestContext,
  context: Context,
  chain: readonly Suite[],
): Promise<void> {
  try {
    for (const { hooks } of chain) {
      for (const hook of hooks.beforeEach) await hook.call(context);
    }
    await item.body.call(context, t);
  } finally {
    for (const { hooks } of chain.toReversed()) {
      for (const hook of hooks.afterEach) await hook.call(context);
    }
  }
}
