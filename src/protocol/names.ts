import { PeershelfError } from '../common/errors';
import { MAX_NAME_BYTES, MAX_NAME_PART_BYTES } from './limits';

const CONTROL_CHARACTER = /\p{Cc}/u;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Characters that reorder the text around them: a name with one can look like another name. */
export const BIDI_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Names that Windows gives to devices, with any extension and any case (superscript digits included). */
const WINDOWS_DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])$/iu;

/** What can be wrong with a name, behind "the name" or a field of a message. */
export const NAME_PROBLEMS = {
  empty: 'is empty',
  controlCharacter: 'has a control character',
  notUnicode: 'is not valid Unicode',
  tooLong: `is longer than ${MAX_NAME_BYTES} bytes`,
  direction: 'has a character that changes the direction of text',
  backslash: 'has a backslash',
  absolute: 'is an absolute path',
  notComposed: 'is not in Unicode normalization form C',
  emptyPart: 'has an empty part',
  longPart: `has a part longer than ${MAX_NAME_PART_BYTES} bytes`,
  dots: 'has a part of dots only',
  device: 'has a part that is a device on Windows',
} as const;

export type NameProblem = (typeof NAME_PROBLEMS)[keyof typeof NAME_PROBLEMS];

/** Why a string is no name on the wire, or undefined when it is one. Names are opaque to a tracker. */
export function opaqueNameProblem(name: string): NameProblem | undefined {
  if (name === '') return NAME_PROBLEMS.empty;
  if (CONTROL_CHARACTER.test(name)) return NAME_PROBLEMS.controlCharacter;
  if (LONE_SURROGATE.test(name)) return NAME_PROBLEMS.notUnicode;
  // UTF-8 takes at most three bytes per UTF-16 unit: most names need no count.
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES)
    return NAME_PROBLEMS.tooLong;
  return undefined;
}

/** Why a name cannot be published, or undefined. It must be NFC already: see {@link toPublishedName}. */
export function publishedNameProblem(name: string): NameProblem | undefined {
  const problem = opaqueNameProblem(name);
  if (problem !== undefined) return problem;
  if (BIDI_CONTROL.test(name)) return NAME_PROBLEMS.direction;
  if (name.includes('\\')) return NAME_PROBLEMS.backslash;
  // `C:\x` has a backslash. A colon elsewhere is a character like others, which Windows does not take.
  if (name.startsWith('/') || /^[a-z]:\//iu.test(name)) return NAME_PROBLEMS.absolute;
  if (name !== name.normalize('NFC')) return NAME_PROBLEMS.notComposed;
  for (const segment of name.split('/')) {
    const segmentProblem = publishedSegmentProblem(segment);
    if (segmentProblem !== undefined) return segmentProblem;
  }
  return undefined;
}

function publishedSegmentProblem(segment: string): NameProblem | undefined {
  if (segment === '') return NAME_PROBLEMS.emptyPart;
  if (Buffer.byteLength(segment) > MAX_NAME_PART_BYTES) return NAME_PROBLEMS.longPart;
  // Windows drops trailing dots and spaces, so '.. ' or 'nul.' mean what they must not.
  const bare = segment.replace(/[. ]+$/u, '');
  if (bare === '') return NAME_PROBLEMS.dots;
  const stem = bare.split(/[.:]/u, 1)[0]?.trimEnd() ?? '';
  if (WINDOWS_DEVICE.test(stem)) return NAME_PROBLEMS.device;
  return undefined;
}

/**
 * The published name of a path relative to its folder, `/` between its parts: NFC, as macOS hands out
 * decomposed names and everyone else composed ones.
 * @throws INVALID_NAME with the reason in `details.problem`.
 */
export function toPublishedName(relativePath: string): string {
  const name = relativePath.normalize('NFC');
  const problem = publishedNameProblem(name);
  if (problem !== undefined) throw invalidName(name, problem);
  return name;
}

/**
 * The relative local path for a name that someone else chose, `/` between its parts. On Windows,
 * characters that cannot stand in a file name become `_`.
 * @throws INVALID_NAME when the name would leave its folder or mislead.
 */
export function toLocalName(name: string, platform: NodeJS.Platform): string {
  const local = toPublishedName(name);
  if (platform !== 'win32') return local;
  return local
    .split('/')
    .map((segment) => segment.replace(/[<>:"|?*]/gu, '_').replace(/[. ]+$/u, '_'))
    .join('/');
}

function invalidName(name: string, problem: NameProblem): PeershelfError {
  return new PeershelfError('INVALID_NAME', `the name ${JSON.stringify(name)} ${problem}`, {
    details: { name, problem },
  });
}
