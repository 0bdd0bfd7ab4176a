import * as v from 'valibot';
import { sealedRecordSchema } from './credentials';
import type { SealedHostRecord } from './hostRecord';
import { isPlainObject } from './requestFields';

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
  const result = v.safeParse(sealedRecordSchema, records[hostname], { abortEarly: true });
  return result.success ? result.output : undefined;
}
