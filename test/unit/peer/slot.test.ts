import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { systemClock } from '../../../src/common/clock';
import { Slot } from '../../../src/peer/catalogue/slot';
import { useCleanup } from '../../support/cleanup';
import { temporaryFolder } from '../../support/temporaryFolder';

/** Above every system's highest process number. */
const NO_PROCESS = 2 ** 30;

describe('Slot', () => {
  const cleanup = useCleanup();
  let folder: string;
  beforeEach(() => (folder = temporaryFolder(cleanup)));

  const acquire = (window: string = randomUUID()): Slot => {
    const slot = Slot.acquire(folder, systemClock, window);
    cleanup.add(() => slot.dispose());
    return slot;
  };
  const lockPath = (): string => join(folder, 'slot-1', 'lock.json');
  const writeLock = (lock: object): void =>
    writeFileSync(lockPath(), JSON.stringify({ window: 'another window', ...lock }));

  it('gives each window a place, and a free one again', () => {
    const [one, two, three] = [acquire(), acquire(), acquire()];
    assert.deepEqual(
      [one, two, three].map((slot) => basename(slot.folder)),
      ['slot-1', 'slot-2', 'slot-3'],
    );
    two.dispose();
    assert.equal(basename(acquire().folder), 'slot-2');
  });

  it('is free again also where nothing can be written any more', () => {
    const slot = acquire();
    mkdirSync(join(slot.folder, 'released'));
    assert.throws(() => slot.dispose(), { code: 'EISDIR' });
    assert.equal(basename(acquire().folder), 'slot-1');
    rmdirSync(join(slot.folder, 'released'));
  });

  it('gives a window that reloads its own place, not one that was left before', () => {
    const [one, two] = [acquire(), acquire()];
    one.dispose();
    const longBefore = new Date(Date.now() - 10_000);
    utimesSync(join(folder, 'slot-1', 'released'), longBefore, longBefore);
    two.dispose();
    assert.equal(basename(acquire().folder), 'slot-2');
    assert.equal(basename(acquire().folder), 'slot-1');
  });

  it('takes over from a process that is gone, and from a lock that nobody touches', () => {
    acquire().dispose();
    writeLock({ pid: NO_PROCESS, machine: hostname(), token: 'old' });
    const slot = acquire();
    assert.equal(basename(slot.folder), 'slot-1');
    slot.dispose();

    writeLock({ pid: process.pid, machine: hostname(), token: 'old' });
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(lockPath(), longAgo, longAgo);
    assert.equal(basename(acquire().folder), 'slot-1');
  });

  it('leaves the lock of another machine alone while it is touched', () => {
    acquire().dispose();
    writeLock({ pid: NO_PROCESS, machine: 'another', token: 'theirs' });
    assert.equal(basename(acquire().folder), 'slot-2');
  });

  it('takes over a damaged lock, and removes only its own', () => {
    acquire().dispose();
    writeFileSync(lockPath(), 'half a lo');
    const slot = acquire();
    assert.equal(basename(slot.folder), 'slot-1');
    writeLock({ pid: process.pid, machine: hostname(), token: 'somebody else' });
    slot.dispose();
    assert.match(readFileSync(lockPath(), 'utf8'), /somebody else/u);
  });

  it('takes back what the same window left behind when its engine crashed', () => {
    acquire('mine');
    assert.equal(basename(acquire('mine').folder), 'slot-1');
    assert.equal(basename(acquire('other').folder), 'slot-2');
  });
});
