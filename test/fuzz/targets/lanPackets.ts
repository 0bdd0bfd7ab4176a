import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { FoundSessions } from '../../../src/lan/foundSessions';
import {
  encodeAnnouncement,
  encodeQuestion,
  encodeReply,
  readPacket,
} from '../../../src/lan/packets';
import { type Announcement, announcementRecords } from '../../../src/protocol/announcement';
import { MAX_ANNOUNCEMENT_TTL_S, MAX_SESSION_NAME_BYTES } from '../../../src/protocol/limits';
import { opaqueNameProblem } from '../../../src/protocol/names';
import { FakeClock } from '../../support/fakeClock';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { anyText } from '../mutation';

/** Bytes that count in a packet: lengths, pointers, numbers of records, types. */
const EDGES = [0, 1, 12, 16, 33, 63, 64, 0x80, 0xc0, 0xc1, 0xff];

const name = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(
      'Team',
      'Lớp 10A',
      '[x](command:a) $(error)',
      '\u202ex',
      'a\nb',
      '😀'.repeat(80),
    ),
    anyText(),
  );

function announcements(): fc.Arbitrary<Announcement> {
  const hex = fc.uint8Array({ minLength: 32, maxLength: 32 });
  return fc.record(
    {
      sessionName: name(),
      fingerprint: hex.map((bytes) => Buffer.from(bytes).toString('hex')),
      port: fc.integer({ min: 1, max: 65_535 }),
    },
    { noNullPrototype: true },
  );
}

/** Answers and questions as they are sent. */
function packets(): fc.Arbitrary<{ readonly bytes: Buffer; readonly said: Announcement }> {
  const ttl = fc.constantFrom(0, 1, 10, 120, 86_400, 2 ** 31 - 1);
  return fc
    .tuple(announcements(), ttl, fc.constantFrom('said', 'replied', 'asked'))
    .map(([said, ttlS, kind]) => {
      const records = announcementRecords(said, { label: 'x', addresses: ['10.0.0.1'], ttlS });
      if (kind === 'asked') return { said, bytes: encodeQuestion(7) };
      const bytes = kind === 'said' ? encodeAnnouncement(records) : encodeReply(7, [], records);
      return { said, bytes };
    });
}

const edit = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(...EDGES), fc.nat(255)));

function changed(
  bytes: Buffer,
  edits: readonly (readonly [number, number])[],
  cut: number,
): Buffer {
  const copy = Buffer.from(bytes);
  for (const [at, value] of edits) copy[at % copy.length] = value;
  return copy.subarray(0, cut === 0 ? undefined : copy.length - (cut % copy.length));
}

/** What anybody in the network may send: it is read without harm, and says nothing that is not valid. */
export const lanPackets: FuzzTarget = {
  name: 'lan-packets',
  share: 20,
  property: () =>
    fc.property(
      packets(),
      fc.array(edit, { maxLength: 6 }),
      fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat()),
      fc.option(fc.uint8Array({ maxLength: 1_600 }), { freq: 8, nil: undefined }),
      ({ bytes, said }, edits, cut, rubbish) => {
        const sent = rubbish === undefined ? changed(bytes, edits, cut) : Buffer.from(rubbish);
        const read = orRefused([], () => readPacket(sent));
        if (read?.kind !== 'answer') return;
        const sessions = new FoundSessions(new FakeClock());
        for (const one of read.announcements) {
          assert.match(one.fingerprint, /^[0-9a-f]{64}$/u);
          assert.equal(opaqueNameProblem(one.sessionName), undefined);
          assert.ok(Buffer.byteLength(one.sessionName) <= MAX_SESSION_NAME_BYTES);
          assert.ok(Number.isInteger(one.port) && one.port >= 1 && one.port <= 65_535);
          assert.ok(one.ttlS >= 0 && one.ttlS <= MAX_ANNOUNCEMENT_TTL_S);
          orRefused([], () => sessions.take(one, '10.0.0.1'));
          // Untouched, it is what was said, perhaps less of the name, and of that what can be written.
          if (rubbish !== undefined || edits.length > 0 || cut !== 0) continue;
          assert.equal(one.fingerprint, said.fingerprint);
          assert.ok(Buffer.from(said.sessionName).toString().startsWith(one.sessionName));
        }
        sessions.dispose();
      },
    ),
};
