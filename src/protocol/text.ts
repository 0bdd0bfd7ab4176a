import { UNSHOWABLE } from '../common/printable';

/** Longest text of others that is shown, in UTF-16 units; names on the wire may be longer. */
export const MAX_SHOWN_TEXT_LENGTH = 256;

/**
 * Someone else's text (a name, a display name, a tracker's reason) made fit for one line of plain
 * text: a terminal or a log shows it as it is. Not enough for surfaces with markup.
 */
export function plainText(text: string, maxLength: number = MAX_SHOWN_TEXT_LENGTH): string {
  const clean = text.replace(UNSHOWABLE, '\ufffd');
  if (clean.length <= maxLength) return clean;
  return `${clean.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/u, '')}…`;
}
