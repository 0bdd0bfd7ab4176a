/** Control characters, lone surrogates, and what reorders or hides text: bidi controls, zero-width, tags. */
export const UNSHOWABLE =
  /[\p{Cc}\p{Surrogate}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

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
