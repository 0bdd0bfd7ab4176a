import { PeershelfError, type ErrorCode } from '../common/errors';
import { opaqueNameProblem } from './names';

/**
 * Transfer conversation, version 1: `GET <name>\n`, answered by `LENGTH <n>\n` and n bytes, or by
 * one `ERROR <reason>\n`. docs/PROTOCOL.md, "Transfer, version 1".
 */
export const TRANSFER_ERRORS = ['notfound', 'filenotfound', 'readerror', 'interrupted'] as const;

export type TransferError = (typeof TRANSFER_ERRORS)[number];

const CODES: Readonly<Record<TransferError, ErrorCode>> = {
  notfound: 'NOT_PUBLISHED',
  filenotfound: 'FILE_GONE',
  readerror: 'FILE_UNREADABLE',
  interrupted: 'PEER_BUSY',
};

export function encodeGet(name: string): string {
  return `GET ${name}\n`;
}

/** The requested name, or undefined when the line is no GET: everything after the first space. */
export function parseGet(line: Buffer): string | undefined {
  const text = line.toString('utf8');
  if (!text.startsWith('GET ')) return undefined;
  const name = text.slice('GET '.length);
  return opaqueNameProblem(name) === undefined ? name : undefined;
}

export function encodeLength(lengthBytes: number): string {
  return `LENGTH ${lengthBytes}\n`;
}

export function encodeTransferError(error: TransferError): string {
  return `ERROR ${error}\n`;
}

/**
 * The announced length in bytes of a reply's first line.
 * @throws the coded error that the publisher sent, or INVALID_MESSAGE.
 */
export function parseTransferReply(line: Buffer): number {
  const text = line.toString('utf8');
  const length = /^LENGTH (\d{1,16})$/u.exec(text)?.[1];
  if (length !== undefined && Number(length) <= Number.MAX_SAFE_INTEGER) return Number(length);
  const reason = /^ERROR (.*)$/u.exec(text)?.[1];
  const known = TRANSFER_ERRORS.find((candidate) => candidate === reason);
  if (known !== undefined)
    throw new PeershelfError(CODES[known], `the publisher answered ${known}`);
  throw new PeershelfError('INVALID_MESSAGE', 'the publisher did not answer as version 1 does');
}
