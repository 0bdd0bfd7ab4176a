import * as v from 'valibot';
import type { ContentId } from './contentId';
import { CONTROL_REASONS } from './controlReasons';
import { opaqueNameProblem } from './names';
import {
  addressFields,
  amountSchema,
  emptyToUndefined,
  firstReason,
  fnameSchema,
  hostnameSchema,
  isMissing,
  isPlainObject,
  sizeSchema,
} from './requestFields';
import type { SignedText } from './signedText';

/**
 * Requests of the control conversation, version 1: one JSON object `{"action", "data"}` a line.
 * docs/PROTOCOL.md, "Control, version 1". Times are float seconds since the epoch.
 */
export interface FileMetadata {
  /** Bytes. */
  readonly size: number;
  /** When the content was last modified, seconds since the epoch. */
  readonly modified: number;
  /** Seconds since the epoch; undefined means "now" to the tracker. */
  readonly publishedAt: number | undefined;
  readonly isPublished: boolean;
  /** Which state of the file this is; version 1 does not say. */
  readonly revision?: Revision | undefined;
  /** What its host has signed of it, in a team session: passed on as it is. */
  readonly signed?: SignedText | undefined;
}

/** What version 2 tells about a published file beyond version 1. */
export interface Revision {
  readonly contentId: ContentId | undefined;
  /** At least 1: counts what the publisher offered under this name. */
  readonly version: number;
  /** Grows with every change of the entry, so that an older one never comes back. */
  readonly sequence: number;
}

export type ControlRequest =
  | {
      readonly action: 'REGISTER';
      readonly hostname: string;
      readonly port: number;
      /** An address literal; undefined means the address that the connection comes from. */
      readonly ip: string | undefined;
      readonly displayName: string | undefined;
      readonly files: ReadonlyMap<string, FileMetadata>;
    }
  | {
      readonly action: 'PUBLISH';
      readonly hostname: string;
      readonly name: string;
      readonly file: FileMetadata;
    }
  | { readonly action: 'UNPUBLISH'; readonly hostname: string; readonly name: string }
  | { readonly action: 'REQUEST'; readonly name: string }
  | { readonly action: 'DISCOVER'; readonly hostname: string }
  | {
      readonly action: 'PING';
      /** Undefined is nobody, as the original tracker has it, and so never alive. */
      readonly hostname: string | undefined;
    }
  | { readonly action: 'LIST' }
  | { readonly action: 'UNREGISTER'; readonly hostname: string };

export type ControlAction = ControlRequest['action'];

/** What a line turned out to be. After `malformed` nothing more of the connection may be parsed. */
export type ParsedRequest =
  { readonly kind: 'request'; readonly request: ControlRequest } | RefusedRequest | MalformedLine;

export interface RefusedRequest {
  readonly kind: 'refused';
  readonly reason: string;
}

export interface MalformedLine {
  readonly kind: 'malformed';
  readonly reason: string;
}

type Parser = (data: unknown) => Exclude<ParsedRequest, MalformedLine>;

const metadataFields = {
  size: v.nullish(sizeSchema, 0),
  modified: v.nullish(amountSchema('modified'), 0),
  published_at: v.nullish(amountSchema('published_at')),
};

const fileSchema = v.pipe(
  v.custom<Record<string, unknown>>(
    isPlainObject,
    'files_metadata must hold an object for each name',
  ),
  v.object({
    ...metadataFields,
    is_published: v.nullish(v.boolean('is_published must be true or false'), true),
  }),
  v.transform((file): FileMetadata => ({
    size: file.size,
    modified: file.modified,
    publishedAt: file.published_at ?? undefined,
    isPublished: file.is_published,
  })),
);

/** A map, not an object: `__proto__` and `constructor` are ordinary names. */
const filesSchema = v.pipe(
  v.custom<Record<string, unknown>>(isPlainObject, 'files_metadata must be an object'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const files = new Map<string, FileMetadata>();
    for (const [name, value] of Object.entries(dataset.value)) {
      const problem = opaqueNameProblem(name);
      const file = v.safeParse(fileSchema, value);
      if (problem !== undefined || !file.success) {
        addIssue({ message: problem === undefined ? firstReason(file) : `fname ${problem}` });
        return NEVER;
      }
      files.set(name, file.output);
    }
    return files;
  }),
);

const portMessage = 'port must be a whole number from 1 to 65535';

const registerSchema = v.object({
  hostname: hostnameSchema,
  port: v.pipe(
    v.number(portMessage),
    v.integer(portMessage),
    v.minValue(1, portMessage),
    v.maxValue(65_535, portMessage),
  ),
  ...addressFields,
  files_metadata: v.nullish(filesSchema),
});

const publishSchema = v.object({ hostname: hostnameSchema, fname: fnameSchema, ...metadataFields });
const hostAndNameSchema = v.object({ hostname: hostnameSchema, fname: fnameSchema });
const hostSchema = v.object({ hostname: hostnameSchema });
const requestSchema = v.object({ fname: fnameSchema });

const PARSERS: Readonly<Record<ControlAction, Parser>> = {
  REGISTER: (data) => {
    if (isMissing(data, 'hostname') || isMissing(data, 'port'))
      return refused(CONTROL_REASONS.badRegister);
    return parse(registerSchema, data, (found) => ({
      action: 'REGISTER',
      hostname: found.hostname,
      port: found.port,
      ip: emptyToUndefined(found.ip),
      displayName: emptyToUndefined(found.display_name),
      files: found.files_metadata ?? new Map<string, FileMetadata>(),
    }));
  },
  PUBLISH: (data) => {
    if (isMissing(data, 'hostname')) return refused(CONTROL_REASONS.missingHostname);
    if (isMissing(data, 'fname')) return refused(CONTROL_REASONS.missingName);
    return parse(publishSchema, data, (found) => ({
      action: 'PUBLISH',
      hostname: found.hostname,
      name: found.fname,
      file: {
        size: found.size,
        modified: found.modified,
        publishedAt: found.published_at ?? undefined,
        isPublished: true,
      },
    }));
  },
  UNPUBLISH: (data) => {
    if (isMissing(data, 'hostname') || isMissing(data, 'fname'))
      return refused(CONTROL_REASONS.missingHostnameOrName);
    return parse(hostAndNameSchema, data, ({ hostname, fname }) => ({
      action: 'UNPUBLISH',
      hostname,
      name: fname,
    }));
  },
  REQUEST: (data) => {
    if (isMissing(data, 'fname')) return refused(CONTROL_REASONS.badRequest);
    return parse(requestSchema, data, ({ fname }) => ({ action: 'REQUEST', name: fname }));
  },
  DISCOVER: (data) => parseHost(data, 'DISCOVER', CONTROL_REASONS.unknownHost),
  PING: (data) => {
    if (isMissing(data, 'hostname'))
      return { kind: 'request', request: { action: 'PING', hostname: undefined } };
    return parseHost(data, 'PING', CONTROL_REASONS.missingHostname);
  },
  UNREGISTER: (data) => parseHost(data, 'UNREGISTER', CONTROL_REASONS.badUnregister),
  LIST: () => ({ kind: 'request', request: { action: 'LIST' } }),
};

export const CONTROL_ACTIONS = Object.keys(PARSERS) as readonly ControlAction[];

/**
 * REQUEST as clients write it, for a name without escapes: by far the most frequent line, read
 * several times faster than JSON in general. The test holds that both ways read the same.
 */
const PLAIN_REQUEST =
  /^\{"action": ?"REQUEST", ?"data": ?\{"fname": ?"([^"\\\u0000-\u001f]+)"\}\}$/u;

/** Reads one line. Never throws: every line has an answer. */
export function parseControlRequest(line: string): ParsedRequest {
  const plain = parsePlainRequest(line);
  if (plain !== undefined) return plain;
  const parsed = parseMessage(line);
  return parsed.kind === 'malformed' ? parsed : parseMembers(parsed.members);
}

/** The fast way, or undefined for a line that needs the general one. */
export function parsePlainRequest(line: string): Exclude<ParsedRequest, MalformedLine> | undefined {
  const name = PLAIN_REQUEST.exec(line)?.[1];
  return name === undefined ? undefined : parseName(name);
}

function parseName(name: string): Exclude<ParsedRequest, MalformedLine> {
  const problem = opaqueNameProblem(name);
  if (problem !== undefined) return refused(`fname ${problem}`);
  return { kind: 'request', request: { action: 'REQUEST', name } };
}

/** The members of the object on one line, whatever they are. */
export function parseMessage(
  line: string,
): MalformedLine | { readonly kind: 'message'; readonly members: Record<string, unknown> } {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'malformed', reason: CONTROL_REASONS.badJson };
    throw error;
  }
  if (!isPlainObject(message)) return { kind: 'malformed', reason: CONTROL_REASONS.notAnObject };
  return { kind: 'message', members: message };
}

/** The request of version 1 that a message with these members is. */
export function parseMembers(
  members: Record<string, unknown>,
): Exclude<ParsedRequest, MalformedLine> {
  const { action } = members;
  if (typeof action !== 'string') return refused(CONTROL_REASONS.missingAction);
  if (!isControlAction(action)) return refused(unknownAction(action));
  const data = members['data'] ?? {};
  if (!isPlainObject(data)) return refused(CONTROL_REASONS.badData);
  return PARSERS[action](data);
}

/** The reason for an action that there is none of. */
export function unknownAction(action: string): string {
  return `unknown action ${action.slice(0, 64)}`;
}

function isControlAction(action: string): action is ControlAction {
  return Object.hasOwn(PARSERS, action);
}

function parseHost(
  data: unknown,
  action: 'DISCOVER' | 'PING' | 'UNREGISTER',
  missing: string,
): ReturnType<Parser> {
  if (isMissing(data, 'hostname')) return refused(missing);
  return parse(hostSchema, data, ({ hostname }) => ({ action, hostname }));
}

function parse<T>(
  schema: v.GenericSchema<unknown, T>,
  data: unknown,
  toRequest: (found: T) => ControlRequest,
): ReturnType<Parser> {
  const result = v.safeParse(schema, data, { abortEarly: true });
  if (!result.success) return refused(firstReason(result));
  return { kind: 'request', request: toRequest(result.output) };
}

function refused(reason: string): RefusedRequest {
  return { kind: 'refused', reason };
}
