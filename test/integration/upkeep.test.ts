import { strict as assert } from 'node:assert';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Notice } from '../../src/peer/peerApi';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type StartPeerOptions, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually, nextEvent } from '../support/waitFor';

const LOOK_INTERVAL_MS = 30_000;

describe('what becomes of published files', () => {
  const cleanup = useCleanup();
  let tracker: HostPort;
  let bob: TestPeer;

  beforeEach(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
  });

  const startAlice = (options: StartPeerOptions = {}): Promise<TestPeer> =>
    startPeer(cleanup, {
      tracker,
      ...options,
      settings: { hostname: 'alice', displayName: 'Alice', ...options.settings },
    });
  const fetchToBob = (name: string): Promise<string> =>
    bob.peer
      .fetch({ name, destination: bob.path('copy'), ifExists: 'overwrite' })
      .then(({ path }) => readFileSync(path, 'utf8'));
  const republishAll = ({ peer, folder }: TestPeer): Promise<void> =>
    peer.configure({ autoRepublish: [{ folder, isOn: true }] });
  const offered = async ({ peer }: TestPeer): Promise<string[]> =>
    (await peer.snapshot()).published.map(({ name, state }) => `${name} ${state}`);
  /** The stored number of the content under the only published name. */
  const storedVersion = ({ storageFolder }: TestPeer): unknown => {
    const [file] = readdirSync(storageFolder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => /catalogue-\w+\.json$/u.test(name),
    );
    assert.ok(file);
    const { files } = JSON.parse(readFileSync(join(storageFolder, file), 'utf8')) as {
      files: { version: number }[];
    };
    return files[0]?.version;
  };

  it('shows soon that a file has changed, is gone, and is back', async () => {
    const alice = await startAlice();
    const path = await alice.publish('sub/plan.md', 'old');
    const becomes = (state: string): Promise<unknown> =>
      nextEvent(alice.peer.onDidChangePublished, ([file]) => file?.state === state);
    const changed = becomes('changed');
    alice.write('sub/plan.md', 'changed');
    await changed;
    await rejectsWith('CONTENT_CHANGED', fetchToBob('sub/plan.md'));

    const missing = becomes('missing');
    unlinkSync(path);
    await missing;
    const back = becomes('changed');
    alice.write('sub/plan.md', 'back again');
    await back;
  });

  it('takes back what stays away, tells it, and keeps the others', async () => {
    const clock = new FakeClock();
    const alice = await startAlice({ dependencies: { clock } });
    for (const name of ['a', 'sub/b', 'sub/c']) await alice.publish(name);
    rmSync(alice.path('sub'), { recursive: true });
    await eventually(async () => {
      clock.advance(200);
      const states = await offered(alice);
      return states.join(', ') === 'a offered, sub/b missing, sub/c missing' || undefined;
    }, 'the missing files');
    const notice = nextEvent<Notice>(alice.peer.onDidNotice);
    clock.advance(5_000);
    assert.deepEqual(await notice, { kind: 'unpublishedMissing', names: ['sub/b', 'sub/c'] });
    assert.deepEqual(await offered(alice), ['a offered']);
    await rejectsWith('NOT_FOUND', fetchToBob('sub/b'));
    assert.equal(await fetchToBob('a'), 'a');
  });

  it('takes back what was deleted while no window was open', async () => {
    const windowId = 'window';
    const storageFolder = temporaryFolder(cleanup);
    const before = await startAlice({ storageFolder, windowId });
    const path = await before.publish('a');
    await before.peer.stop();
    unlinkSync(path);
    const clock = new FakeClock();
    const alice = await startAlice({ storageFolder, windowId, dependencies: { clock } });
    assert.deepEqual(await offered(alice), ['a missing']);
    const notice = nextEvent<Notice>(alice.peer.onDidNotice);
    clock.advance(6_000);
    assert.deepEqual(await notice, { kind: 'unpublishedMissing', names: ['a'] });
    assert.deepEqual(await offered(alice), []);
  });

  it('publishes a changed file again when that is wished for', async () => {
    const clock = new FakeClock();
    const alice = await startAlice({ dependencies: { clock } });
    await alice.publish('plan.md', 'old');
    assert.equal(storedVersion(alice), 1);
    alice.write('plan.md', 'new content');
    clock.advance(LOOK_INTERVAL_MS);
    assert.deepEqual(await offered(alice), ['plan.md changed']);

    await republishAll(alice);
    clock.advance(2_000);
    await eventually(
      async () => (await offered(alice)).includes('plan.md offered') || undefined,
      'published again',
    );
    assert.equal(await fetchToBob('plan.md'), 'new content');
    assert.equal(storedVersion(alice), 2);
  });

  it('does so by itself, with the time of this world', async () => {
    const alice = await startAlice();
    await republishAll(alice);
    const path = await alice.publish('plan.md', 'old');
    const again = nextEvent(
      alice.peer.onDidChangePublished,
      ([file]) => file?.state === 'offered' && file.sizeBytes === 5,
    );
    // As an editor saves.
    renameSync(alice.write('plan.md.new', 'fresh'), path);
    await again;
    assert.equal(await fetchToBob('plan.md'), 'fresh');
  });

  it('does not publish what a link leads to that took the place of a file', async () => {
    const clock = new FakeClock();
    const logged: string[] = [];
    const alice = await startAlice({
      dependencies: { clock },
      log: (_level, _tag, message) => logged.push(message),
    });
    await republishAll(alice);
    const path = await alice.publish('plan.md', 'old');
    const secret = alice.write('secret.txt', 'not for others');
    unlinkSync(path);
    symlinkSync(secret, path);
    clock.advance(LOOK_INTERVAL_MS);
    clock.advance(2_000);
    await eventually(
      () => logged.some((line) => /leads elsewhere/u.test(line)) || undefined,
      'the refusal',
    );
    await rejectsWith('FILE_GONE', fetchToBob('plan.md'));
  });

  describe('that are renamed', () => {
    it('are offered under their new names, a folder at once', async () => {
      const alice = await startAlice();
      for (const name of ['docs/a.md', 'docs/deep/b.md', 'docs.md']) await alice.publish(name);
      mkdirSync(alice.path('moved'));
      renameSync(alice.path('docs'), alice.path('moved/texts'));
      const outcomes = await alice.peer.followRenames({
        renames: [
          {
            from: alice.path('docs'),
            to: alice.path('moved/texts'),
            name: 'moved/texts',
            folder: alice.folder,
          },
        ],
      });
      assert.deepEqual(outcomes, [
        { name: 'moved/texts/a.md', error: undefined },
        { name: 'moved/texts/deep/b.md', error: undefined },
      ]);
      assert.deepEqual((await offered(alice)).sort(), [
        'docs.md offered',
        'moved/texts/a.md offered',
        'moved/texts/deep/b.md offered',
      ]);
      assert.equal(await fetchToBob('moved/texts/deep/b.md'), 'docs/deep/b.md');
      await rejectsWith('NOT_FOUND', fetchToBob('docs/a.md'));
    });

    it('may change places', async () => {
      const alice = await startAlice();
      const one = await alice.publish('one', '1');
      const two = await alice.publish('two', '2');
      renameSync(one, alice.path('aside'));
      renameSync(two, one);
      renameSync(alice.path('aside'), two);
      await alice.peer.followRenames({
        renames: [
          { from: one, to: two, name: 'two' },
          { from: two, to: one, name: 'one' },
        ],
      });
      assert.deepEqual(await offered(alice), ['one offered', 'two offered']);
      assert.equal(await fetchToBob('one'), '2');
      assert.equal(await fetchToBob('two'), '1');
    });

    it('are not published when they lead out, and nothing else is by following', async () => {
      const alice = await startAlice();
      const path = await alice.publish('a');
      const outside = bob.path('a');
      renameSync(path, outside);
      const rename = { from: path, to: outside, name: 'a2', folder: alice.folder };
      const [outcome] = await alice.peer.followRenames({ renames: [rename] });
      assert.equal(outcome?.error?.code, 'OUTSIDE_FOLDER');
      await eventually(
        async () => (await offered(alice)).includes('a missing') || undefined,
        'the missing file',
      );

      const other = alice.write('other', 'not published');
      const none = { from: alice.path('before'), to: other, name: 'other' };
      assert.deepEqual(await alice.peer.followRenames({ renames: [none] }), []);
      const { peer } = await startPeer(cleanup);
      assert.deepEqual(await peer.followRenames({ renames: [none] }), []);
    });
  });
});
