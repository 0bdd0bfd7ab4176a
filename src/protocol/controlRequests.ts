import * as v from 'valibot';
import { isAddressLiteral, unmapIpv4 } from './address';
import { CONTROL_REASONS } from './controlReasons';
import { opaqueNameProblem } from './names';

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
  | { readonly kind: 'request'; readonly request: ControlRequest }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string };

type Parser = (data: unknown) => ParsedRequest;

/** Names are checked by hand: this runs for every request, and the reason belongs into the reply. */
function nameSchema(field: string): v.GenericSchema<string> {
  return v.pipe(
    v.string(`${field} must be a string`),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const problem = opaqueNameProblem(dataset.value);
      if (problem !== undefined) addIssue({ message: `${field} ${problem}` });
    }),
  );
}

function amountSchema(field: string): v.GenericSchema<number> {
  const message = `${field} must be a number that is finite and not negative`;
  return v.pipe(v.number(message), v.finite(message), v.minValue(0, message));
}

const integerMessage = 'size must be a whole number of bytes';
const sizeSchema = v.pipe(amountSchema('size'), v.safeInteger(integerMessage));
const hostnameSchema = nameSchema('hostname');
const fnameSchema = nameSchema('fname');

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
  ip: v.nullish(
    v.pipe(
      v.string('ip must be an address'),
      v.check((ip) => ip === '' || isAddressLiteral(ip), 'ip must be an address, not a name'),
      v.transform(unmapIpv4),
    ),
  ),
  display_name: v.nullish(
    v.union([v.literal(''), nameSchema('display_name')], 'display_name is not valid'),
  ),
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
  const name = PLAIN_REQUEST.exec(line)?.[1];
  return name === undefined ? parseAnyRequest(line) : parseName(name);
}

function parseName(name: string): ParsedRequest {
  const problem = opaqueNameProblem(name);
  if (problem !== undefined) return refused(`fname ${problem}`);
  return { kind: 'request', request: { action: 'REQUEST', name } };
}

function parseAnyRequest(line: string): ParsedRequest {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'malformed', reason: CONTROL_REASONS.badJson };
    throw error;
  }
  if (!isPlainObject(message)) return { kind: 'malformed', reason: CONTROL_REASONS.notAnObject };
  const { action } = message;
  if (typeof action !== 'string') return refused(CONTROL_REASONS.missingAction);
  if (!isControlAction(action)) return refused(`unknown action ${action.slice(0, 64)}`);
  const data = message['data'] ?? {};
  if (!isPlainObject(data)) return refused(CONTROL_REASONS.badData);
  return PARSERS[action](data);
}

function isControlAction(action: string): action is ControlAction {
  return Object.hasOwn(PARSERS, action);
}

function parseHost(
  data: unknown,
  action: 'DISCOVER' | 'PING' | 'UNREGISTER',
  missing: string,
): ParsedRequest {
  if (isMissing(data, 'hostname')) return refused(missing);
  return parse(hostSchema, data, ({ hostname }) => ({ action, hostname }));
}

function parse<T>(
  schema: v.GenericSchema<unknown, T>,
  data: unknown,
  toRequest: (found: T) => ControlRequest,
): ParsedRequest {
  const result = v.safeParse(schema, data, { abortEarly: true });
  if (!result.success) return refused(firstReason(result));
  return { kind: 'request', request: toRequest(result.output) };
}

function refused(reason: string): ParsedRequest {
  return { kind: 'refused', reason };
}

function firstReason(result: {
  readonly issues?: readonly { message: string }[] | undefined;
}): string {
  return result.issues?.[0]?.message ?? 'not valid';
}

/** As the original tracker's `not value`: absent, null, empty or 0. */
function isMissing(data: unknown, field: string): boolean {
  const value = isPlainObject(data) ? data[field] : undefined;
  return value === undefined || value === null || value === '' || value === 0;
}

function emptyToUndefined(text: string | null | undefined): string | undefined {
  return text === '' || text === null ? undefined : text;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
