import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JSON_MARK } from '../../../src/common/jsonFile';
import { createLogger } from '../../../src/common/logger';
import { EntrySigner } from '../../../src/peer/team/entrySigner';
import { EntryTrust } from '../../../src/peer/team/entryTrust';
import { type Entry, signEntry } from '../../../src/protocol/signedEntry';
import type { SignedText } from '../../../src/protocol/signedText';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { storedIdentity } from '../../support/identities';
import { temporaryFolder } from '../../support/temporaryFolder';

const TEAM_ID = '00'.repeat(32);
const WRITE_DELAY_MS = 5_000;

describe('which entries are believed', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let warnings: string[];
  let owner: 'alice' | 'mallory';

  beforeEach(() => {
    clock = new FakeClock();
    warnings = [];
    owner = 'alice';
  });

  const trustOf = (file?: string): EntryTrust =>
    new EntryTrust({
      ...{ clock, file, teamId: TEAM_ID },
      logger: createLogger((level, _tag, message) => {
        if (level === 'warn') warnings.push(message);
      }),
      keyOf: (hostname) =>
        hostname === 'nobody' ? undefined : { ...storedIdentity(owner), sealingPoint: '' },
    });
  const sign = (sequence: number, more: Partial<Entry> = {}): SignedText =>
    signEntry(
      {
        ...{ teamId: TEAM_ID, hostname: 'alice', name: 'a', version: 1, state: 'published' },
        ...{ contentId: { root: 'ab'.repeat(32), sizeBytes: 1 }, note: '', timeMs: 1, sequence },
        ...more,
      },
      storedIdentity(owner).privateKey,
    );
  const sequenceOf = (trust: EntryTrust, signed?: SignedText): number | undefined =>
    trust.verify('alice', 'a', signed)?.sequence;

  it('those that their host has signed, for that name', () => {
    const trust = trustOf();
    assert.equal(sequenceOf(trust, sign(5)), 5);
    assert.equal(trust.verify('alice', 'b', sign(6)), undefined);
    assert.equal(trust.verify('bob', 'a', sign(6)), undefined);
    assert.equal(trust.verify('nobody', 'a', sign(6)), undefined);
    assert.equal(sequenceOf(trust, { ...sign(6), signature: sign(7).signature }), undefined);
    assert.equal(sequenceOf(trust, undefined), undefined);
    assert.equal(sequenceOf(trust, sign(5)), 5, 'the same sequence, signed anew');
  });

  it('none that says another thing with the signature of what was believed', () => {
    const trust = trustOf();
    const signed = sign(5);
    assert.equal(sequenceOf(trust, signed), 5);
    assert.equal(sequenceOf(trust, signed), 5);
    const text = signed.text.replace('"seq":5', '"seq":6');
    assert.equal(sequenceOf(trust, { ...signed, text }), undefined);
  });

  it('none older than what was seen, withdrawals included; told once for a host', () => {
    const trust = trustOf();
    const published = sign(5);
    assert.equal(sequenceOf(trust, published), 5);
    assert.equal(trust.verify('alice', 'a', sign(6, { state: 'withdrawn' }))?.state, 'withdrawn');
    assert.equal(sequenceOf(trust, published), undefined);
    assert.equal(sequenceOf(trust, sign(4)), undefined);
    assert.equal(sequenceOf(trust, sign(7)), 7);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /alice/u);
  });

  it('none that holds no more, nor what was said before it', () => {
    const trust = trustOf();
    const nowMs = clock.now();
    const lasting = sign(4);
    const passing = sign(5, { expiresMs: nowMs + 1_000 });
    assert.equal(sequenceOf(trust, passing), 5);
    clock.advance(1_001);
    assert.equal(sequenceOf(trust, passing), undefined);
    assert.equal(sequenceOf(trustOf(), passing), undefined);
    assert.equal(sequenceOf(trust, lasting), undefined);
  });

  it('the same over restarts and in all windows', () => {
    const file = join(temporaryFolder(cleanup), 'entries.json');
    const [first, second] = [trustOf(file), trustOf(file)];
    sequenceOf(first, sign(9));
    sequenceOf(second, sign(7));
    second.verify('alice', 'b', sign(3, { name: 'b' }));
    clock.advance(WRITE_DELAY_MS);
    first.dispose();
    second.dispose();
    const third = trustOf(file);
    assert.equal(sequenceOf(third, sign(8)), undefined);
    assert.equal(third.verify('alice', 'b', sign(2, { name: 'b' })), undefined);
    assert.equal(sequenceOf(third, sign(9)), 9);
    assert.equal(readFileSync(file, 'utf8').includes('alice'), false, 'it tells no names');
  });

  it('anew for another identity, and when the file is damaged', () => {
    const file = join(temporaryFolder(cleanup), 'entries.json');
    writeFileSync(file, '{"a":');
    const trust = trustOf(file);
    assert.equal(sequenceOf(trust, sign(9)), 9);
    owner = 'mallory';
    assert.equal(sequenceOf(trust, sign(1)), 1);
  });

  it('of 20,000 names at most is remembered what was seen', () => {
    const file = join(temporaryFolder(cleanup), 'entries.json');
    const full = Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1] as const);
    writeFileSync(file, JSON.stringify(Object.fromEntries(full)));
    const trust = trustOf(file);
    sequenceOf(trust, sign(9));
    trust.dispose();
    const stored = Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object);
    const kept = stored.filter((key) => !(key in JSON_MARK));
    assert.equal(kept.length, 20_000);
    assert.equal(kept.includes('k0'), false);
    assert.equal(sequenceOf(trustOf(file), sign(8)), undefined);
  });

  it('is what a publisher signs, once for each entry and hostname', () => {
    const identity = storedIdentity('alice');
    const signer = new EntrySigner({ teamId: TEAM_ID, identity }, clock);
    const contentId = { root: 'ab'.repeat(32), sizeBytes: 1 };
    const entry = { name: 'a', contentId, version: 2, sequence: 5 };
    const signed = signer.published('alice', entry);
    assert.equal(signer.published('alice', entry), signed);
    assert.deepEqual(trustOf().verify('alice', 'a', signed), {
      ...{ teamId: TEAM_ID, hostname: 'alice', name: 'a', contentId, version: 2, sequence: 5 },
      ...{ state: 'published', note: '', expiresMs: undefined, timeMs: clock.now() },
    });
    assert.notEqual(
      trustOf().verify('alice-2', 'a', signer.published('alice-2', entry)),
      undefined,
    );
    const gone = { ...entry, sequence: 6 };
    assert.equal(
      trustOf().verify('alice', 'a', signer.withdrawn('alice', gone))?.state,
      'withdrawn',
    );
    assert.equal(signer.published('alice', { name: 'a' }), undefined, 'not hashed yet');
  });
});
