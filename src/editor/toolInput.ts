import { PeershelfError } from '../common/errors';

/** Longer is no name or path that anything here has. */
const MAX_TEXT_LENGTH = 4096;

/** A file of the network, as a model names it. */
export interface FileWish {
  readonly name: string;
  readonly hostname: string | undefined;
}

export interface ListWish {
  readonly query: string;
}

export interface PathWish {
  readonly path: string;
}

/** The schema in the manifest only tells models what to send: what they do send is checked here. */
export function readFileWish(input: unknown): FileWish {
  return { name: requiredText(input, 'name'), hostname: optionalText(input, 'hostname') };
}

/** @throws INVALID_ARGUMENT, as all of these. */
export function readListWish(input: unknown): ListWish {
  return { query: optionalText(input, 'query') ?? '' };
}

export function readPathWish(input: unknown): PathWish {
  return { path: requiredText(input, 'path') };
}

function requiredText(input: unknown, key: string): string {
  const text = optionalText(input, key);
  if (text !== undefined && text !== '') return text;
  throw invalid(`"${key}" is missing`);
}

function optionalText(input: unknown, key: string): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const value: unknown = Reflect.get(input, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.length <= MAX_TEXT_LENGTH) return value;
  throw invalid(`"${key}" is no text`);
}

function invalid(argument: string): PeershelfError {
  return new PeershelfError('INVALID_ARGUMENT', argument, { details: { argument } });
}
