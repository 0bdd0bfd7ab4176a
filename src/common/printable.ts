/**
 * Code points that no font draws, for a class of a regular expression with the flag `u`. Every line has
 * the reason why it is not a part of the property that has most of them.
 */
const INVISIBLE_PARTS: readonly string[] = [
  // Zero-width characters, variation selectors, fillers of Hangul (U+115F, U+3164), U+034F, tags.
  '\\p{Default_Ignorable_Code_Point}',
  // Braille pattern without a dot: a symbol, and as wide as the others.
  '\\u2800',
  // Null notehead of music: a symbol that is drawn with something else only.
  '\\u{1d159}',
  // Filler of Khitan script: a mark without a shape of its own.
  '\\u{16fe4}',
];
export const INVISIBLE = INVISIBLE_PARTS.join('');

/** Scripts whose letters change their form beside a joiner or a non-joiner. */
const JOINING = [
  ...['Arabic', 'Syriac', 'Mongolian', 'Nko', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati'],
  ...['Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam', 'Sinhala', 'Khmer', 'Myanmar'],
]
  .map((script) => `\\p{Script=${script}}`)
  .join('');

/** Places where an invisible character changes what is drawn, so that text needs it. */
const NEEDED = [
  // Emoji put together, such as a family.
  '(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f])\\u200d(?=\\p{Extended_Pictographic})',
  // An emoji as a picture or as text, and keys such as `1` in a box.
  '(?<=\\p{Extended_Pictographic})[\\ufe0e\\ufe0f]',
  '(?<=[0-9#*])\\ufe0f(?=\\u20e3)',
  // Variants of ideographs, as names in Japan have them.
  '(?<=\\p{Ideographic})[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]',
  `(?<=[${JOINING}])[\\u200c\\u200d](?=[${JOINING}])`,
];

/** Control characters, lone surrogates, and what reorders or breaks text. */
const MISLEADING = '\\p{Cc}\\p{Surrogate}\\u061c\\u200e\\u200f\\u2028-\\u202e\\ufff9-\\ufffb';

/** Characters that must not be shown as they are: misleading and invisible ones, and odd blanks at an end. */
export const UNSHOWABLE = new RegExp(
  // First what few characters are: most text is looked at once only.
  `(?=[${MISLEADING}${INVISIBLE}])(?!${NEEDED.join('|')})[^]|^[^\\P{Z} ]+|[^\\P{Z} ]+$`,
  'gu',
);

/**
 * Text with every such character written as JSON writes it, line feeds left: what others have put into
 * it is still told, and a terminal does not act on it.
 */
export function escapeUnshowable(text: string): string {
  return text.replace(UNSHOWABLE, (found) => (found === '\n' ? found : escapeUnits(found)));
}

function escapeUnits(text: string): string {
  return text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
