import { type Answer, decode, type DecodedPacket, encode, type Question } from 'dns-packet';
import {
  ANNOUNCED_SERVICE,
  type AnnouncementRecord,
  readAnnouncements,
  type ReceivedAnnouncement,
} from '../protocol/announcement';
import { MAX_ANNOUNCEMENT_BYTES, MAX_ANNOUNCEMENT_RECORDS } from '../protocol/limits';

/** Flags of an answer by who is the authority for it. */
const AUTHORITATIVE = 0x400;

/** What a packet of multicast DNS means here. */
export type LanPacket =
  | {
      readonly kind: 'question';
      readonly id: number;
      readonly questions: readonly Question[];
    }
  | {
      readonly kind: 'answer';
      /** That of the question, or 0 when nobody asked. */
      readonly id: number;
      readonly announcements: readonly ReceivedAnnouncement[];
    };

/** Where trackers of teams are. @param id comes back with the answers. */
export function encodeQuestion(id: number): Buffer {
  return encode({ type: 'query', id, questions: [{ type: 'PTR', name: ANNOUNCED_SERVICE }] });
}

/** For everyone, whether they have asked or not. */
export function encodeAnnouncement(records: readonly AnnouncementRecord[]): Buffer {
  const answers = records.map(toAnswer);
  // Those of this tracker alone take the place of what was known of it (RFC 6762, section 10.2).
  for (const answer of answers) if (answer.type !== 'PTR') Object.assign(answer, { flush: true });
  return encode({ type: 'response', flags: AUTHORITATIVE, answers });
}

/** For one that asked from a port of its own, and takes it for plain DNS (section 6.7). */
export function encodeReply(
  id: number,
  questions: readonly Question[],
  records: readonly AnnouncementRecord[],
): Buffer {
  const answers = records.map(toAnswer);
  return encode({
    ...{ type: 'response', id, flags: AUTHORITATIVE, answers },
    questions: questions.map(({ name, type }) => ({ name, type })),
  });
}

/** Undefined for whatever is none, which anybody may have sent. Never throws. */
export function readPacket(bytes: Buffer): LanPacket | undefined {
  if (bytes.length > MAX_ANNOUNCEMENT_BYTES) return undefined;
  const packet = tryDecode(bytes);
  if (packet === undefined) return undefined;
  const { id = 0, type, questions = [], answers = [], additionals = [] } = packet;
  if (type !== 'query')
    return { kind: 'answer', id, announcements: readAnnouncements([...answers, ...additionals]) };
  return { kind: 'question', id, questions: questions.slice(0, MAX_ANNOUNCEMENT_RECORDS) };
}

function tryDecode(bytes: Buffer): DecodedPacket | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined; // The codec throws for whatever is not as it should be, in many ways.
  }
}

/** A copy, whose data the codec may take for its own. */
function toAnswer(record: AnnouncementRecord): Answer {
  return { ...record, class: 'IN' };
}
