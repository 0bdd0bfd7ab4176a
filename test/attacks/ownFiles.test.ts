import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import { makeAccount } from '../support/otherAccount';
import { startPeer, type TestPeer } from '../support/startPeer';
import { notTestedHere } from '../support/swapPaths';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';

const SECRET = 'Alice earns 1';

describe('the files that a peer keeps, on a computer with other accounts', () => {
  const cleanup = new Cleanup();
  let storageFolder: string;
  let umask: number;

  before(function () {
    // Modes say nothing on Windows.
    if (process.platform === 'win32') this.skip();
  });
  beforeEach(() => {
    umask = process.umask(0o022);
    // As storage folders are on servers: others may enter the folders above.
    const open = temporaryFolder(cleanup);
    chmodSync(open, 0o755);
    storageFolder = join(open, 'storage');
  });
  afterEach(async () => {
    process.umask(umask);
    await cleanup.run();
  });

  /** A peer that has published, fetched and looked at something. */
  async function use(): Promise<{ bob: TestPeer; preview: string }> {
    const tracker = (await startTracker(cleanup)).address;
    const settings = { hostname: 'alice', displayName: 'Alice' };
    const alice = await startPeer(cleanup, { tracker, settings });
    await alice.publish('pay.txt', SECRET);
    await alice.publish('other.txt', 'other');
    const bob = await startPeer(cleanup, {
      ...{ tracker, storageFolder },
      settings: { hostname: 'bob', displayName: 'Bob' },
    });
    await bob.publish('mine.txt', 'x'.repeat(2 * 1024 * 1024));
    const [file] = (await bob.peer.discover({ hostname: 'alice' })).filter(
      ({ name }) => name === 'pay.txt',
    );
    assert.ok(file);
    const { path } = await bob.peer.preview(file);
    const destination = bob.path('got.txt');
    await bob.peer.fetch({ name: 'other.txt', destination, ifExists: 'fail' });
    return { bob, preview: path };
  }

  /** Everything below, with the rights of others and of the group. */
  function openFiles(): string[] {
    const names = readdirSync(storageFolder, { recursive: true, encoding: 'utf8' });
    assert.ok(names.length > 5, names.join(' '));
    return [...names, '.']
      .filter((name) => (statSync(join(storageFolder, name)).mode & 0o077) !== 0)
      .map((name) => `${name} ${(statSync(join(storageFolder, name)).mode & 0o777).toString(8)}`);
  }

  it('are for its user alone', async () => {
    await use();
    assert.deepEqual(openFiles(), []);
  });

  it('are so too where an earlier version has made folders that others may enter', async () => {
    for (const name of ['', 'slot-1', 'slot-1/previews', 'layers', 'leftovers']) {
      mkdirSync(join(storageFolder, name), { recursive: true, mode: 0o755 });
      writeFileSync(join(storageFolder, name, 'of before.old'), SECRET, { mode: 0o644 });
    }
    await use();
    assert.deepEqual(openFiles(), []);
  });

  it('are kept from another account that looks for what was looked at', async () => {
    const account = makeAccount(cleanup);
    if (typeof account === 'string') {
      notTestedHere('another account', account);
      return;
    }
    const open = join(storageFolder, '..', 'for everybody');
    writeFileSync(open, 'read me');
    assert.equal(account.run('cat', open), 'read me', 'it reads what it may');
    const { preview } = await use();
    assert.equal(account.run('cat', preview), undefined);
    assert.equal(account.run('ls', '-R', storageFolder), undefined);
  });
});
