import * as v from 'valibot';
import type { HostPort } from './address';
import { MAX_ANNOUNCEMENT_RECORDS, MAX_ANNOUNCEMENT_TTL_S, MAX_SESSION_NAME_BYTES } from './limits';
import { opaqueNameProblem } from './names';

/** Under which trackers of teams are announced in their networks (RFC 6763). */
export const ANNOUNCED_SERVICE = '_peershelf._tcp.local';

/** What programs ask for that look for whatever services there are. */
export const SERVICE_DIRECTORY = '_services._dns-sd._udp.local';

/** What a tracker says of itself to everyone in its network. None of it is a secret. */
export interface Announcement {
  readonly sessionName: string;
  /** SHA-256 of the tracker's certificate, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly port: number;
}

/** An announcement as it was received. Nothing of it is proven before that certificate was shown. */
export interface ReceivedAnnouncement extends Announcement {
  /** Tells it from others, also of the same tracker. */
  readonly instance: string;
  /** Seconds for which it holds; 0: the tracker has gone. */
  readonly ttlS: number;
}

/** A session of which somebody in the network says that its tracker is there. */
export interface FoundSession {
  /** Text of others. */
  readonly sessionName: string;
  readonly fingerprint: string;
  /** Where the announcements came from, and the port they name. */
  readonly addresses: readonly HostPort[];
}

/** The part of a DNS record that is used, as the codec takes it. */
export type AnnouncementRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'PTR'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: { readonly target: string; readonly port: number } }
  | { readonly type: 'TXT'; readonly data: string[] }
  | { readonly type: 'A'; readonly data: string }
);

const VERSION = '1';
const FINGERPRINT = /^[0-9a-f]{64}$/u;
/** A string of a TXT record has at most 255 bytes, its key included. */
const MAX_TEXT_BYTES = 255;
const NAME_KEY = 'name=';

/**
 * All records of an announcement, which fit into one packet and are always sent together.
 * @param label first part of its name, of letters, digits and hyphens: the only one of its kind, so
 * that nobody has to be asked whether it is free.
 */
export function announcementRecords(
  { sessionName, fingerprint, port }: Announcement,
  {
    label,
    addresses,
    ttlS: ttl,
  }: { readonly label: string; readonly addresses: readonly string[]; readonly ttlS: number },
): AnnouncementRecord[] {
  const name = `${label}.${ANNOUNCED_SERVICE}`;
  const target = `${label}.local`;
  const text = [`txtvers=${VERSION}`, `fp=${fingerprint}`, `${NAME_KEY}${shortened(sessionName)}`];
  return [
    { type: 'PTR', name: SERVICE_DIRECTORY, ttl, data: ANNOUNCED_SERVICE },
    { type: 'PTR', name: ANNOUNCED_SERVICE, ttl, data: name },
    { type: 'SRV', name, ttl, data: { target, port } },
    { type: 'TXT', name, ttl, data: text },
    ...addresses.map((data) => ({ type: 'A', name: target, ttl, data }) as const),
  ];
}

const ttlSchema = v.pipe(v.number(), v.integer(), v.minValue(0));
const serviceSchema = v.object({
  type: v.literal('SRV'),
  name: v.string(),
  ttl: ttlSchema,
  data: v.object({ port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)) }),
});
const textSchema = v.object({
  type: v.literal('TXT'),
  name: v.string(),
  data: v.array(v.instance(Uint8Array)),
});

/**
 * The announcements in the records of one packet, as the codec gives them; what is not valid is left
 * out. Addresses that they name are passed over: a tracker is where its packets come from.
 */
export function readAnnouncements(records: readonly unknown[]): ReceivedAnnouncement[] {
  const known = records.slice(0, MAX_ANNOUNCEMENT_RECORDS);
  const texts = new Map<string, readonly Uint8Array[]>();
  for (const record of known) {
    const text = v.safeParse(textSchema, record);
    if (text.success) texts.set(text.output.name.toLowerCase(), text.output.data);
  }
  return known.flatMap((record) => {
    const service = v.safeParse(serviceSchema, record);
    if (!service.success) return [];
    const { name, ttl, data } = service.output;
    const instance = name.toLowerCase();
    if (!instance.endsWith(`.${ANNOUNCED_SERVICE}`)) return [];
    const facts = readText(texts.get(instance) ?? []);
    if (facts === undefined) return [];
    const ttlS = Math.min(ttl, MAX_ANNOUNCEMENT_TTL_S);
    return [{ ...facts, port: data.port, instance, ttlS }];
  });
}

/** What the strings of a TXT record say, or undefined unless all of it is there and valid. */
function readText(
  strings: readonly Uint8Array[],
): Pick<Announcement, 'sessionName' | 'fingerprint'> | undefined {
  const values = new Map<string, string>();
  for (const bytes of strings) {
    const text = Buffer.from(bytes).toString('utf8');
    const key = text.slice(0, Math.max(0, text.indexOf('='))).toLowerCase();
    // Of several with one key the first counts (RFC 6763, section 6.4).
    if (key !== '' && !values.has(key)) values.set(key, text.slice(key.length + 1));
  }
  const fingerprint = values.get('fp') ?? '';
  const sessionName = values.get('name') ?? '';
  const isValid =
    values.get('txtvers') === VERSION && FINGERPRINT.test(fingerprint) && isName(sessionName);
  return isValid ? { sessionName, fingerprint } : undefined;
}

function isName(name: string): boolean {
  if (name.trim() === '' || opaqueNameProblem(name) !== undefined) return false;
  return Buffer.byteLength(name) <= MAX_SESSION_NAME_BYTES;
}

/** Cut between characters, so that the name fits into a string of a TXT record. */
function shortened(name: string): string {
  let room = MAX_TEXT_BYTES - NAME_KEY.length;
  let length = 0;
  for (const character of name) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    length += character.length;
  }
  return name.slice(0, length);
}
