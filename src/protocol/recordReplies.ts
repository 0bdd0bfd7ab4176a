import * as v from 'valibot';
import type { SealedHostRecord } from './hostRecord';
import { MAX_CERTIFICATE_BYTES, MAX_HOST_RECORD_CHARACTERS } from './limits';
import { isPlainObject } from './requestFields';

const sealedSchema = v.object({
  text: v.pipe(v.string(), v.maxLength(MAX_HOST_RECORD_CHARACTERS)),
  signature: v.pipe(v.string(), v.regex(/^[\w-]{86}$/u)),
  mac: v.pipe(v.string(), v.regex(/^[\w-]{43}$/u)),
  certificate: v.pipe(v.string(), v.maxLength(MAX_CERTIFICATE_BYTES * 2)),
});

/**
 * The host record that a reply has for a hostname, if it has one that could be valid. Nothing of it
 * is verified: a tracker may say anything.
 */
export function recordOf(
  reply: Record<string, unknown>,
  hostname: string,
): SealedHostRecord | undefined {
  const { records } = reply;
  if (!isPlainObject(records) || !Object.hasOwn(records, hostname)) return undefined;
  const result = v.safeParse(sealedSchema, records[hostname], { abortEarly: true });
  return result.success ? result.output : undefined;
}
