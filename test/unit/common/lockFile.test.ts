import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/common/clock';
import { holdsLock, tryLock } from '../../../src/common/lockFile';
import { useCleanup } from '../../support/cleanup';
import { temporaryFolder } from '../../support/temporaryFolder';

/** Above every system's highest process number. */
const NO_PROCESS = 2 ** 30;

describe('a lock file', () => {
  const cleanup = useCleanup();
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = temporaryFolder(cleanup);
    path = join(folder, 'session.lock');
  });

  const take = (holder: string = randomUUID()): string | undefined =>
    tryLock(path, holder, systemClock);

  it('is held by one at a time, and leaves nothing else behind', () => {
    const token = take();
    assert.ok(token !== undefined && holdsLock(path, token));
    assert.equal(take(), undefined);
    assert.deepEqual(readdirSync(folder), ['session.lock']);
    rmSync(path);
    assert.equal(holdsLock(path, token), false);
    const next = take();
    assert.ok(next !== undefined && holdsLock(path, next));
    assert.equal(holdsLock(path, token), false);
  });

  it('is taken over from a process that is gone, and when nobody has touched it for long', () => {
    const left = { pid: NO_PROCESS, machine: hostname(), window: 'gone', token: 'old' };
    writeFileSync(path, JSON.stringify(left));
    const token = take();
    assert.ok(token !== undefined);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(path, longAgo, longAgo);
    assert.ok(take() !== undefined);
    assert.equal(holdsLock(path, token), false, 'whoever held it for too long does not remove it');
    assert.deepEqual(readdirSync(folder), ['session.lock']);
  });

  it('of another machine is left alone, as nobody knows what runs there', () => {
    const theirs = { pid: NO_PROCESS, machine: 'another', window: 'there', token: 'theirs' };
    writeFileSync(path, JSON.stringify(theirs));
    assert.equal(take(), undefined);
    assert.ok(holdsLock(path, 'theirs'));
  });

  it('that is damaged is nobody’s', () => {
    for (const text of ['', '{', '[]', '{"token":"x"}']) {
      writeFileSync(path, text);
      assert.ok(take() !== undefined, text);
    }
  });
});
