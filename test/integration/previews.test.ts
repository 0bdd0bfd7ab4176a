import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { MAX_PREVIEW_BYTES, type NetworkFile } from '../../src/peer/peerApi';
import type { HostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { registerHost, startMisbehavingPeer } from '../support/misbehavingPeer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';

describe('looking at a file without fetching it', () => {
  const cleanup = useCleanup();
  let address: HostPort;
  let alice: TestPeer;
  let bob: TestPeer;

  beforeEach(async () => {
    ({ address } = await startTracker(cleanup));
    alice = await startPeer(cleanup, { tracker: address, settings: { hostname: 'alice' } });
    bob = await startPeer(cleanup, { tracker: address, settings: { hostname: 'bob' } });
  });

  const listed = async (name: string): Promise<NetworkFile> => {
    await bob.peer.refreshNetwork();
    const { files } = await bob.peer.networkFiles({ limit: 10 });
    return files.find((file) => file.name === name) ?? assert.fail(`${name} is not listed`);
  };

  it('gives a verified copy outside of the workspace', async () => {
    const content = randomBytes(3_000_000);
    await alice.publish('docs/plan.bin', content);
    const { path } = await bob.peer.preview(await listed('docs/plan.bin'));
    assert.ok(readFileSync(path).equals(content));
    assert.ok(path.startsWith(bob.storageFolder));
    assert.deepEqual(readdirSync(bob.folder), []);
  });

  it('takes no byte of more than can be looked at, whatever was listed', async () => {
    const mallory = await startMisbehavingPeer(cleanup, (socket) => {
      socket.once('data', () => socket.end(`LENGTH ${MAX_PREVIEW_BYTES + 1}\n${'x'.repeat(1000)}`));
    });
    const host = { hostname: 'mallory', address: mallory, files: { 'notes.txt': 5 } };
    await registerHost(cleanup, address, host);
    const file = await listed('notes.txt');
    assert.equal(file.sizeBytes, 5);
    await rejectsWith('FILE_TOO_LARGE', bob.peer.preview(file));
    const contentId = `${'ab'.repeat(32)}-${MAX_PREVIEW_BYTES + 1}`;
    await rejectsWith('FILE_TOO_LARGE', bob.peer.preview({ ...file, contentId }));
  });

  it('needs nobody for what it has shown before', async () => {
    await alice.publish('plan.md', 'a plan');
    const file = await listed('plan.md');
    const first = await bob.peer.preview(file);
    await alice.peer.stop();
    await bob.peer.disconnect();
    const second = await bob.peer.preview(file);
    assert.equal(readFileSync(second.path, 'utf8'), 'a plan');
    assert.equal(second.path, first.path);
  });

  it('does not believe what lies in its cache', async () => {
    await alice.publish('plan.md', 'a plan');
    const file = await listed('plan.md');
    const { path } = await bob.peer.preview(file);
    writeFileSync(path, 'a lie!');
    const again = await bob.peer.preview(file);
    assert.equal(readFileSync(again.path, 'utf8'), 'a plan');
  });

  it('shows the content that was asked for, or none, when the name has another one now', async () => {
    await alice.publish('plan.md', 'the first plan');
    const file = await listed('plan.md');
    await alice.publish('plan.md', 'the other plan');
    await rejectsWith('NOT_FOUND', bob.peer.preview(file));
    const { path } = await bob.peer.preview(await listed('plan.md'));
    assert.equal(readFileSync(path, 'utf8'), 'the other plan');
  });

  it('is of the one who is named, or of nobody, whoever has the same content', async () => {
    await alice.publish('plan.md', 'a plan');
    const file = await listed('plan.md');
    const carol = await startPeer(cleanup, { tracker: address, settings: { hostname: 'carol' } });
    await carol.publish('copy.md', 'a plan');
    await alice.peer.stop();
    await rejectsWith('NOT_FOUND', bob.peer.preview(file));
    const { path } = await bob.peer.preview({ ...file, hostname: 'carol', name: 'copy.md' });
    assert.equal(readFileSync(path, 'utf8'), 'a plan');
    // Also when the content is here already, as somebody else's file.
    await rejectsWith('NOT_FOUND', bob.peer.preview(file));
  });

  it('refuses what is too large, before anything is asked of anybody', async () => {
    await alice.publish('plan.md', 'a plan');
    const file = await listed('plan.md');
    await bob.peer.disconnect();
    await rejectsWith(
      'FILE_TOO_LARGE',
      bob.peer.preview({ ...file, sizeBytes: MAX_PREVIEW_BYTES + 1 }),
    );
    await rejectsWith('NOT_CONNECTED', bob.peer.preview(file));
  });
});
