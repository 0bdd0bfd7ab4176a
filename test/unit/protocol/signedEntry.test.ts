import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { type Entry, openEntry, signEntry } from '../../../src/protocol/signedEntry';
import { MAX_ENTRY_CHARACTERS, MAX_NOTE_CHARACTERS } from '../../../src/protocol/limits';
import { labelled, signText } from '../../../src/protocol/signedText';
import { storedIdentity } from '../../support/identities';
import { ENTRY_VECTOR, TEAM_VECTOR } from '../../support/teamVector';

const alice = storedIdentity('alice');
const mallory = storedIdentity('mallory');
const ENTRY: Entry = {
  teamId: '00'.repeat(32),
  hostname: 'alice',
  name: 'docs/Ghi chú.txt',
  contentId: { root: 'ab'.repeat(32), sizeBytes: 12 },
  version: 3,
  sequence: 7,
  state: 'published',
  note: '',
  expiresMs: undefined,
  timeMs: 1_700_000_000_000,
};
const PLACE = {
  teamId: ENTRY.teamId,
  hostname: ENTRY.hostname,
  name: ENTRY.name,
  publicKey: alice.publicKey,
};

describe('signed entries', () => {
  it('fit when all of them is as long as it may be', () => {
    const longest = {
      ...{ hostname: '\\'.repeat(1_024), name: '"'.repeat(1_024) },
      note: '\u0001'.repeat(MAX_NOTE_CHARACTERS),
    };
    const numbers = Number.MAX_SAFE_INTEGER;
    const times = { sequence: numbers, version: numbers, expiresMs: numbers, timeMs: numbers };
    const full = { ...ENTRY, ...longest, ...times, state: 'withdrawn' as const };
    const signed = signEntry(full, alice.privateKey);
    assert.deepEqual(openEntry(signed, { ...PLACE, ...longest }), full);
  });

  const signed = signEntry(ENTRY, alice.privateKey);

  it('are what another implementation has signed', () => {
    const { text, signature, publicKey, sha256 } = ENTRY_VECTOR;
    const input = labelled('entry', text);
    assert.equal(createHash('sha256').update(input).digest('hex'), sha256);
    const spki = alice.publicKey.export({ type: 'spki', format: 'der' });
    assert.equal(spki.subarray(-65).toString('hex'), publicKey);
    const place = { ...PLACE, teamId: TEAM_VECTOR.teamId, name: 'Ghi chú.txt' };
    const entry = openEntry({ text, signature }, place);
    assert.deepEqual([entry?.sequence, entry?.contentId.sizeBytes], [17, 2_048]);
    assert.equal(entry && signEntry(entry, alice.privateKey).text, text);
  });

  it('are refused with half a character, which has the bytes of another text', () => {
    const noted = signEntry({ ...ENTRY, note: 'plan \ufffd' }, alice.privateKey);
    assert.equal(openEntry(noted, PLACE)?.note, 'plan \ufffd');
    for (const half of ['\ud800', '\udc00']) {
      const text = noted.text.replace('\ufffd', half);
      assert.notEqual(text, noted.text);
      assert.deepEqual(Buffer.from(text), Buffer.from(noted.text), 'its bytes are the same');
      assert.equal(openEntry({ ...noted, text }, PLACE), undefined);
    }
  });

  it('are opened as they were signed, withdrawals and all', () => {
    assert.deepEqual(openEntry(signed, PLACE), ENTRY);
    const withdrawn: Entry = { ...ENTRY, state: 'withdrawn', note: 'wrong file', expiresMs: 9 };
    assert.deepEqual(openEntry(signEntry(withdrawn, alice.privateKey), PLACE), withdrawn);
  });

  it('belong to their host, their name, their team and nobody else', () => {
    for (const other of [
      { hostname: 'bob' },
      { name: 'other' },
      { teamId: '11'.repeat(32) },
      { publicKey: mallory.publicKey },
    ])
      assert.equal(openEntry(signed, { ...PLACE, ...other }), undefined, JSON.stringify(other));
    const host = signText('host', signed.text, alice.privateKey);
    assert.equal(openEntry(host, PLACE), undefined, 'signed as a host record');
  });

  it('are not believed when anything of them is changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 0xffff }), (at, unit) => {
        const index = at % signed.text.length;
        const other = String.fromCharCode(unit);
        fc.pre(other !== signed.text[index]);
        const text = signed.text.slice(0, index) + other + signed.text.slice(index + 1);
        assert.equal(openEntry({ ...signed, text }, PLACE), undefined);
      }),
    );
  });

  it('say what an entry says, however well they are signed', () => {
    const wrong: object[] = [
      { version: 0 },
      { sequence: -1 },
      { sequence: 1.5 },
      { state: 'gone' },
      { contentId: { root: 'AB'.repeat(32), sizeBytes: 12 } },
      { contentId: { root: 'ab'.repeat(32), sizeBytes: 0 } },
      { note: 'x'.repeat(MAX_NOTE_CHARACTERS + 1) },
      { timeMs: Number.NaN },
    ];
    for (const change of wrong) {
      const entry = { ...ENTRY, ...change };
      assert.equal(openEntry(signEntry(entry, alice.privateKey), PLACE), undefined);
    }
    const texts = ['', 'null', '[]', ' '.repeat(MAX_ENTRY_CHARACTERS) + signed.text];
    for (const text of texts)
      assert.equal(openEntry(signText('entry', text, alice.privateKey), PLACE), undefined);
  });
});
