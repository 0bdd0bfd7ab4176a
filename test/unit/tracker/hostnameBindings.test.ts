import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nullLogger } from '../../../src/common/logger';
import { HostnameBindings } from '../../../src/tracker/hostnameBindings';
import { BINDING_LIFETIME_MS, MAX_HOSTNAMES_PER_IDENTITY } from '../../../src/tracker/limits';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { temporaryFolder } from '../../support/temporaryFolder';

const ALICE = 'aa'.repeat(32);
const MALLORY = 'bb'.repeat(32);

describe('whose hostnames are', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;
  let registered: Set<string>;

  beforeEach(() => {
    clock = new FakeClock();
    registered = new Set();
  });

  const create = (file?: string): HostnameBindings =>
    new HostnameBindings({
      ...{ clock, file, logger: nullLogger },
      isRegistered: (hostname) => registered.has(hostname),
    });
  const newFile = (): string => join(temporaryFolder(cleanup), 'bindings.json');

  it('is whose took them first, until nobody has used them for 30 days', () => {
    const bindings = create();
    assert.equal(bindings.claim('alice', ALICE), 'done');
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use');
    assert.equal(bindings.claim('alice', ALICE), 'done');
    clock.advance(BINDING_LIFETIME_MS);
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use');
    clock.advance(1);
    registered.add('alice');
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use', 'still there');
    registered.clear();
    assert.equal(bindings.claim('alice', MALLORY), 'done');
    assert.equal(bindings.claim('alice', ALICE), 'hostname in use');
  });

  it('stays whose they are as long as there are signs of life', () => {
    const bindings = create();
    bindings.claim('alice', ALICE);
    clock.advance(BINDING_LIFETIME_MS);
    bindings.touch('alice');
    bindings.touch('nobody');
    clock.advance(BINDING_LIFETIME_MS);
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use');
  });

  it('is at most sixteen of one identity: the one unused for longest goes', () => {
    const bindings = create();
    const names = Array.from({ length: MAX_HOSTNAMES_PER_IDENTITY }, (_, index) => `a-${index}`);
    for (const name of names) {
      registered.add(name);
      assert.equal(bindings.claim(name, ALICE), 'done');
      clock.advance(1);
    }
    assert.equal(bindings.claim('one more', ALICE), 'too many hostnames');
    assert.equal(bindings.claim('m', MALLORY), 'done');
    registered.delete('a-3');
    registered.delete('a-7');
    assert.equal(bindings.claim('one more', ALICE), 'done');
    assert.equal(bindings.claim('a-3', MALLORY), 'done');
    assert.equal(bindings.claim('a-7', MALLORY), 'hostname in use');
  });

  it('is kept in its file, written once for what comes together', () => {
    const file = newFile();
    const first = create(file);
    first.claim('alice', ALICE);
    first.claim('a', ALICE);
    assert.deepEqual(readdirSync(dirname(file)), []);
    clock.advance(5_000);
    assert.equal(create(file).claim('alice', MALLORY), 'hostname in use');
    first.claim('later', ALICE);
    first.flush();
    assert.equal(create(file).claim('later', MALLORY), 'hostname in use');
  });

  it('is unknown after its file was damaged, which is put aside', () => {
    const file = newFile();
    writeFileSync(file, '{"alice":{"fingerprint":"no","seenMs":1}}');
    assert.equal(create(file).claim('alice', MALLORY), 'done');
    assert.match(readFileSync(`${file}.damaged`, 'utf8'), /alice/u);
  });
});
