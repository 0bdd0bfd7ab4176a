import * as v from 'valibot';
import { toContentId } from './contentId';
import { CONTROL_REASONS } from './controlReasons';
import {
  type ControlRequest,
  type FileMetadata,
  type MalformedLine,
  parseMembers,
  parseMessage,
  type ParsedRequest,
  parsePlainRequest,
  unknownAction,
} from './controlRequests';
import {
  type Credentials,
  type HostRecordText,
  readCredentials,
  readRecord,
  readWithdrawn,
  signedMember,
} from './credentials';
import {
  MAX_CURSOR_CHARACTERS,
  MAX_NAME_BYTES,
  MAX_PAGE_ENTRIES,
  MAX_PUBLISH_ENTRIES,
  MAX_QUERY_CHARACTERS,
  MAX_REQUEST_ID_LENGTH,
} from './limits';
import {
  addressFields,
  emptyToUndefined,
  firstReason,
  hostnameSchema,
  isMissing,
  isPlainObject,
  nameSchema,
  sizeSchema,
} from './requestFields';
import type { SignedText } from './signedText';
import { readStatementRequest, type StatementRequest } from './statementMessages';

/**
 * Requests of the control conversation, version 2, and what both versions share since there are two:
 * `id` and HELLO. docs/PROTOCOL.md, "Control, version 2". Times are whole milliseconds.
 */
export const CONTROL_VERSIONS = [1, 2] as const;
export type ControlVersion = (typeof CONTROL_VERSIONS)[number];

/** What a client calls one request, to find its reply. */
export type RequestId = number | string;

/** One run of a program among those that may register a hostname: the highest counter counts. */
export interface InstanceClaim {
  readonly id: string;
  readonly counter: number;
}

export interface NamedFile {
  readonly name: string;
  readonly file: FileMetadata;
}

/** Why one of several entries was not taken. */
export interface EntryRefusal {
  readonly name: string;
  readonly reason: string;
}

/** Which part of everything is asked for, and from where on. */
export interface PageRequest {
  /** Most hosts and files. */
  readonly limit: number;
  /** Of the page before, as the tracker gave it. */
  readonly cursor: string | undefined;
  /** Only files whose names begin with this; empty: all. */
  readonly prefix: string;
  /** Only files with all of its words in their names or owners; undefined: all. */
  readonly query: string | undefined;
}

export type ControlRequestV2 =
  | {
      readonly action: 'REGISTER';
      readonly hostname: string;
      /** 0: serves nothing yet. */
      readonly port: number;
      readonly ip: string | undefined;
      readonly displayName: string | undefined;
      readonly instance: InstanceClaim;
      readonly files: readonly NamedFile[];
      readonly refused: readonly EntryRefusal[];
      /** Undefined when there are none, or they cannot be any: an open session asks for none. */
      readonly credentials: Credentials | undefined;
    }
  | {
      readonly action: 'PUBLISH';
      readonly hostname: string;
      readonly files: readonly NamedFile[];
      /** Entries that are not valid in themselves. */
      readonly refused: readonly EntryRefusal[];
    }
  | {
      readonly action: 'UNPUBLISH';
      readonly hostname: string;
      readonly names: readonly string[];
      /** What the host has signed of these names instead, in a team session. */
      readonly withdrawn: ReadonlyMap<string, SignedText>;
    }
  /** What is no content id is in the list all the same: nobody has it. */
  | { readonly action: 'LOCATE'; readonly ids: readonly string[] }
  | (Extract<ControlRequest, { action: 'PING' }> & {
      /** Renews what the host says of itself, in a team session. */
      readonly record?: HostRecordText | undefined;
      /** Whether the host says that it has transfers. */
      readonly isBusy?: boolean | undefined;
    })
  /** Without a page: everything in one reply. */
  | { readonly action: 'LIST'; readonly page: PageRequest | undefined }
  | { readonly action: 'SEARCH'; readonly page: PageRequest }
  | { readonly action: 'SUBSCRIBE'; readonly page: PageRequest }
  | { readonly action: 'SYNC' }
  | Exclude<ControlRequest, { action: 'REGISTER' | 'PUBLISH' | 'UNPUBLISH' | 'PING' | 'LIST' }>;

export type ControlActionV2 = ControlRequestV2['action'] | 'HELLO' | 'STATEMENT';

/** Meaning of a line on a connection that speaks one of the versions. */
export type ParsedLine = MalformedLine | (Understood & { readonly id: RequestId | undefined });

type Understood =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'hello';
      /** The highest version that both sides speak. */
      readonly version: ControlVersion;
      /** Of a team, as it was sent. */
      readonly token: string | undefined;
    }
  /** Without a request when it cannot be any. */
  | { readonly kind: 'statement'; readonly request: StatementRequest | undefined }
  | { readonly kind: 'request'; readonly request: ControlRequest }
  | { readonly kind: 'requestV2'; readonly request: ControlRequestV2 };

type Parsed =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'requestV2'; readonly request: ControlRequestV2 };

/** The reason for a member that must be there: its name stands quoted in `expected`. */
const missing = ({ expected }: { readonly expected: string | null }): string =>
  `${(expected ?? 'data').replaceAll('"', '')} is missing`;

/** The end of the time that a `Date` can tell. */
const LATEST_DATE_MS = 8_640_000_000_000_000;

function wholeSchema(field: string, min: number, max: number): v.GenericSchema<number> {
  const message = `${field} must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(message),
    v.safeInteger(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

function textSchema(field: string, maxLength: number): v.GenericSchema<string> {
  const message = `${field} must be a string of at most ${maxLength} characters`;
  return v.pipe(v.string(message), v.maxLength(maxLength, message));
}

const counterSchema = (field: string, min: number): v.GenericSchema<number> =>
  wholeSchema(field, min, Number.MAX_SAFE_INTEGER);

const entrySchema = v.pipe(
  v.object(
    {
      size: sizeSchema,
      modified: wholeSchema('modified', 0, LATEST_DATE_MS),
      published_at: v.nullish(wholeSchema('published_at', 0, LATEST_DATE_MS)),
      root: v.nullish(v.string('root must be a string')),
      version: v.nullish(counterSchema('version', 1), 1),
      seq: v.nullish(counterSchema('seq', 0), 0),
      signed: v.optional(v.unknown()),
    },
    missing,
  ),
  v.check(
    ({ root, size }) => isNullish(root) || toContentId(root, size) !== undefined,
    'root and size are no content id',
  ),
  v.transform((entry): FileMetadata => ({
    size: entry.size,
    modified: entry.modified / 1_000,
    publishedAt: isNullish(entry.published_at) ? undefined : entry.published_at / 1_000,
    isPublished: true,
    revision: {
      contentId: toContentId(entry.root, entry.size),
      version: entry.version,
      sequence: entry.seq,
    },
    // What cannot be any is as good as none: nobody believes it.
    ...signedMember(entry.signed),
  })),
);

const entryNameSchema = nameSchema('name');
const filesSchema = v.pipe(
  v.array(
    v.custom<Record<string, unknown>>(isPlainObject, 'files must hold objects'),
    'files must be a list',
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const files: NamedFile[] = [];
    const refused: EntryRefusal[] = [];
    for (const entry of dataset.value) {
      const name = v.safeParse(entryNameSchema, entry['name']);
      if (!name.success) {
        addIssue({ message: firstReason(name) });
        return NEVER;
      }
      const file = v.safeParse(entrySchema, entry, { abortEarly: true });
      if (file.success) files.push({ name: name.output, file: file.output });
      else refused.push({ name: name.output, reason: firstReason(file) });
    }
    return { files, refused };
  }),
);

const instanceMessage = 'instance must be 1 to 64 letters, digits, - or _';
const registerSchema = v.object(
  {
    hostname: hostnameSchema,
    port: wholeSchema('port', 0, 65_535),
    ...addressFields,
    instance: v.pipe(v.string(instanceMessage), v.regex(/^[A-Za-z0-9_-]{1,64}$/u, instanceMessage)),
    counter: counterSchema('counter', 0),
    files: v.nullish(filesSchema),
  },
  missing,
);
const publishSchema = v.object({ hostname: hostnameSchema, files: filesSchema }, missing);
const unpublishSchema = v.object(
  {
    hostname: hostnameSchema,
    names: v.array(entryNameSchema, 'names must be a list'),
  },
  missing,
);
const locateSchema = v.object(
  {
    ids: v.array(v.string('ids must hold strings'), 'ids must be a list'),
  },
  missing,
);
const pageFields = {
  limit: v.nullish(wholeSchema('limit', 1, MAX_PAGE_ENTRIES), MAX_PAGE_ENTRIES),
  cursor: v.nullish(textSchema('cursor', MAX_CURSOR_CHARACTERS)),
};
const listSchema = v.object(
  // A name has at most so many characters: a longer prefix is that of none.
  { ...pageFields, prefix: v.nullish(textSchema('prefix', MAX_NAME_BYTES), '') },
  missing,
);
const searchSchema = v.object(
  { ...pageFields, query: textSchema('query', MAX_QUERY_CHARACTERS) },
  missing,
);
const subscribeSchema = v.object({ limit: pageFields.limit }, missing);

const helloSchema = v.object(
  {
    versions: v.array(v.number('versions must hold numbers'), 'versions must be a list'),
    token: v.nullish(v.fallback(v.string(), '')),
  },
  missing,
);

/** LIST with any of these is one of pages. */
const PAGE_MEMBERS = ['limit', 'cursor', 'prefix'] as const;

const PARSERS: Readonly<Record<string, (data: Record<string, unknown>) => Parsed>> = {
  REGISTER: (data) => {
    if (isMissing(data, 'hostname')) return refused(CONTROL_REASONS.badRegister);
    return parse(registerSchema, data, (found) => ({
      action: 'REGISTER',
      hostname: found.hostname,
      port: found.port,
      ip: emptyToUndefined(found.ip),
      displayName: emptyToUndefined(found.display_name),
      instance: { id: found.instance, counter: found.counter },
      ...(found.files ?? { files: [], refused: [] }),
      credentials: readCredentials(data),
    }));
  },
  PUBLISH: (data) => {
    if (isMissing(data, 'hostname')) return refused(CONTROL_REASONS.missingHostname);
    if (isTooLong(data['files'])) return refused(CONTROL_REASONS.tooManyEntries);
    return parse(publishSchema, data, ({ hostname, files }) => ({
      action: 'PUBLISH',
      hostname,
      ...files,
    }));
  },
  UNPUBLISH: (data) => {
    if (isMissing(data, 'hostname')) return refused(CONTROL_REASONS.missingHostname);
    if (isTooLong(data['names'])) return refused(CONTROL_REASONS.tooManyEntries);
    return parse(unpublishSchema, data, ({ hostname, names }) => ({
      ...{ action: 'UNPUBLISH', hostname, names },
      withdrawn: readWithdrawn(data['withdrawn'], names),
    }));
  },
  LOCATE: (data) => {
    if (isTooLong(data['ids'])) return refused(CONTROL_REASONS.tooManyEntries);
    return parse(locateSchema, data, ({ ids }) => ({ action: 'LOCATE', ids }));
  },
  LIST: (data) => {
    if (PAGE_MEMBERS.every((member) => isNullish(data[member])))
      return { kind: 'requestV2', request: { action: 'LIST', page: undefined } };
    return parse(listSchema, data, ({ cursor, ...found }) => ({
      action: 'LIST',
      page: { ...found, cursor: cursor ?? undefined, query: undefined },
    }));
  },
  SEARCH: (data) =>
    parse(searchSchema, data, ({ cursor, ...found }) => ({
      action: 'SEARCH',
      page: { ...found, cursor: cursor ?? undefined, prefix: '' },
    })),
  SUBSCRIBE: (data) =>
    parse(subscribeSchema, data, ({ limit }) => ({
      action: 'SUBSCRIBE',
      page: { limit, cursor: undefined, prefix: '', query: undefined },
    })),
  SYNC: () => ({ kind: 'requestV2', request: { action: 'SYNC' } }),
};

/** Actions that version 1 does not have, or has in another form. */
export const NEW_CONTROL_ACTIONS = [
  'HELLO',
  'STATEMENT',
  ...Object.keys(PARSERS),
] as readonly ControlActionV2[];

/** REQUEST as our client writes it on a connection of version 2, for the same reason as in version 1. */
const PLAIN_REQUEST =
  /^\{"id":(0|[1-9]\d{0,14}),("action":"REQUEST","data":\{"fname":"[^"\\\u0000-\u001f]+"\}\})$/u;

/** The `id` where clients put it, for an answer to a line that is not read otherwise. */
const LEADING_ID = /^\{ ?"id": ?(?:(0|[1-9]\d{0,14})|"([\w-]{1,64})"),/u;

/** Reads one line on a connection that speaks `version`. Never throws. */
export function parseControlLine(line: string, version: ControlVersion): ParsedLine {
  const [, id, rest] = PLAIN_REQUEST.exec(line) ?? [];
  const plain = parsePlainRequest(rest === undefined ? line : `{${rest}`);
  if (plain !== undefined) return forVersion(plain, id === undefined ? id : Number(id), version);
  const message = parseMessage(line);
  return message.kind === 'malformed' ? message : parseAnyMessage(message.members, version);
}

/** The `id` of a line without parsing it, when it is the first member and simple. */
export function leadingId(line: string): RequestId | undefined {
  const [, number, text] = LEADING_ID.exec(line) ?? [];
  return number === undefined ? text : Number(number);
}

function parseAnyMessage(members: Record<string, unknown>, version: ControlVersion): ParsedLine {
  const id = toRequestId(members['id']);
  // In version 1 members that it does not know are passed over, whatever they are.
  if (id === undefined && version === 2 && !isNullish(members['id']))
    return { kind: 'refused', reason: CONTROL_REASONS.badId, id };
  const { action } = members;
  const data = members['data'] ?? {};
  if (action === 'HELLO')
    return isPlainObject(data)
      ? { ...parseHello(data), id }
      : { kind: 'refused', reason: CONTROL_REASONS.badData, id };
  if (action === 'STATEMENT') return { kind: 'statement', request: readStatementRequest(data), id };
  const parser =
    version === 2 && typeof action === 'string' && Object.hasOwn(PARSERS, action)
      ? PARSERS[action]
      : undefined;
  if (parser === undefined) {
    const ping = action === 'PING' && isPlainObject(data) ? readPing(data) : undefined;
    return forVersion(parseMembers(members), id, version, ping);
  }
  if (!isPlainObject(data)) return { kind: 'refused', reason: CONTROL_REASONS.badData, id };
  return { ...parser(data), id };
}

/**
 * What version 1 has read, on a connection of either version.
 * @param ping what only version 2 reads of a PING.
 */
function forVersion(
  parsed: Exclude<ParsedRequest, MalformedLine>,
  id: RequestId | undefined,
  version: ControlVersion,
  ping?: ReturnType<typeof readPing>,
): ParsedLine {
  if (parsed.kind === 'refused') return { ...parsed, id };
  const { request } = parsed;
  if (version === 1) return { kind: 'request', request, id };
  switch (request.action) {
    case 'REGISTER':
    case 'PUBLISH':
    case 'UNPUBLISH':
    case 'LIST':
      // Version 2 has parsers of its own for these.
      return { kind: 'refused', reason: unknownAction(request.action), id };
    case 'PING':
      return { kind: 'requestV2', request: { ...request, ...ping }, id };
    case 'REQUEST':
    case 'DISCOVER':
    case 'UNREGISTER':
      return { kind: 'requestV2', request, id };
  }
}

function parseHello(data: Record<string, unknown>):
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'hello';
      readonly version: ControlVersion;
      readonly token: string | undefined;
    } {
  const result = v.safeParse(helloSchema, data, { abortEarly: true });
  if (!result.success) return refused(firstReason(result));
  const version = CONTROL_VERSIONS.findLast((known) => result.output.versions.includes(known));
  return version === undefined
    ? refused(CONTROL_REASONS.noCommonVersion)
    : { kind: 'hello', version, token: result.output.token ?? undefined };
}

function readPing(data: Record<string, unknown>): {
  readonly record: HostRecordText | undefined;
  readonly isBusy: boolean;
} {
  return { record: readRecord(data['record']), isBusy: data['state'] === 'busy' };
}

function toRequestId(value: unknown): RequestId | undefined {
  if (typeof value === 'string') return value.length <= MAX_REQUEST_ID_LENGTH ? value : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function parse<T>(
  schema: v.GenericSchema<unknown, T>,
  data: unknown,
  toRequest: (found: T) => ControlRequestV2,
): Parsed {
  const result = v.safeParse(schema, data, { abortEarly: true });
  if (!result.success) return refused(firstReason(result));
  return { kind: 'requestV2', request: toRequest(result.output) };
}

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}

function isTooLong(list: unknown): boolean {
  return Array.isArray(list) && list.length > MAX_PUBLISH_ENTRIES;
}

function isNullish(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
