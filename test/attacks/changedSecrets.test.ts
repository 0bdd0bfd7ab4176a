import { strict as assert } from 'node:assert';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Notice } from '../../src/peer/peerApi';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { eventually } from '../support/waitFor';

/** Put together here, so that no scanner takes this file for a leak. */
const TOKEN = ['ghp', 'aB3dE5gH7jK9'.repeat(3)].join('_');
const KEY = ['-----BEGIN', 'PRIVATE', `KEY-----\n${'aB3d'.repeat(16)}\n`].join(' ');

/** Secrets that get into what is offered other than by a choice of files that a finder has looked into. */
describe('secrets on other ways than a choice of files', () => {
  const cleanup = useCleanup();
  let tracker: HostPort;
  let clock: FakeClock;
  let alice: TestPeer;
  let notices: Notice[];

  beforeEach(async () => {
    tracker = (await startTracker(cleanup)).address;
    clock = new FakeClock();
    alice = await startPeer(cleanup, {
      tracker,
      settings: { hostname: 'alice' },
      dependencies: { clock },
    });
    notices = [];
    const subscription = alice.peer.onDidNotice((notice) => notices.push(notice));
    cleanup.add(() => subscription.dispose());
  });

  const publish = async (
    name: string,
    consent: readonly ('content' | 'name')[] = [],
  ): Promise<string | undefined> => {
    const [outcome] = await alice.peer.publish({
      files: [{ path: alice.path(name), name, folder: alice.folder, consent }],
    });
    return outcome?.error?.code;
  };
  const republishes = (): Promise<void> =>
    alice.peer.configure({ autoRepublish: [{ folder: alice.folder, isOn: true }] });
  const shown = async (): Promise<string[]> =>
    (await alice.peer.snapshot()).published.map(({ name, state, heldBack }) =>
      [name, state, heldBack ?? '-'].join(' '),
    );
  /** Lets the time pass that upkeep needs until the files are as this says. */
  const becomes = (expected: readonly string[]): Promise<true> =>
    eventually(async () => {
      clock.advance(15_000);
      return isDeepStrictEqual(await shown(), expected) || undefined;
    }, expected.join());

  it('are refused where a program publishes by itself', async () => {
    alice.write('notes.md', `the token is ${TOKEN}`);
    alice.write('id_rsa', 'x');
    alice.write('session-0123456789abcdef0123456789abcdef.json', '{}');
    assert.equal(await publish('notes.md'), 'LOOKS_SECRET');
    assert.equal(await publish('id_rsa'), 'LOOKS_SECRET');
    assert.equal(
      await publish('session-0123456789abcdef0123456789abcdef.json', ['content', 'name']),
      'OWN_KEYS',
    );
    assert.equal(await publish('notes.md', ['name']), 'LOOKS_SECRET', 'consent is for its kind');
    assert.deepEqual(await shown(), []);
    assert.equal(await publish('notes.md', ['content']), undefined);
  });

  it('are not published again with a file that has changed, and it says so', async () => {
    await republishes();
    alice.write('config.yaml', 'level: 1');
    assert.equal(await publish('config.yaml'), undefined);
    alice.write('config.yaml', KEY);
    await becomes(['config.yaml changed content']);
    await eventually(() => {
      clock.advance(2_000);
      return notices.length > 0 || undefined;
    }, 'the notice');
    assert.deepEqual(notices, [
      { kind: 'heldBack', files: [{ name: 'config.yaml', reason: 'content' }] },
    ]);
    // It is told once, however often the file is looked at.
    clock.advance(120_000);
    assert.equal(await publish('config.yaml'), 'LOOKS_SECRET', 'publishing again does not help');
    assert.equal(notices.length, 1);
    alice.write('config.yaml', 'level: 22');
    await becomes(['config.yaml offered -']);
  });

  it('are not published again when a file gets what Peershelf has written', async () => {
    // Another input of this kind: an invite is never offered, whatever was agreed to.
    await republishes();
    writeFileSync(alice.path('mail.md'), TOKEN);
    assert.equal(await publish('mail.md', ['content', 'name']), undefined);
    alice.write('mail.md', `peershelf://join/${'aB3d'.repeat(30)}`);
    await becomes(['mail.md changed own']);
  });

  it('go on being offered where the user has agreed, at every change and after a start', async () => {
    await republishes();
    alice.write('.env', 'A=1');
    assert.equal(await publish('.env', ['name']), undefined);
    alice.write('.env', 'A=22');
    await becomes(['.env offered -']);
    alice.write('.env', `A=${TOKEN}`);
    await becomes(['.env changed content']);
    const place = { path: alice.path('.env'), name: '.env', folder: alice.folder };
    const { id, firstSecrets } = await alice.peer.findFiles({ places: [place] });
    assert.deepEqual(firstSecrets, [{ name: '.env', kind: 'content' }]);
    await alice.peer.publishSelection({ id, withSecrets: true });
    assert.equal((await alice.peer.findFiles({ places: [place] })).secrets, 0);

    await alice.peer.stop();
    const { storageFolder } = alice;
    const later = new FakeClock();
    const again = await startPeer(cleanup, {
      ...{ tracker, storageFolder, dependencies: { clock: later } },
      settings: {
        hostname: 'alice',
        autoRepublish: [{ folder: alice.folder, isOn: true }],
      },
    });
    const changed = `A=${TOKEN}\nB=2`;
    alice.write('.env', changed);
    await eventually(async () => {
      later.advance(15_000);
      const [file] = (await again.peer.snapshot()).published;
      return file?.state === 'offered' && file.sizeBytes === changed.length ? true : undefined;
    }, 'published again');
  });

  it('do not come in by a new name', async () => {
    alice.write('notes.txt', 'x');
    assert.equal(await publish('notes.txt'), undefined);
    renameSync(alice.path('notes.txt'), alice.path('id_rsa'));
    const rename = { from: alice.path('notes.txt'), to: alice.path('id_rsa'), name: 'id_rsa' };
    const outcomes = await alice.peer.followRenames({ renames: [rename] });
    assert.deepEqual(
      outcomes.map(({ name, error }) => [name, error?.code]),
      [['id_rsa', 'LOOKS_SECRET']],
    );
    await becomes([]);
    await eventually(() => notices.length > 0 || undefined, 'the notice');
    assert.deepEqual(notices, [{ kind: 'unpublishedMissing', names: ['notes.txt'] }]);
  });

  it('take the consent to a content along, and leave that to a name behind', async () => {
    alice.write('a.txt', TOKEN);
    assert.equal(await publish('a.txt', ['content']), undefined);
    renameSync(alice.path('a.txt'), alice.path('b.txt'));
    const rename = { from: alice.path('a.txt'), to: alice.path('b.txt'), name: 'b.txt' };
    await alice.peer.followRenames({ renames: [rename] });
    assert.deepEqual(await shown(), ['b.txt offered -']);
    alice.write('.env', 'A=1');
    assert.equal(await publish('.env', ['name']), undefined);
    renameSync(alice.path('.env'), alice.path('.env.prod'));
    const other = { from: alice.path('.env'), to: alice.path('.env.prod'), name: '.env.prod' };
    const [outcome] = await alice.peer.followRenames({ renames: [other] });
    assert.equal(outcome?.error?.code, 'LOOKS_SECRET');
  });

  it('are held back by a mode that lets nobody else read them', async function () {
    if (process.platform === 'win32') this.skip();
    chmodSync(alice.write('private.txt', 'x'), 0o600);
    assert.equal(await publish('private.txt'), 'LOOKS_SECRET');
  });
});
