import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { PeershelfError, systemCode } from './errors';
import { placeOthersCanWrite } from './otherWriters';

export interface ReadInviteFileOptions {
  /** More than this is not read, whatever the file is. */
  readonly maxBytes: number;
  /** Whether a file is refused that others can write: whoever writes it says which session is joined. */
  readonly mustBeOwn: boolean;
}

/**
 * The beginning of a file that has an invite.
 * @throws FILE_GONE, FILE_UNREADABLE, INVITE_FILE_UNSAFE.
 */
export function readInviteText(path: string, options: ReadInviteFileOptions): string {
  const { maxBytes, mustBeOwn } = options;
  let file: number | undefined;
  try {
    // Opening a named pipe would wait for somebody to write into it. Windows has no such flag; `|` takes
    // undefined for 0.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(file);
    if (!stats.isFile())
      throw new PeershelfError('FILE_UNREADABLE', `${path} is no file`, {
        details: { path, isInvite: true },
      });
    const place = mustBeOwn ? placeOthersCanWrite(path, stats) : undefined;
    if (place !== undefined)
      throw new PeershelfError('INVITE_FILE_UNSAFE', `others can write ${place}`, {
        details: { path, place },
      });
    const buffer = Buffer.alloc(maxBytes);
    return buffer.subarray(0, readSync(file, buffer)).toString('utf8');
  } catch (cause) {
    if (PeershelfError.is(cause)) throw cause;
    const code = systemCode(cause) === 'ENOENT' ? 'FILE_GONE' : 'FILE_UNREADABLE';
    throw new PeershelfError(code, `cannot read ${path}`, {
      cause,
      details: { path, isInvite: true },
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
