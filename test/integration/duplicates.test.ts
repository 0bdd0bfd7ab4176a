import { strict as assert } from 'node:assert';
import { statSync } from 'node:fs';
import { useCleanup } from '../support/cleanup';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';

describe('what others offer already', () => {
  const cleanup = useCleanup();

  it('is found by content and by name, before anything is published', async () => {
    const { address: tracker } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, {
      tracker,
      settings: { hostname: 'alice', displayName: 'Alice' },
    });
    const bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob' } });
    const theirs = await alice.publish('plan.md', 'by alice');
    await alice.publish('copy of notes.md', 'notes');
    await bob.publish('mine.md', 'my own');

    const files = ['plan.md', 'notes.md', 'mine.md', 'new.md', 'gone.md'].map((name) => ({
      path: bob.path(name),
      name,
    }));
    bob.write('plan.md', 'by bob');
    bob.write('notes.md', 'notes');
    bob.write('new.md', 'new');
    const found = await bob.peer.findDuplicates({ files });
    const about = { hostname: 'alice', displayName: 'Alice' };
    const modifiedMs = found[0]?.sameName[0]?.modifiedMs ?? 0;
    assert.ok(Math.abs(modifiedMs - statSync(theirs).mtimeMs) < 1_000);
    assert.deepEqual(found, [
      {
        name: 'plan.md',
        sameContent: [],
        sameName: [{ ...about, sizeBytes: 8, modifiedMs, certain: true }],
      },
      { name: 'notes.md', sameContent: [{ ...about, name: 'copy of notes.md' }], sameName: [] },
      { name: 'mine.md', sameContent: [], sameName: [] },
      { name: 'new.md', sameContent: [], sameName: [] },
    ]);
    assert.equal((await bob.peer.snapshot()).published.length, 1);
  });

  it('cannot be found out without a session', async () => {
    const alone = await startPeer(cleanup);
    const files = [{ path: alone.write('a', 'a'), name: 'a' }];
    await rejectsWith('NOT_CONNECTED', alone.peer.findDuplicates({ files }));
  });
});
