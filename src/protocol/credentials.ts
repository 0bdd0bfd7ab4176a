import * as v from 'valibot';
import type { SealedHostRecord } from './hostRecord';
import {
  MAX_CERTIFICATE_BYTES,
  MAX_ENTRY_CHARACTERS,
  MAX_HOST_RECORD_CHARACTERS,
  MAX_PUBLISH_ENTRIES,
} from './limits';
import { isPlainObject } from './requestFields';
import type { SignedText } from './signedText';

/** Members of messages by which hosts show who they are, as all who receive them check them. */
const SIGNATURE = /^[\w-]{86}$/u;
const MAC = /^[\w-]{43}$/u;

export const certificateField = v.pipe(v.string(), v.maxLength(MAX_CERTIFICATE_BYTES * 2));
const recordFields = {
  text: v.pipe(v.string(), v.maxLength(MAX_HOST_RECORD_CHARACTERS)),
  signature: v.pipe(v.string(), v.regex(SIGNATURE)),
  mac: v.pipe(v.string(), v.regex(MAC)),
};

/** What a host has signed of one of its names. */
const signedEntrySchema = v.object({
  text: v.pipe(v.string(), v.maxLength(MAX_ENTRY_CHARACTERS)),
  signature: v.pipe(v.string(), v.regex(SIGNATURE)),
});

export const recordSchema = v.object(recordFields);
export const sealedRecordSchema = v.object({ ...recordFields, certificate: certificateField });
const credentialsSchema = v.object({
  certificate: certificateField,
  proof: v.pipe(v.string(), v.regex(SIGNATURE)),
  record: recordSchema,
});

/** A host record without the certificate that it is signed by. */
export type HostRecordText = Omit<SealedHostRecord, 'certificate'>;

/** What REGISTER carries in a team session besides what it carries in an open one. */
export interface Credentials {
  /** Base64 of DER. */
  readonly certificate: string;
  /** As `signRegistration` makes it. */
  readonly proof: string;
  readonly record: HostRecordText;
}

/** What could be valid: nothing is verified. */
export function readCredentials(data: unknown): Credentials | undefined {
  const result = v.safeParse(credentialsSchema, data, { abortEarly: true });
  return result.success ? result.output : undefined;
}

export function readRecord(data: unknown): HostRecordText | undefined {
  const result = v.safeParse(recordSchema, data, { abortEarly: true });
  return result.success ? result.output : undefined;
}

export function readSignedEntry(data: unknown): SignedText | undefined {
  const result = v.safeParse(signedEntrySchema, data, { abortEarly: true });
  return result.success ? result.output : undefined;
}

/** A member for what `data` holds, or none when that cannot be any. */
export function signedMember(data: unknown): { readonly signed?: SignedText } {
  const signed = readSignedEntry(data);
  return signed === undefined ? {} : { signed };
}

/** What a list of `{name, text, signature}` says of `names`; anything else is passed over. */
export function readWithdrawn(list: unknown, names: readonly string[]): Map<string, SignedText> {
  const asked = new Set(names);
  const withdrawn = new Map<string, SignedText>();
  if (!Array.isArray(list)) return withdrawn;
  for (const item of list.slice(0, MAX_PUBLISH_ENTRIES) as unknown[]) {
    const name = isPlainObject(item) ? item['name'] : undefined;
    const signed = readSignedEntry(item);
    if (typeof name === 'string' && asked.has(name) && signed !== undefined)
      withdrawn.set(name, signed);
  }
  return withdrawn;
}
