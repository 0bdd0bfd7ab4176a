/**
 * Every failure that a user can meet. A code never changes its meaning: the editor and the command
 * line map it to a sentence with a cause and a next step, docs/PROTOCOL.md lists those that travel.
 */
export const ERROR_CODES = [
  'ALREADY_RUNNING',
  'AMBIGUOUS_FOLDER',
  'AMBIGUOUS_NAME',
  'CANCELLED',
  'CONNECTION_LOST',
  'CONTENT_CHANGED',
  'CONTENT_MISMATCH',
  'DECLINED',
  'DESTINATION_EXISTS',
  'DESTINATION_IS_FOLDER',
  'DISK_FULL',
  'ENGINE_STOPPED',
  'ENTRY_INVALID',
  'EPOCH_KEY_MISSING',
  'EXPORT_UNREADABLE',
  'FILE_CHANGED',
  'FILE_GONE',
  'FILE_TOO_LARGE',
  'FILE_UNREADABLE',
  'FOLDER_NOT_WRITABLE',
  'GIT_REPOSITORY',
  'INTERNAL',
  'INVALID_ADDRESS',
  'INVALID_ARGUMENT',
  'INVALID_MESSAGE',
  'INVALID_NAME',
  'INVITE_DAMAGED',
  'INVITE_EXPIRED',
  'INVITE_FILE_UNSAFE',
  'INVITE_FOREIGN',
  'INVITE_FORGED',
  'INVITE_NOT_FOUND',
  'INVITE_OUTDATED',
  'INVITE_TOO_NEW',
  'LEASE_ENDED',
  'LENGTH_MISMATCH',
  'LINE_TOO_LONG',
  'LIMIT_EXCEEDED',
  'LIST_CHANGED',
  'MEMBER_REMOVED',
  'MEMBERS_UNDECIDED',
  'MEMBERSHIP_UNCLEAR',
  'LOOKS_SECRET',
  'NAME_CLASH',
  'NAME_TAKEN',
  'NO_FILE_CHOSEN',
  'NO_FREE_PORT',
  'NOT_A_FILE',
  'NOT_A_MEMBER',
  'NOT_CONNECTED',
  'NOT_FOUND',
  'NOT_ON_DISK',
  'NOT_PUBLISHED',
  'NOT_ROOT_OWNER',
  'NOT_TRUSTED',
  'OFFER_CHANGED',
  'OUTSIDE_FOLDER',
  'OWN_KEYS',
  'OWNER_BEHIND',
  'OWNER_BUSY',
  'OWNER_UNHEARD',
  'OWNER_WITHDRAWN',
  'PEER_BUSY',
  'PEER_IDENTITY_MISMATCH',
  'PEER_UNREACHABLE',
  'PORT_IN_USE',
  'REPLACED',
  'RISKY_PLACE',
  'SESSION_CHANGED',
  'SESSION_KEYS_KEPT',
  'SESSION_KEYS_MISSING',
  'STALLED',
  'TIMED_OUT',
  'TOO_MANY_FILES',
  'TRACKER_BEHIND',
  'TRACKER_IDENTITY_MISMATCH',
  'TRACKER_REFUSED',
  'TRACKER_UNREACHABLE',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What a message may mention: a file name, a host, an address, a size. Plain data, so it crosses threads. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface PeershelfErrorOptions {
  readonly cause?: unknown;
  readonly details?: ErrorDetails;
}

/** The one error class. `message` is English for developers and logs; users see a text chosen by `code`. */
export class PeershelfError extends Error {
  static override readonly name = 'PeershelfError';
  override readonly name = 'PeershelfError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: PeershelfErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** Whether `value` is one of ours, with this code if one is given. */
  static is(value: unknown, code?: ErrorCode): value is PeershelfError {
    return value instanceof PeershelfError && (code === undefined || value.code === code);
  }

  /** `value` itself when it is one of ours, else an `INTERNAL` that keeps it as its cause. */
  static from(value: unknown): PeershelfError {
    if (value instanceof PeershelfError) return value;
    if (isAbortError(value)) return new PeershelfError('CANCELLED', 'cancelled', { cause: value });
    const message = value instanceof Error ? value.message || value.name : String(value);
    return new PeershelfError('INTERNAL', message, { cause: value });
  }
}

/** An error as data, to cross a message port. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
  readonly stack: string;
}

/** Error as programs may see it: without the stack, which names the paths of our sources. */
export type ShownError = Omit<PlainError, 'stack'>;

export function toShownError({ code, message, details }: PlainError): ShownError {
  return { code, message, details };
}

export function toPlainError(value: unknown): PlainError {
  const error = PeershelfError.from(value);
  return {
    code: error.code,
    message: error.message,
    details: error.details,
    stack: describeError(error),
  };
}

/** The error of the other side of a port; its stack there is kept as the cause. */
export function fromPlainError(plain: PlainError): PeershelfError {
  return new PeershelfError(plain.code, plain.message, {
    details: plain.details,
    cause: plain.stack,
  });
}

/** One line per error of the chain of causes, for logs. */
export function describeError(value: unknown): string {
  if (!(value instanceof Error)) return String(value);
  const own = value.stack ?? `${value.name}: ${value.message}`;
  return value.cause === undefined ? own : `${own}\ncaused by ${describeError(value.cause)}`;
}

/** The code of a failed system call (`ENOSPC`, `ECONNREFUSED`, …), or undefined. */
export function systemCode(value: unknown): string | undefined {
  if (!(value instanceof Error) || !('code' in value)) return undefined;
  return typeof value.code === 'string' ? value.code : undefined;
}

const FILE_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EFBIG: 'DISK_FULL',
  EACCES: 'FOLDER_NOT_WRITABLE',
  EPERM: 'FOLDER_NOT_WRITABLE',
  EROFS: 'FOLDER_NOT_WRITABLE',
  ENOTDIR: 'FOLDER_NOT_WRITABLE',
  EEXIST: 'FOLDER_NOT_WRITABLE',
  EBUSY: 'FOLDER_NOT_WRITABLE',
  EINVAL: 'FOLDER_NOT_WRITABLE',
  ENOENT: 'FOLDER_NOT_WRITABLE',
  ENAMETOOLONG: 'FOLDER_NOT_WRITABLE',
  EISDIR: 'DESTINATION_IS_FOLDER',
};

/** Translates a failed write below `path`; what is not known stays `INTERNAL` with its cause. */
export function fromWriteError(value: unknown, path: string): PeershelfError {
  if (PeershelfError.is(value)) return value;
  const code = FILE_ERRORS[systemCode(value) ?? ''];
  if (code === undefined) return PeershelfError.from(value);
  return new PeershelfError(code, `cannot write ${path}`, { cause: value, details: { path } });
}

/** Why a file cannot be read: it is not there, or it is and something else is in the way. */
export function fromReadError(value: unknown, path: string): PeershelfError {
  if (PeershelfError.is(value)) return value;
  const isGone = ['ENOENT', 'ENOTDIR'].includes(systemCode(value) ?? '');
  const code = isGone ? 'FILE_GONE' : 'FILE_UNREADABLE';
  return new PeershelfError(code, `cannot read ${path}`, { cause: value, details: { path } });
}

function isAbortError(value: unknown): boolean {
  return value instanceof Error && value.name === 'AbortError';
}
