import { strict as assert } from 'node:assert';
import {
  ANNOUNCED_SERVICE,
  announcementRecords,
  readAnnouncements,
} from '../../../src/protocol/announcement';

const FINGERPRINT = '0123456789abcdef'.repeat(4);
const NAME = `x.${ANNOUNCED_SERVICE}`;
const texts = (...all: string[]): Buffer[] => all.map((text) => Buffer.from(text));
const VALID = ['txtvers=1', `fp=${FINGERPRINT}`, 'name=Lớp 10A'];
const service = (data: unknown = { target: 'x.local', port: 9_000 }, ttl: unknown = 120) => ({
  ...{ type: 'SRV', name: NAME, ttl, data },
});
const text = (...all: string[]) => ({ type: 'TXT', name: NAME, ttl: 120, data: texts(...all) });

describe('an announcement', () => {
  it('says name, fingerprint and port, and where they come from is not its business', () => {
    const records = announcementRecords(
      { sessionName: 'Lớp 10A', fingerprint: FINGERPRINT, port: 9_000 },
      { label: 'x', addresses: ['10.0.0.7'], ttlS: 120 },
    );
    assert.deepEqual(
      records.map(({ type, name }) => `${type} ${name}`),
      [
        'PTR _services._dns-sd._udp.local',
        'PTR _peershelf._tcp.local',
        'SRV x._peershelf._tcp.local',
        'TXT x._peershelf._tcp.local',
        'A x.local',
      ],
    );
    const received = records.map((record) =>
      record.type === 'TXT' ? { ...record, data: texts(...record.data) } : record,
    );
    assert.deepEqual(readAnnouncements(received), [
      {
        ...{ sessionName: 'Lớp 10A', fingerprint: FINGERPRINT, port: 9_000 },
        ...{ instance: 'x._peershelf._tcp.local', ttlS: 120 },
      },
    ]);
  });

  it('cuts a name that is too long for a record, between characters', () => {
    const records = announcementRecords(
      { sessionName: '😀'.repeat(63) + 'ab', fingerprint: FINGERPRINT, port: 1 },
      { label: 'x', addresses: [], ttlS: 1 },
    );
    const data = records.find(({ type }) => type === 'TXT')?.data;
    const name = Array.isArray(data) ? data.at(-1) : undefined;
    assert.equal(name, `name=${'😀'.repeat(62)}`);
    assert.ok(Buffer.byteLength(name) <= 255);
  });

  it('counts in whatever case and order, the first text of a key only', () => {
    const upper = { ...text('NAME=A', 'name=B', ...VALID.slice(0, 2)), name: NAME.toUpperCase() };
    assert.deepEqual(
      readAnnouncements([upper, service()]).map(({ sessionName }) => sessionName),
      ['A'],
    );
  });

  it('holds for two minutes at most', () => {
    const [one] = readAnnouncements([service(undefined, 2 ** 32 - 1), text(...VALID)]);
    assert.equal(one?.ttlS, 120);
  });

  const wrong: [string, unknown[]][] = [
    ['nothing', []],
    ['no text', [service()]],
    ['no service', [text(...VALID)]],
    ['the text of another', [service(), { ...text(...VALID), name: `y.${ANNOUNCED_SERVICE}` }]],
    ['another service', [{ ...service(), name: 'x._http._tcp.local' }, text(...VALID)]],
    ['the bare service', [{ ...service(), name: ANNOUNCED_SERVICE }, text(...VALID)]],
    ['port 0', [service({ target: 'x', port: 0 }), text(...VALID)]],
    ['no port', [service({ target: 'x' }), text(...VALID)]],
    ['no data', [service(null), text(...VALID)]],
    ['a negative time', [service(undefined, -1), text(...VALID)]],
    ['another version', [service(), text('txtvers=2', ...VALID.slice(1))]],
    ['no fingerprint', [service(), text('txtvers=1', 'name=x')]],
    ['a short fingerprint', [service(), text('txtvers=1', 'fp=12', 'name=x')]],
    ['an upper-case one', [service(), text('txtvers=1', `fp=${'A'.repeat(64)}`, 'name=x')]],
    ['no name', [service(), text(...VALID.slice(0, 2))]],
    ['a blank name', [service(), text(...VALID.slice(0, 2), 'name= ')]],
    ['a line feed in the name', [service(), text(...VALID.slice(0, 2), 'name=a\nb')]],
    ['an escape in the name', [service(), text(...VALID.slice(0, 2), 'name=\u001b[2J')]],
    ['texts that are none', [service(), { ...text(), data: [1, null, {}] }]],
    ['records that are none', [null, undefined, 1, 'x', [], {}]],
  ];
  for (const [what, records] of wrong)
    it(`is passed over with ${what}`, () => {
      assert.deepEqual(readAnnouncements(records), []);
    });

  it('is looked for among so many records only', () => {
    const many = Array.from({ length: 64 }, () => ({ type: 'A', name: 'x', data: '' }));
    assert.deepEqual(readAnnouncements([...many, service(), text(...VALID)]), []);
  });
});
