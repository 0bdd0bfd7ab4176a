import { strict as assert } from 'node:assert';
import {
  MAX_EXPORT_BYTES,
  MIN_PASSPHRASE_CHARACTERS,
  openRecord,
  sealRecord,
} from '../../../src/peer/team/ownerExport';
import {
  createSessionRecord,
  formatSessionRecord,
  type SessionRecord,
} from '../../../src/peer/team/sessionRecord';
import { throwsWith } from '../../support/rejectsWith';

const PASSPHRASE = 'mười hai chữ cái';

describe('an export of the keys of an owner', () => {
  let record: SessionRecord;
  let text: string;
  before(async () => {
    record = await createSessionRecord('Team', new Date('2026-01-02T03:04:05Z'));
    text = sealRecord(record, PASSPHRASE);
  });
  const members = (): Record<string, string> => JSON.parse(text) as Record<string, string>;

  it('is opened by its passphrase, however a keyboard composes it, to the same record', () => {
    const opened = openRecord(text, PASSPHRASE.normalize('NFD'));
    assert.equal(opened.isUnheard, true);
    assert.equal(
      formatSessionRecord({ ...opened, isUnheard: undefined }),
      formatSessionRecord(record),
    );
  });

  it('shows nothing of what it holds, and is another one each time', () => {
    for (const secret of [record.name, record.tracker.privateKey, ...keyTexts(record)])
      assert.equal(text.includes(secret), false);
    const again = JSON.parse(sealRecord(record, PASSPHRASE)) as Record<string, string>;
    for (const name of ['salt', 'nonce', 'sealed']) assert.notEqual(again[name], members()[name]);
  });

  it('is opened by no other passphrase', () => {
    for (const wrong of ['', PASSPHRASE.toUpperCase(), `${PASSPHRASE} `])
      throwsWith('EXPORT_UNREADABLE', () => openRecord(text, wrong), wrong);
  });

  it('is refused where any part of it is another', () => {
    const flip = (part: string): string => (part.startsWith('A') ? 'B' : 'A') + part.slice(1);
    const { salt = '', nonce = '', sealed = '' } = members();
    const changes = [
      ...[{ salt: flip(salt) }, { nonce: flip(nonce) }, { sealed: flip(sealed) }],
      ...[{ sealed: sealed.slice(0, -4) }, { sealed: sealed.slice(0, 20) }, { sealed: '' }],
      ...[{ format: 'peershelf owner 2' }, { salt: undefined }],
    ];
    for (const change of changes) {
      const changed = JSON.stringify({ ...members(), ...change });
      throwsWith('EXPORT_UNREADABLE', () => openRecord(changed, PASSPHRASE), changed.slice(0, 90));
    }
    for (const wrong of ['', '[]', 'null', text.slice(0, -1), ' '.repeat(MAX_EXPORT_BYTES) + text])
      throwsWith('EXPORT_UNREADABLE', () => openRecord(wrong, PASSPHRASE));
  });

  it('costs what the format says, whatever the file asks for', () => {
    // Parameters in the file are no part of the format: one that names its own is opened as any other.
    const costly = JSON.stringify({ ...members(), N: 2 ** 30, maxmem: 2 ** 40 });
    assert.equal(openRecord(costly, PASSPHRASE).name, record.name);
  });

  it('is not made under a passphrase that is soon guessed', () => {
    const short = 'x'.repeat(MIN_PASSPHRASE_CHARACTERS - 1);
    throwsWith('INVALID_ARGUMENT', () => sealRecord(record, short));
    assert.ok(sealRecord(record, `${short}x`));
  });
});

/** Secrets of a record as texts, in each spelling. */
function keyTexts({ owner, team }: SessionRecord): string[] {
  const bytes = [team.key.export(), owner.privateKey.export({ type: 'pkcs8', format: 'der' })];
  return bytes.flatMap((one) => [one.toString('base64url'), one.toString('base64')]);
}
