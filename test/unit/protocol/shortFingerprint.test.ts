import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fullHostLabel, hostLabel } from '../../../src/protocol/hostLabel';
import { shortFingerprint } from '../../../src/protocol/shortFingerprint';
import { MAX_SHOWN_TEXT_LENGTH } from '../../../src/protocol/text';

/** SHA-256 of `abc`; its first 100 bits by another implementation of base32. */
const IDENTITY = createHash('sha256').update('abc').digest('hex');
const SHORT = 'xj4b-np4p-ahh6-uqkb-idpf';

describe('the short fingerprint of an identity', () => {
  it('is what the document says', () => {
    assert.equal(shortFingerprint(IDENTITY), SHORT);
    const document = readFileSync(join(__dirname, '../../../docs/PROTOCOL.md'), 'utf8');
    assert.ok(document.includes(IDENTITY) && document.includes(SHORT));
  });

  it('depends on the first 100 bits only, on each of them', () => {
    const flipped = (bit: number): string => {
      const bytes = Buffer.from(IDENTITY, 'hex');
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      return shortFingerprint(bytes.toString('hex'));
    };
    for (let bit = 0; bit < 256; bit += 1)
      assert.equal(flipped(bit) === SHORT, bit >= 100, `${bit}`);
  });

  it('is made of whole identities only', () => {
    for (const text of ['', IDENTITY.slice(1), IDENTITY.toUpperCase(), `${IDENTITY}0`])
      assert.throws(() => shortFingerprint(text), TypeError);
  });

  it('stands in labels behind names that are cut before it, where a mark is needed', () => {
    const host = { hostname: 'h'.repeat(500), displayName: 'd'.repeat(500), identity: IDENTITY };
    assert.equal(hostLabel(host), host.displayName);
    const label = hostLabel({ ...host, looksAlike: true });
    assert.ok(label.endsWith(`…, ${SHORT})`));
    assert.ok(label.length <= MAX_SHOWN_TEXT_LENGTH);
    assert.equal(fullHostLabel({ hostname: 'alice', displayName: 'Alice' }), 'Alice (alice)');
  });
});
