import fc from 'fast-check';

/** What tends to mean something to somebody who reads text or bytes. */
const SPECIAL = [
  ...[
    '\0',
    '\n',
    '\r\n',
    '\r',
    '\t',
    ' ',
    '"',
    "'",
    '\\',
    '/',
    '..',
    '.',
    ':',
    ';',
    ',',
    '%',
    '%00',
  ],
  ...['{', '}', '[', ']', '<', '>', '$(error)', '[x](command:a)', '\u001b[2J', '\u202e', '\u200b'],
  ...['\ufeff', '\ud800', '\udc00', '\u{e0041}', 'e\u0301', 'null', 'true', '-1', '1e999', '0x10'],
  ...['9007199254740993', 'NaN', '__proto__', 'constructor', 'toString', 'A'.repeat(300), '😀'],
];

type Edit = readonly [
  how: 'insert' | 'replace' | 'remove' | 'double',
  at: number,
  length: number,
  text: string,
];

const TEXT_PIECE = fc.oneof(
  fc.constantFrom(...SPECIAL),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
);
const ANY_TEXT = fc.array(TEXT_PIECE, { maxLength: 6 }).map((pieces) => pieces.join(''));

/** Any text, the nastier kinds not left to chance. */
export function anyText(): fc.Arbitrary<string> {
  return ANY_TEXT;
}

/** Texts that once were valid, with a few things changed. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.tuple(
    fc.constantFrom('insert', 'replace', 'remove', 'double'),
    fc.nat(),
    fc.integer({ min: 1, max: 12 }),
    fc.oneof(fc.constantFrom(...SPECIAL), fc.string({ maxLength: 4 })),
  ) satisfies fc.Arbitrary<Edit>;
  return fc
    .tuple(texts, fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) => edits.reduce(applyEdit, text));
}

function applyEdit(text: string, [how, at, length, inserted]: Edit): string {
  const start = text.length === 0 ? 0 : at % (text.length + 1);
  const [before, part] = [text.slice(0, start), text.slice(start, start + length)];
  const after = text.slice(start + length);
  switch (how) {
    case 'insert':
      return before + inserted + part + after;
    case 'replace':
      return before + inserted + after;
    case 'remove':
      return before + after;
    case 'double':
      return before + part + part + after;
  }
}

/** Bytes in the pieces in which a network may deliver them. */
export function inPieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let index = 0; start < bytes.length; index += 1) {
    const length =
      lengths.length === 0 ? bytes.length : Math.max(1, lengths[index % lengths.length]!);
    pieces.push(bytes.subarray(start, start + length));
    start += length;
  }
  return pieces;
}

/** Lengths of such pieces, for `inPieces`. */
export function pieceLengths(): fc.Arbitrary<number[]> {
  return fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4_000 })), {
    maxLength: 6,
  });
}

/** What a member of a message may be that should be something else. */
const VALUES: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    0,
    -1,
    1,
    1.5,
    65_535,
    65_536,
    2 ** 53,
    -(2 ** 53),
    1e300,
    '',
    '0',
    '7',
  ],
  ...[
    [],
    {},
    [null],
    [[]],
    { a: 1 },
    [1, 'x'],
    { name: 'x' },
    { __proto__: null },
    'alice',
    'a/b.txt',
  ],
  ...[
    '127.0.0.1',
    '::1',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    '0.0.0.0',
    '1.2.3.4.5',
    'AB'.repeat(32),
  ],
];

/** Any JSON value, small: what matters is of which kind it is. */
export function anyValue(): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...VALUES) },
    { weight: 2, arbitrary: anyText() },
    { weight: 1, arbitrary: fc.double() },
  );
}
