import { strict as assert } from 'node:assert';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useCleanup } from '../support/cleanup';
import { startCommand } from '../support/commandLine';
import { makeAccount, type OtherAccount } from '../support/otherAccount';
import { startGate } from '../support/relay';
import { startPeerOf, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { notTestedHere } from '../support/swapPaths';

/** Nothing gives it away as a secret: only the folder that it lies in keeps it from others. */
const PRIVATE = 'Alice earns 1';

/** Files that become others between the look at them, the question and the publication. */
describe('a chosen file in whose place another one is put', () => {
  const cleanup = useCleanup();

  /** A file of a folder that only its user can enter. */
  function makePrivate(parent: string): string {
    const folder = join(parent, 'private');
    mkdirSync(folder, { mode: 0o700 });
    const path = join(folder, 'pay.txt');
    writeFileSync(path, PRIVATE, { mode: 0o644 });
    return path;
  }

  describe('while the user is asked', () => {
    let alice: TestPeer;

    beforeEach(async () => {
      const tracker = (await startTracker(cleanup)).address;
      alice = await startPeerOf(cleanup, 'Alice', tracker);
      alice.write('docs/plan.txt', 'plan');
      alice.write('docs/zoo.txt', 'zoo');
    });

    /** Chooses the folder, lets something happen, publishes; the names with how each went. */
    async function publishAfter(happens: () => void, chosen = 'docs'): Promise<string[]> {
      const place = { path: alice.path(chosen), name: chosen, folder: alice.folder };
      const { id } = await alice.peer.findFiles({ places: [place] });
      happens();
      const { names, failed } = await alice.peer.publishSelection({ id, withSecrets: true });
      const { published } = await alice.peer.snapshot();
      assert.deepEqual(
        published.map(({ name }) => name),
        names,
      );
      return [...names, ...failed.map(({ name, error }) => `${name} ${error.code}`)];
    }

    it('is refused for a link', async () => {
      const outcome = await publishAfter(() => {
        rmSync(alice.path('docs/plan.txt'));
        symlinkSync(makePrivate(alice.folder), alice.path('docs/plan.txt'));
      });
      assert.deepEqual(outcome, ['docs/zoo.txt', 'docs/plan.txt FILE_CHANGED']);
    });

    it('is refused for a link in the place of its folder', async () => {
      const outcome = await publishAfter(() => {
        makePrivate(alice.folder);
        writeFileSync(alice.path('private/plan.txt'), PRIVATE);
        renameSync(alice.path('docs'), alice.path('away'));
        symlinkSync('private', alice.path('docs'));
      });
      assert.deepEqual(outcome, ['docs/plan.txt FILE_CHANGED', 'docs/zoo.txt FILE_GONE']);
    });

    it('is refused for a file that was moved there', async () => {
      const outcome = await publishAfter(() =>
        renameSync(makePrivate(alice.folder), alice.path('docs/plan.txt')),
      );
      assert.deepEqual(outcome, ['docs/zoo.txt', 'docs/plan.txt FILE_CHANGED']);
    });

    it('is refused for a folder that was moved there', async () => {
      const outcome = await publishAfter(() => {
        makePrivate(alice.folder);
        renameSync(alice.path('private/pay.txt'), alice.path('private/plan.txt'));
        renameSync(alice.path('docs'), alice.path('away'));
        renameSync(alice.path('private'), alice.path('docs'));
      });
      assert.deepEqual(outcome, ['docs/plan.txt FILE_CHANGED', 'docs/zoo.txt FILE_GONE']);
    });

    it('is refused where nothing was when the user chose', async () => {
      const outcome = await publishAfter(
        () => symlinkSync(makePrivate(alice.folder), alice.path('none.txt')),
        'none.txt',
      );
      assert.deepEqual(outcome, ['none.txt FILE_CHANGED']);
    });

    it('is judged again when something was written into it, and goes when that is harmless', async () => {
      const outcome = await publishAfter(() => {
        writeFileSync(alice.path('docs/plan.txt'), `peershelf://join/${'aB3d'.repeat(30)}`);
        writeFileSync(alice.path('docs/zoo.txt'), 'zoo, and more');
      });
      assert.deepEqual(outcome, ['docs/zoo.txt', 'docs/plan.txt OWN_KEYS']);
    });
  });

  it('is refused by `share` when another account puts a link there while it joins', async () => {
    const account: OtherAccount | string = makeAccount(cleanup);
    if (typeof account === 'string') {
      notTestedHere('another account', account);
      return;
    }
    const { address } = await startTracker(cleanup);
    const gate = await startGate(cleanup, address.port);
    const base = mkdtempSync(join(tmpdir(), 'peershelf-swapped-'));
    cleanup.add(() => rmSync(base, { recursive: true, force: true }));
    chmodSync(base, 0o755);
    const secret = makePrivate(base);
    const lab = join(base, 'lab');
    mkdirSync(lab);
    chmodSync(lab, 0o777);
    const plan = join(lab, 'plan.txt');
    account.run('sh', '-c', `umask 022; echo plan > ${plan}; echo zoo > ${lab}/zoo.txt`);
    assert.equal(account.run('cat', secret), undefined, 'it cannot read the file itself');

    gate.close();
    const sharing = startCommand(
      cleanup,
      { folder: base, data: join(base, 'data') },
      ...['share', lab, '--tracker', `127.0.0.1:${gate.port}`, '--hostname', 'alice'],
      ...['--port', '0'],
    );
    // It has looked at the files when it calls the tracker.
    await gate.called();
    assert.notEqual(account.run('ln', '-sf', secret, plan), undefined);
    gate.open();
    await Promise.race([sharing.printed(/serving on/u), sharing.exited]);
    const bob = await startPeerOf(cleanup, 'Bob', address);
    const seen = await bob.peer.discover({ hostname: 'alice' });
    assert.deepEqual(
      seen.map(({ name }) => name),
      ['lab/zoo.txt'],
    );
    assert.match(sharing.stderr(), /plan\.txt changed/u);
  });
});
