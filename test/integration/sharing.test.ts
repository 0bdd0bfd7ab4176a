import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { FakeClock } from '../support/fakeClock';
import type { HostPort } from '../../src/protocol/address';
import type { FetchRequest } from '../../src/peer/peerApi';
import { toLocalName } from '../../src/protocol/names';
import { useCleanup } from '../support/cleanup';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { nextEvent } from '../support/waitFor';

describe('sharing between two peers', () => {
  const cleanup = useCleanup();
  let address: HostPort;
  let alice: TestPeer;
  let bob: TestPeer;

  beforeEach(async () => {
    ({ address } = await startTracker(cleanup));
    alice = await startPeer(cleanup, {
      tracker: address,
      settings: { hostname: 'alice', displayName: 'Alice' },
    });
    bob = await startPeer(cleanup, {
      tracker: address,
      settings: { hostname: 'bob', displayName: 'Bob' },
    });
  });

  const fetchAs = (name: string, more: Partial<FetchRequest> = {}): FetchRequest => ({
    name,
    destination: bob.path('shared/copy'),
    folder: bob.folder,
    ifExists: 'fail',
    ...more,
  });

  it('publishes, lists and fetches a file, and the fetched file is not published', async () => {
    await alice.publish('docs/plan.md', 'a plan');
    await bob.peer.refreshNetwork();

    const { files, total } = await bob.peer.networkFiles({ limit: 10 });
    assert.equal(total, 1);
    assert.equal(files[0]?.name, 'docs/plan.md');
    assert.equal(files[0].displayName, 'Alice');
    assert.equal(files[0].sizeBytes, 6);

    const result = await bob.peer.fetch(fetchAs('docs/plan.md'));
    assert.equal(result.outcome, 'fetched');
    assert.equal(result.displayName, 'Alice');
    assert.equal(readFileSync(result.path, 'utf8'), 'a plan');
    assert.deepEqual((await bob.peer.snapshot()).published, []);
    assert.deepEqual(readdirSync(bob.path('shared')), ['copy']);
  });

  it('opens no listening socket before something is published', async () => {
    assert.equal((await bob.peer.snapshot()).serving, undefined);
    await bob.publish('one.txt');
    assert.equal((await bob.peer.snapshot()).serving?.host, '127.0.0.1');
  });

  for (const name of [
    'with space.txt',
    'hash#percent%20.txt',
    'emoji 🎉.txt',
    'Tiếng Việt/bài tập.txt'.normalize('NFC'),
    'quote\'s "double".txt',
    'a:b.txt',
    '__proto__',
    '-dash',
  ])
    it(`carries the name ${name}`, async () => {
      const content = `content of ${name}`;
      // The file has another name where the system does not take the published one.
      const path = alice.write(toLocalName(name, process.platform), content);
      const [outcome] = await alice.peer.publish({ files: [{ path, name, folder: alice.folder }] });
      assert.equal(outcome?.error, undefined);
      await bob.peer.fetch(fetchAs(name));
      assert.equal(readFileSync(bob.path('shared/copy'), 'utf8'), content);
    });

  it('publishes a decomposed name in composed form, and finds it by either', async () => {
    const decomposed = 'bài tập.txt'.normalize('NFD');
    const path = alice.write(decomposed, 'x');
    const [outcome] = await alice.peer.publish({ files: [{ path, name: decomposed }] });
    assert.equal(outcome?.name, decomposed.normalize('NFC'));
    await bob.peer.fetch(fetchAs(decomposed));
    assert.equal(readFileSync(bob.path('shared/copy'), 'utf8'), 'x');
  });

  it('carries an empty file and one of many blocks', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'block');
    await alice.publish('empty', '');
    await alice.publish('large', large);
    await bob.peer.fetch(fetchAs('empty', { destination: bob.path('e') }));
    await bob.peer.fetch(fetchAs('large', { destination: bob.path('l') }));
    assert.equal(readFileSync(bob.path('e')).length, 0);
    assert.ok(readFileSync(bob.path('l')).equals(large));
  });

  it('publishes 1,000 files at once, and takes them back at once', async () => {
    const files = Array.from({ length: 1000 }, (_, index) => ({
      path: alice.write(`many/${index}.txt`, `${index}`),
      name: `many/${index}.txt`,
    }));
    const outcomes = await alice.peer.publish({ files });
    assert.deepEqual(
      outcomes.filter(({ error }) => error !== undefined),
      [],
    );
    await bob.peer.refreshNetwork();
    assert.equal((await bob.peer.networkFiles({ limit: 1 })).total, 1000);
    await bob.peer.fetch(fetchAs('many/999.txt'));

    await alice.peer.unpublish({ names: files.map(({ name }) => name) });
    await bob.peer.refreshNetwork();
    assert.equal((await bob.peer.networkFiles({ limit: 1 })).total, 0);
  });

  it('serves nothing that was unpublished, by the tracker or by asking the peer itself', async () => {
    await alice.publish('secret.txt');
    await alice.peer.unpublish({ names: ['secret.txt'] });
    await rejectsWith('NOT_FOUND', bob.peer.fetch(fetchAs('secret.txt')));
  });

  it('searches whatever the case', async () => {
    await alice.publish('docs/Überblick.md');
    await alice.publish('src/main.ts');
    await bob.peer.refreshNetwork();
    const found = await bob.peer.networkFiles({ text: 'alice über', limit: 10 });
    assert.deepEqual(
      found.files.map(({ name }) => name),
      ['docs/Überblick.md'],
    );
  });

  describe('a file that is not as it was', () => {
    it('says that a deleted file is gone, and shows it as missing to its publisher', async () => {
      const path = await alice.publish('gone.txt');
      unlinkSync(path);
      const missing = nextEvent(
        alice.peer.onDidChangePublished,
        ([file]) => file?.state === 'missing',
      );
      await rejectsWith('FILE_GONE', bob.peer.fetch(fetchAs('gone.txt')));
      await missing;
      assert.deepEqual(readdirSync(bob.path('shared')), []);
    });

    it('shows by itself that a file is gone, changed, and as it was again', async () => {
      const clock = new FakeClock();
      const carol = await startPeer(cleanup, { tracker: address, dependencies: { clock } });
      const path = await carol.publish('c.txt', 'content');
      const { mtime } = statSync(path);
      const stateAfter = async (change: () => void): Promise<string | undefined> => {
        change();
        clock.advance(30_000);
        return (await carol.peer.snapshot()).published[0]?.state;
      };
      assert.equal(await stateAfter(() => unlinkSync(path)), 'missing');
      assert.equal(await stateAfter(() => writeFileSync(path, 'changed')), 'changed');
      const restore = (): void => {
        writeFileSync(path, 'content');
        utimesSync(path, mtime, mtime);
      };
      assert.notEqual(await stateAfter(restore), 'missing');
    });

    it('never gives other content than what was published, and says why', async () => {
      const path = await alice.publish('changed.txt', 'old');
      writeFileSync(path, 'new');
      await rejectsWith('CONTENT_CHANGED', bob.peer.fetch(fetchAs('changed.txt')));
      assert.deepEqual(readdirSync(bob.path('shared')), []);
      await alice.publish('changed.txt', 'new');
      const result = await bob.peer.fetch(fetchAs('changed.txt'));
      assert.equal(readFileSync(result.path, 'utf8'), 'new');
    });

    it('does not follow a link put in the place of a published file', async () => {
      const path = await alice.publish('plain.txt');
      const outside = alice.write('outside.txt', 'not published');
      unlinkSync(path);
      symlinkSync(outside, path);
      await rejectsWith('FILE_GONE', bob.peer.fetch(fetchAs('plain.txt')));
    });

    it('does not serve a folder put in the place of a published file', async () => {
      const path = await alice.publish('plain.txt');
      rmSync(path);
      mkdirSync(path);
      await rejectsWith('FILE_GONE', bob.peer.fetch(fetchAs('plain.txt')));
    });
  });

  describe('what cannot be published', () => {
    const outcomeOf = async (name: string, path: string): Promise<string | undefined> => {
      const [outcome] = await alice.peer.publish({ files: [{ path, name, folder: alice.folder }] });
      return outcome?.error?.code;
    };

    it('a folder, a missing file, a bad name, a link out of the folder', async () => {
      mkdirSync(alice.path('folder'));
      symlinkSync(bob.write('outside', 'x'), alice.path('link'));
      alice.write('file', 'x');
      assert.equal(await outcomeOf('folder', alice.path('folder')), 'NOT_A_FILE');
      assert.equal(await outcomeOf('none', alice.path('none')), 'FILE_GONE');
      symlinkSync('around', alice.path('around'));
      assert.equal(await outcomeOf('around', alice.path('around')), 'FILE_UNREADABLE');
      assert.equal(await outcomeOf('../file', alice.path('file')), 'INVALID_NAME');
      assert.equal(await outcomeOf('link', alice.path('link')), 'OUTSIDE_FOLDER');
      assert.deepEqual((await alice.peer.snapshot()).published, []);
    });

    it('does not keep the others from being published', async () => {
      const outcomes = await alice.peer.publish({
        files: [
          { path: alice.path('none'), name: 'none' },
          { path: alice.write('fine', 'x'), name: 'fine' },
        ],
      });
      assert.deepEqual(
        outcomes.map(({ error }) => error?.code),
        ['FILE_GONE', undefined],
      );
      await bob.peer.fetch(fetchAs('fine'));
    });
  });

  describe('a destination that exists', () => {
    beforeEach(() => alice.publish('note.txt', 'theirs'));

    it('is kept when its content is other, and nothing is left beside it', async () => {
      for (const mine of ['mine', 'mine..']) {
        bob.write('shared/copy', mine);
        await rejectsWith('DESTINATION_EXISTS', bob.peer.fetch(fetchAs('note.txt')));
        assert.equal(readFileSync(bob.path('shared/copy'), 'utf8'), mine);
        assert.deepEqual(readdirSync(bob.path('shared')), ['copy']);
      }
    });

    it('is done when its content is the same', async () => {
      bob.write('shared/copy', 'theirs');
      const result = await bob.peer.fetch(fetchAs('note.txt'));
      assert.equal(result.outcome, 'alreadyThere');
    });

    it('is replaced, or kept beside, when that is asked for', async () => {
      bob.write('shared/copy', 'mine');
      const both = await bob.peer.fetch(fetchAs('note.txt', { ifExists: 'keepBoth' }));
      assert.equal(both.path, bob.path('shared/copy (2)'));
      assert.equal(readFileSync(bob.path('shared/copy'), 'utf8'), 'mine');
      await bob.peer.fetch(fetchAs('note.txt', { ifExists: 'overwrite' }));
      assert.equal(readFileSync(bob.path('shared/copy'), 'utf8'), 'theirs');
    });

    it('is refused when it is a folder, or leads out of its folder', async () => {
      mkdirSync(bob.path('shared/copy'), { recursive: true });
      await rejectsWith('DESTINATION_IS_FOLDER', bob.peer.fetch(fetchAs('note.txt')));
      symlinkSync(alice.folder, bob.path('out'));
      const destination = bob.path('out/new/copy');
      await rejectsWith('OUTSIDE_FOLDER', bob.peer.fetch(fetchAs('note.txt', { destination })));
      assert.equal(existsSync(alice.path('new')), false);
    });
  });

  it('searches by the tracker, without an index of its own', async () => {
    await alice.publish('docs/Überblick.md');
    await alice.publish('src/main.ts');
    await bob.publish('own über.md');
    const cli = await startPeer(cleanup, { tracker: address, lazyNetwork: true });
    const found = await cli.peer.searchNetwork({ text: 'ÜBER', limit: 10 });
    assert.deepEqual(
      found.map(({ name, hostname, sizeBytes }) => [name, hostname, sizeBytes]),
      [
        ['docs/Überblick.md', 'alice', 18],
        ['own über.md', 'bob', 12],
      ],
    );
    assert.equal((await cli.peer.searchNetwork({ text: 'über', limit: 1 })).length, 1);
    const { network } = await cli.peer.snapshot();
    assert.deepEqual([network.files, network.refreshedAtMs], [0, undefined]);
    await cli.peer.refreshNetwork();
    assert.equal((await cli.peer.networkFiles({ limit: 10 })).total, 3);
    const ofOthers = await bob.peer.searchNetwork({ text: 'über', limit: 10 });
    assert.deepEqual(
      ofOthers.map(({ hostname }) => hostname),
      ['alice'],
    );
  });

  describe('several owners of one name', () => {
    it('asks whose when the files differ, and takes any when they do not', async () => {
      const carol = await startPeer(cleanup, { tracker: address, settings: { hostname: 'carol' } });
      await alice.publish('same.txt', 'from alice');
      await carol.publish('same.txt', 'by carol');
      const error = await rejectsWith('AMBIGUOUS_NAME', bob.peer.fetch(fetchAs('same.txt')));
      assert.deepEqual([...(error.details['hostnames'] as string[])].sort(), ['alice', 'carol']);
      await bob.peer.fetch(fetchAs('same.txt', { hostname: 'carol' }));
      assert.equal(readFileSync(bob.path('shared/copy'), 'utf8'), 'by carol');
    });

    it('takes the content that is asked for, of whoever has it, and nothing else', async () => {
      const [carol, dave] = await Promise.all(
        ['carol', 'dave'].map((hostname) =>
          startPeer(cleanup, { tracker: address, settings: { hostname } }),
        ),
      );
      await alice.publish('same.txt', 'from alice');
      await carol?.publish('same.txt', 'by two');
      await dave?.publish('same.txt', 'by two');
      await bob.peer.refreshNetwork();
      const { rows } = await bob.peer.networkRows({ text: 'same', limit: 10 });
      assert.deepEqual(
        rows.map(({ sources }) => sources.map(({ hostname }) => hostname)),
        [['alice'], ['carol', 'dave']],
      );
      const contentId = rows[1]?.contentId;
      await carol?.peer.stop();
      await bob.peer.fetch(fetchAs('same.txt', { contentId }));
      assert.equal(readFileSync(bob.path('shared/copy'), 'utf8'), 'by two');
      await dave?.peer.unpublish({ names: ['same.txt'] });
      await rejectsWith('NOT_FOUND', bob.peer.fetch(fetchAs('same.txt', { contentId })));
    });
  });
});
