import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nullLogger } from '../../../src/common/logger';
import { HostnameBindings } from '../../../src/tracker/hostnameBindings';
import {
  BINDING_ESTABLISHED_MS,
  BINDING_LIFETIME_MS,
  BINDING_OVERHEAD_BYTES,
  MAX_BINDINGS,
  MAX_HOSTNAMES_PER_IDENTITY,
} from '../../../src/tracker/limits';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { temporaryFolder } from '../../support/temporaryFolder';

const ALICE = 'aa'.repeat(32);
/** Cost of a hostname of three characters. */
const ROOM_FOR_SHORT = BINDING_OVERHEAD_BYTES + 3 * 4;
const MALLORY = 'bb'.repeat(32);

describe('whose hostnames are', () => {
  const cleanup = useCleanup();
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });

  const create = (file?: string): HostnameBindings =>
    new HostnameBindings({ clock, file, logger: nullLogger });
  const identity = (index: number): string => index.toString(16).padStart(64, '0');
  /** As many as there can be, of as many identities as that takes. */
  const flood = (bindings: HostnameBindings): void => {
    let taken = 0;
    for (let index = 0; index < MAX_BINDINGS; index += 1) {
      const owner = identity(Math.floor(index / MAX_HOSTNAMES_PER_IDENTITY));
      if (bindings.claim(`ghost ${index}`, owner) === 'done') taken += 1;
    }
    assert.equal(taken, MAX_BINDINGS);
  };
  const newFile = (): string => join(temporaryFolder(cleanup), 'bindings.json');

  it('is whose took them first, until nobody has used them for 30 days', () => {
    const bindings = create();
    assert.equal(bindings.claim('alice', ALICE), 'done');
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use');
    assert.equal(bindings.claim('alice', ALICE), 'done');
    clock.advance(BINDING_LIFETIME_MS);
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use');
    clock.advance(1);
    bindings.claim('alice', ALICE);
    bindings.hold('alice');
    clock.advance(2 * BINDING_LIFETIME_MS);
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use', 'still there');
    bindings.release('alice');
    clock.advance(BINDING_LIFETIME_MS);
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use', 'was there until now');
    clock.advance(1);
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
      assert.equal(bindings.claim(name, ALICE), 'done');
      bindings.hold(name);
      clock.advance(1);
    }
    assert.equal(bindings.claim('one more', ALICE), 'too many hostnames');
    assert.equal(bindings.claim('m', MALLORY), 'done');
    clock.advance(BINDING_LIFETIME_MS / 2);
    bindings.release('a-3');
    clock.advance(BINDING_LIFETIME_MS / 2);
    bindings.release('a-7');
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

  it('is kept under names that objects have of themselves', () => {
    const file = newFile();
    const names = ['__proto__', 'constructor', 'prototype'];
    const first = create(file);
    for (const name of names) assert.equal(first.claim(name, ALICE), 'done');
    first.flush();
    for (const name of names)
      assert.equal(create(file).claim(name, MALLORY), 'hostname in use', name);
  });

  it('is in use as long as one of the connections that have it is there', () => {
    const bindings = create();
    bindings.claim('alice', ALICE);
    bindings.hold('alice');
    bindings.hold('alice');
    bindings.release('alice');
    clock.advance(BINDING_LIFETIME_MS + 1);
    assert.equal(bindings.claim('alice', MALLORY), 'hostname in use');
    bindings.release('alice');
    bindings.release('alice');
    bindings.hold('nobody');
    clock.advance(BINDING_LIFETIME_MS + 1);
    assert.equal(bindings.claim('alice', MALLORY), 'done');
  });

  it('does not make room for very many others who came on another day, or are here', () => {
    const bindings = create();
    for (const name of ['alice', 'online', 'passing']) bindings.claim(name, ALICE);
    bindings.hold('online');
    clock.advance(BINDING_ESTABLISHED_MS);
    bindings.touch('alice');
    bindings.claim('newcomer', ALICE);
    flood(bindings);
    for (const name of ['alice', 'online'])
      assert.equal(bindings.claim(name, MALLORY), 'hostname in use', name);
    for (const name of ['passing', 'newcomer'])
      assert.equal(bindings.claim(name, MALLORY), 'done', name);
  });

  it('takes no more memory than it may, and makes room by what was used on one day', () => {
    const file = newFile();
    const few = (): HostnameBindings =>
      new HostnameBindings({ clock, file, logger: nullLogger, maxBytes: 20 * ROOM_FOR_SHORT });
    const bindings = few();
    const claim = (hostname: string, index: number): string =>
      bindings.claim(hostname, identity(index));
    for (let index = 0; index < 20; index += 1) assert.equal(claim(`h${index}`, index), 'done');
    // A long one makes as many go as it takes the room of.
    assert.equal(claim('x'.repeat(1_000), 20), 'done');
    assert.equal(claim('h0', 21), 'done');
    assert.equal(claim('h19', 21), 'hostname in use');
    assert.equal(bindings.claim('y'.repeat(20_000), ALICE), 'too many hostnames');
    bindings.flush();
    assert.ok(Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object).length <= 20);
    // A file from before, with more than there is room for: the ones seen last are known.
    const more = Array.from({ length: 30 }, (_, index) => {
      const seenMs = clock.now() + index;
      return [`h${index}`, { fingerprint: identity(index), sinceMs: 0, seenMs }] as const;
    });
    writeFileSync(file, JSON.stringify(Object.fromEntries(more)));
    const read = few();
    assert.equal(read.claim('h29', ALICE), 'hostname in use');
    assert.equal(read.claim('h10', ALICE), 'hostname in use');
    assert.equal(read.claim('h9', ALICE), 'too many hostnames');
  });

  it('is nobody else’s when all are established, until one lapses', function () {
    this.timeout(30_000); // A whole file of them is read.
    const file = newFile();
    const [sinceMs, seenMs] = [clock.now(), clock.now() + BINDING_ESTABLISHED_MS];
    const all = Array.from({ length: MAX_BINDINGS }, (_, index) => {
      return [`host ${index}`, { fingerprint: identity(index), sinceMs, seenMs }] as const;
    });
    writeFileSync(file, JSON.stringify(Object.fromEntries(all)));
    clock.advance(BINDING_ESTABLISHED_MS);
    const bindings = create(file);
    assert.equal(bindings.claim('alice', ALICE), 'too many hostnames');
    assert.equal(bindings.claim('host 7', identity(7)), 'done');
    clock.advance(BINDING_LIFETIME_MS + 1);
    assert.equal(bindings.claim('alice', ALICE), 'done');
  });
});
