import { strict as assert } from 'node:assert';
import { processExists } from '../../../src/common/processExists';
import { useCleanup } from '../../support/cleanup';
import { startUnreaped } from '../../support/startProcess';
import { eventually } from '../../support/waitFor';

/** Above what Linux, macOS and Windows give. */
const NO_PROCESS = 2 ** 30;

describe('processExists', () => {
  const cleanup = useCleanup();

  it('knows which processes exist', () => {
    assert.equal(processExists(process.pid), true);
    assert.equal(processExists(process.ppid), true);
    assert.equal(processExists(NO_PROCESS), false);
  });

  it('does not count a process that has ended and that its parent never asks after', async function () {
    if (process.platform !== 'linux') this.skip();
    const pid = await startUnreaped(cleanup, 'sleep', ['300']);
    assert.equal(processExists(pid), true);
    process.kill(pid, 'SIGKILL');
    await eventually(() => !processExists(pid) || undefined, 'the process has ended');
    assert.equal(process.kill(pid, 0), true, 'its number is still taken');
  });
});
