/**
 * The example tables of RFC 9535 as data. Where the RFC allows several orders (members of an
 * object), the one expected here is the object's own.
 *
 * @module
 */

/** A path and the nodes that it selects. */
export type Selection = readonly [path: string, expected: readonly unknown[]];

const bicycle = { color: "red", price: 399 };
const sayings = {
  category: "reference",
  author: "Nigel Rees",
  title: "Sayings of the Century",
  price: 8.95,
};
const sword = {
  category: "fiction",
  author: "Evelyn Waugh",
  title: "Sword of Honour",
  price: 12.99,
};
const moby = {
  category: "fiction",
  author: "Herman Melville",
  title: "Moby Dick",
  isbn: "0-553-21311-3",
  price: 8.99,
};
const rings = {
  category: "fiction",
  author: "J. R. R. Tolkien",
  title: "The Lord of the Rings",
  isbn: "0-395-19395-8",
  price: 22.99,
};
const book = [sayings, sword, moby, rings];
const authors = book.map(({ author }) => author);
const letters = ["a", "b", "c", "d", "e", "f", "g"];

/** Section by section: a document, and what paths select in it. */
export const SELECTIONS: readonly {
  readonly section: string;
  readonly document: unknown;
  readonly rows: readonly Selection[];
}[] = [
  {
    section: "1.5",
    document: { store: { book, bicycle } },
    rows: [
      ["$.store.book[*].author", authors],
      ["$..author", authors],
      ["$.store.*", [book, bicycle]],
      ["$.store..price", [8.95, 12.99, 8.99, 22.99, 399]],
      ["$..book[2]", [moby]],
      ["$..book[2].author", ["Herman Melville"]],
      ["$..book[2].publisher", []],
      ["$..book[-1]", [rings]],
      ["$..book[0,1]", [sayings, sword]],
      ["$..book[:2]", [sayings, sword]],
      ["$..book[?@.isbn]", [moby, rings]],
      ["$..book[?@.price<10]", [sayings, moby]],
      [
        "$..*",
        [
          { book, bicycle },
          book,
          bicycle,
          ...book,
          ...book.flatMap((one): unknown[] => Object.values(one)),
          "red",
          399,
        ],
      ],
    ],
  },
  { section: "2.2.3", document: { k: "v" }, rows: [["$", [{ k: "v" }]]] },
  {
    section: "2.3.1.3",
    document: { o: { "j j": { "k.k": 3 } }, "'": { "@": 2 } },
    rows: [
      ["$.o['j j']", [{ "k.k": 3 }]],
      ["$.o['j j']['k.k']", [3]],
      ['$.o["j j"]["k.k"]', [3]],
      [`$["'"]["@"]`, [2]],
    ],
  },
  {
    section: "2.3.2.3",
    document: { o: { j: 1, k: 2 }, a: [5, 3] },
    rows: [
      ["$[*]", [{ j: 1, k: 2 }, [5, 3]]],
      ["$.o[*]", [1, 2]],
      ["$.o[*, *]", [1, 2, 1, 2]],
      ["$.a[*]", [5, 3]],
    ],
  },
  { section: "2.3.3.3", document: ["a", "b"], rows: [["$[1]", ["b"]], ["$[-2]", ["a"]]] },
  {
    section: "2.3.4.3",
    document: letters,
    rows: [
      ["$[1:3]", ["b", "c"]],
      ["$[5:]", ["f", "g"]],
      ["$[1:5:2]", ["b", "d"]],
      ["$[5:1:-2]", ["f", "d"]],
      ["$[::-1]", letters.toReversed()],
    ],
  },
  {
    section: "2.3.5.3",
    document: {
      a: [3, 5, 1, 2, 4, 6, { b: "j" }, { b: "k" }, { b: {} }, { b: "kilo" }],
      o: { p: 1, q: 2, r: 3, s: 5, t: { u: 6 } },
      e: "f",
    },
    rows: [
      ["$.a[?@.b == 'kilo']", [{ b: "kilo" }]],
      ["$.a[?(@.b == 'kilo')]", [{ b: "kilo" }]],
      ["$.a[?@>3.5]", [5, 4, 6]],
      ["$.a[?@.b]", [{ b: "j" }, { b: "k" }, { b: {} }, { b: "kilo" }]],
      ["$[?@.*]", [
        [3, 5, 1, 2, 4, 6, { b: "j" }, { b: "k" }, { b: {} }, { b: "kilo" }],
        { p: 1, q: 2, r: 3, s: 5, t: { u: 6 } },
      ]],
      ["$[?@[?@.b]]", [[3, 5, 1, 2, 4, 6, { b: "j" }, { b: "k" }, { b: {} }, { b: "kilo" }]]],
      ["$.o[?@<3, ?@<3]", [1, 2, 1, 2]],
      ['$.a[?@<2 || @.b == "k"]', [1, { b: "k" }]],
      ['$.a[?match(@.b, "[jk]")]', [{ b: "j" }, { b: "k" }]],
      ['$.a[?search(@.b, "[jk]")]', [{ b: "j" }, { b: "k" }, { b: "kilo" }]],
      ["$.o[?@>1 && @<4]", [2, 3]],
      ["$.o[?@.u || @.x]", [{ u: 6 }]],
      ["$.a[?@.b == $.x]", [3, 5, 1, 2, 4, 6]],
      ["$.a[?@ == @]", [3, 5, 1, 2, 4, 6, { b: "j" }, { b: "k" }, { b: {} }, { b: "kilo" }]],
    ],
  },
  {
    section: "2.4.4 to 2.4.8",
    document: [
      { authors: ["a", "b", "c", "d", "e"], date: "1974-05-11", author: "Bob" },
      { authors: { a: 1 }, date: "on 1974-05-11", author: "my Rob", color: "red" },
      { authors: "abcd\u{1F600}", date: 19740511, author: "rob", deep: { color: "red" } },
      { authors: 5, x: { color: "red", y: { color: "red" } } },
    ].map((row, id) => ({ id, ...row })),
    rows: [
      ["$[?length(@.authors) >= 5].id", [0, 2]],
      ["$[?length(@.authors) == 1].id", [1]],
      ["$[?length(@.authors) == length(@.absent)].id", [3]],
      ["$[?count(@.authors[*]) >= 5].id", [0]],
      ["$[?count(@.absent) == 0].id", [0, 1, 2, 3]],
      ['$[?match(@.date, "1974-05-..")].id', [0]],
      ['$[?search(@.date, "1974-05-..")].id', [0, 1]],
      ['$[?search(@.author, "[BR]ob")].id', [0, 1]],
      ['$[?value(@..color) == "red"].id', [1, 2]],
    ],
  },
  {
    section: "2.5.1.3",
    document: letters,
    rows: [
      ["$[0, 3]", ["a", "d"]],
      ["$[0:2, 5]", ["a", "b", "f"]],
      ["$[0, 0]", ["a", "a"]],
    ],
  },
  {
    section: "2.5.2.3",
    document: { o: { j: 1, k: 2 }, a: [5, 3, [{ j: 4 }, { k: 6 }]] },
    rows: [
      ["$..j", [1, 4]],
      ["$..[0]", [5, { j: 4 }]],
      ...["$..[*]", "$..*"].map((path): Selection => [path, [
        { j: 1, k: 2 },
        [5, 3, [{ j: 4 }, { k: 6 }]],
        1,
        2,
        5,
        3,
        [{ j: 4 }, { k: 6 }],
        { j: 4 },
        { k: 6 },
        4,
        6,
      ]]),
      ["$..o", [{ j: 1, k: 2 }]],
      ["$.o..[*, *]", [1, 2, 1, 2]],
      ["$.a..[0, 1]", [5, 3, { j: 4 }, { k: 6 }]],
    ],
  },
  {
    section: "2.6.1",
    document: { a: null, b: [null], c: [{}], null: 1 },
    rows: [
      ["$.a", [null]],
      ["$.a[0]", []],
      ["$.a.d", []],
      ["$.b[0]", [null]],
      ["$.b[*]", [null]],
      ["$.b[?@]", [null]],
      ["$.b[?@==null]", [null]],
      ["$.c[?@.d==null]", []],
      ["$.null", [1]],
    ],
  },
];

/** What the comparisons below look at. */
export const COMPARISONS_DOCUMENT = { obj: { x: "y" }, arr: [2, 3] };

/** Section 2.3.5.3: comparisons and whether they hold. */
export const COMPARISONS: readonly (readonly [comparison: string, holds: boolean])[] = [
  ["$.absent1 == $.absent2", true],
  ["$.absent1 <= $.absent2", true],
  ["$.absent == 'g'", false],
  ["$.absent1 != $.absent2", false],
  ["$.absent != 'g'", true],
  ["1 <= 2", true],
  ["1 > 2", false],
  ["13 == '13'", false],
  ["'a' <= 'b'", true],
  ["'a' > 'b'", false],
  ["$.obj == $.arr", false],
  ["$.obj != $.arr", true],
  ["$.obj == $.obj", true],
  ["$.obj != $.obj", false],
  ["$.arr == $.arr", true],
  ["$.arr != $.arr", false],
  ["$.obj == 17", false],
  ["$.obj != 17", true],
  ["$.obj <= $.arr", false],
  ["$.obj < $.arr", false],
  ["$.obj <= $.obj", true],
  ["$.arr <= $.arr", true],
  ["1 <= $.arr", false],
  ["1 >= $.arr", false],
  ["1 > $.arr", false],
  ["1 < $.arr", false],
  ["true <= true", true],
  ["true > true", false],
];
