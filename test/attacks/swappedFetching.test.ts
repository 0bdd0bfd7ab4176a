import { strict as assert } from 'node:assert';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import type { HostPort } from '../../src/protocol/address';
import { startPeerOf, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { buildPathSwapper, notTestedHere, type PathSwapper } from '../support/swapPaths';
import { temporaryFolder } from '../support/temporaryFolder';

/** Enough that the first edition put something outside in every run. */
const SINGLE_FETCHES = 400;
const FOLDER_FETCHES = 30;
const FILES_OF_A_FOLDER = 40;

describe('a folder that is swapped with a link while files are fetched into it', () => {
  const cleanup = new Cleanup();
  const forAll = new Cleanup();
  let swapper: PathSwapper | string;
  let tracker: HostPort;
  let bob: TestPeer;
  let outside: string;

  before(() => {
    swapper = buildPathSwapper(forAll, cleanup);
  });
  after(() => forAll.run());
  afterEach(() => cleanup.run());

  beforeEach(async () => {
    tracker = (await startTracker(cleanup)).address;
    const alice = await startPeerOf(cleanup, 'Alice', tracker);
    bob = await startPeerOf(cleanup, 'Bob', tracker);
    outside = join(temporaryFolder(cleanup), 'outside');
    mkdirSync(outside);
    mkdirSync(bob.path('chosen/sub'), { recursive: true });
    symlinkSync(outside, bob.path('chosen/aside'));
    const files = Array.from({ length: FILES_OF_A_FOLDER }, (_, index) => {
      const name = `docs/sub/${index}.txt`;
      return { name, path: alice.write(name, `text ${index}`), folder: alice.folder };
    });
    const outcomes = await alice.peer.publish({ files });
    assert.ok(outcomes.every(({ error }) => error === undefined));
  });

  async function swap(): Promise<{ stop(): Promise<void> }> {
    assert.ok(typeof swapper !== 'string');
    return swapper.start(bob.path('chosen/sub'), bob.path('chosen/aside'));
  }

  const assertNothingOutside = (count: number): void =>
    assert.deepEqual(readdirSync(outside), [], `after ${count} placements`);

  it('gets single files itself, or none, whatever happens to what is there', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped destinations', swapper);
      return;
    }
    await swap();
    let fetched = 0;
    for (let index = 0; index < SINGLE_FETCHES; index += 1) {
      const ifExists = (['overwrite', 'keepBoth'] as const)[index % 2] ?? 'overwrite';
      const name = `docs/sub/${index % FILES_OF_A_FOLDER}.txt`;
      const destination = bob.path(`chosen/sub/${index}.txt`);
      const request = { name, destination, folder: bob.path('chosen'), ifExists };
      await bob.peer.fetch(request).then(
        () => (fetched += 1),
        () => undefined,
      );
    }
    assertNothingOutside(SINGLE_FETCHES);
    assert.ok(fetched > 0, 'it was there in between');
  });

  it('gets the files of a folder itself, or none, and those of folders that have to be made', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped folders', swapper);
      return;
    }
    await swap();
    let fetched = 0;
    for (let index = 0; index < FOLDER_FETCHES; index += 1) {
      // Into the swapped folder, and into one below it that is not there yet.
      const destination = bob.path(index % 2 === 0 ? 'chosen' : `chosen/sub/${index}`);
      const request = { prefix: 'docs/', destination, folder: bob.path('chosen') } as const;
      const result = await bob.peer
        .fetchFolder({ ...request, ifExists: 'overwrite' })
        .catch(() => undefined);
      fetched += result?.fetched ?? 0;
    }
    assertNothingOutside(FOLDER_FETCHES * FILES_OF_A_FOLDER);
    assert.ok(fetched > 0, 'it was there in between');
  });

  it('leaves nothing of its own behind in either place', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped leftovers', swapper);
      return;
    }
    const swapping = await swap();
    for (let index = 0; index < SINGLE_FETCHES / 4; index += 1) {
      const destination = bob.path(`chosen/sub/${index}.txt`);
      const request = { name: 'docs/sub/0.txt', destination, folder: bob.path('chosen') };
      await bob.peer.fetch({ ...request, ifExists: 'fail' }).catch(() => undefined);
    }
    await swapping.stop();
    const kept = readdirSync(bob.path('chosen'), { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      kept.filter((name) => name.includes('.peershelf-')),
      [],
    );
  });

  it('is not emptied of what lies where the link leads when a batch is cleaned up', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped clean-up', swapper);
      return;
    }
    writeFileSync(join(outside, 'private'), 'mine');
    await swap();
    for (let index = 0; index < FOLDER_FETCHES / 3; index += 1) {
      const destination = bob.path('chosen/sub');
      const request = { prefix: 'docs/', destination, folder: bob.path('chosen') } as const;
      await bob.peer.fetchFolder({ ...request, ifExists: 'fail' }).catch(() => undefined);
    }
    assert.deepEqual(readdirSync(outside), ['private']);
    rmSync(join(outside, 'private'));
  });
});
