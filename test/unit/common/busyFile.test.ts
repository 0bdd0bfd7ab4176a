import { strict as assert } from 'node:assert';
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  realSystem,
  retryWhileBusy,
  retryWhileBusyPatiently,
  type RetrySystem,
} from '../../../src/common/busyFile';
import { useCleanup } from '../../support/cleanup';
import { temporaryFolder } from '../../support/temporaryFolder';

/** Fails a number of times as Windows does while another process has the file open. */
class BusyFile {
  attempts = 0;

  constructor(
    private readonly failures: number,
    private readonly code = 'EPERM',
  ) {}

  readonly rename = (): string => {
    this.attempts += 1;
    if (this.attempts > this.failures) return 'renamed';
    throw Object.assign(new Error(`${this.code}: rename`), { code: this.code });
  };
}

/** Adds up the pauses instead of making them. */
class CountingSystem implements RetrySystem {
  waitedMs = 0;

  constructor(readonly platform: NodeJS.Platform = 'win32') {}

  readonly block = (delayMs: number): void => {
    this.waitedMs += delayMs;
  };

  readonly pause = (delayMs: number, signal: AbortSignal | undefined): Promise<void> => {
    this.waitedMs += delayMs;
    return signal?.aborted === true ? Promise.reject(signal.reason as Error) : Promise.resolve();
  };
}

describe('a file that another process has open', () => {
  const cleanup = useCleanup();

  it('is renamed as soon as it is free, whatever Windows calls it', async () => {
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      const system = new CountingSystem();
      assert.equal(retryWhileBusy(new BusyFile(3, code).rename, system), 'renamed');
      assert.equal(system.waitedMs, 1 + 2 + 4);
      const { rename } = new BusyFile(10, code);
      assert.equal(await retryWhileBusyPatiently(rename, undefined, system), 'renamed');
    }
  });

  it('is given up after a bounded wait, with the error of the system', async () => {
    const blocked = new CountingSystem();
    assert.throws(() => retryWhileBusy(new BusyFile(Infinity).rename, blocked), { code: 'EPERM' });
    assert.equal(blocked.waitedMs, 127, 'the thread stands still for no longer');
    const waiting = new CountingSystem();
    await assert.rejects(
      retryWhileBusyPatiently(new BusyFile(Infinity, 'EBUSY').rename, undefined, waiting),
      { code: 'EBUSY' },
    );
    assert.ok(waiting.waitedMs > 1_900 && waiting.waitedMs <= 2_100, `${waiting.waitedMs} ms`);
  });

  it('is waited for on Windows only, and not after another failure', async () => {
    for (const [platform, code] of [
      ['linux', 'EPERM'],
      ['darwin', 'EACCES'],
      ['win32', 'ENOENT'],
    ] as const) {
      const system = new CountingSystem(platform);
      const file = new BusyFile(1, code);
      assert.throws(() => retryWhileBusy(file.rename, system), { code });
      await assert.rejects(
        retryWhileBusyPatiently(new BusyFile(1, code).rename, undefined, system),
        { code },
      );
      assert.deepEqual([file.attempts, system.waitedMs], [1, 0]);
    }
  });

  it('is no longer waited for when the caller gives up', async () => {
    const file = new BusyFile(Infinity);
    const signal = AbortSignal.abort();
    await assert.rejects(
      retryWhileBusyPatiently(file.rename, signal, new CountingSystem()),
      (error) => error === signal.reason,
    );
    assert.equal(file.attempts, 1);
  });

  it('is replaced when its reader has closed it', () => {
    const folder = temporaryFolder(cleanup);
    const [path, changed] = [join(folder, 'record'), join(folder, 'new')];
    writeFileSync(path, 'old');
    writeFileSync(changed, 'changed');
    let reader: number | undefined = openSync(path, 'r');
    const close = (): void => {
      if (reader !== undefined) closeSync(reader);
      reader = undefined;
    };
    cleanup.add(close);
    retryWhileBusy(() => renameSync(changed, path), { ...realSystem, block: close });
    assert.equal(readFileSync(path, 'utf8'), 'changed');
  });

  it('is renamed in real time, too, by a caller that blocks and by one that waits', async () => {
    const system: RetrySystem = { ...realSystem, platform: 'win32' };
    assert.equal(retryWhileBusy(new BusyFile(2).rename, system), 'renamed');
    assert.equal(
      await retryWhileBusyPatiently(new BusyFile(2).rename, undefined, system),
      'renamed',
    );
  });
});
