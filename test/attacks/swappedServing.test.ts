import { strict as assert } from 'node:assert';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../../scripts/host/cleanup';
import { formatContentId } from '../../src/protocol/contentId';
import type { HostPort } from '../../src/protocol/address';
import { hashBytes } from '../support/hashFiles';
import { ask, keepAliveAgent } from '../support/httpClient';
import { connectRaw } from '../support/rawPeer';
import { startPeerOf, type TestPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { buildPathSwapper, notTestedHere, type PathSwapper } from '../support/swapPaths';
import { temporaryFolder } from '../support/temporaryFolder';

/** As both files say: what is inside is the only difference. */
const MODIFIED_S = 1_700_000_000;
const PUBLIC = 'everybody';
const PRIVATE = 'nobody at';
const FILES = 40;
/** Enough that the first edition gave away private bytes in every run. */
const BATCHES = 150;
const SINGLE_READS = 1_500;
const VERSION_ONE_READS = 1_500;
const PUBLICATIONS = 150;

describe('a published folder that is swapped with a link while it is served', () => {
  const cleanup = new Cleanup();
  const forAll = new Cleanup();
  let swapper: PathSwapper | string;
  let tracker: HostPort;
  let alice: TestPeer;
  let serving: HostPort;
  let ids: string[];

  before(() => {
    swapper = buildPathSwapper(forAll, cleanup);
  });
  after(() => forAll.run());
  afterEach(() => cleanup.run());

  beforeEach(async () => {
    tracker = (await startTracker(cleanup)).address;
    alice = await startPeerOf(cleanup, 'Alice', tracker);
    const outside = join(temporaryFolder(cleanup), 'private');
    const names = Array.from({ length: FILES }, (_, index) => `pub/${index}.txt`);
    mkdirSync(outside);
    for (const [index, name] of names.entries()) {
      const text = `${index}`.padStart(3);
      alice.write(name, `${PUBLIC}${text}`);
      writeFileSync(join(outside, `${index}.txt`), `${PRIVATE}${text}`);
      for (const path of [alice.path(name), join(outside, `${index}.txt`)])
        utimesSync(path, MODIFIED_S, MODIFIED_S);
    }
    symlinkSync(outside, alice.path('aside'));
    const files = names.map((name) => ({ name, path: alice.path(name), folder: alice.folder }));
    const outcomes = await alice.peer.publish({ files });
    assert.ok(outcomes.every(({ error }) => error === undefined));
    const snapshot = await alice.peer.snapshot();
    assert.ok(snapshot.serving);
    serving = snapshot.serving;
    ids = await idsOf();
  });

  /** The content ids of all that is offered, as everybody is told them. */
  async function idsOf(): Promise<string[]> {
    const bob = await startPeerOf(cleanup, 'Bob', tracker);
    const files = await bob.peer.discover({ hostname: 'alice' });
    const found = files.flatMap(({ contentId }) => contentId ?? []);
    assert.equal(found.length, FILES);
    return found;
  }

  /** Reads again and again; counts the answers with private bytes and those with public ones. */
  async function attack(
    times: number,
    read: (index: number) => Promise<string>,
  ): Promise<{ stolen: number; served: number }> {
    assert.ok(typeof swapper !== 'string');
    await swapper.start(alice.path('pub'), alice.path('aside'));
    const seen = { stolen: 0, served: 0 };
    for (let index = 0; index < times; index += 1) {
      const text = await read(index);
      seen.stolen += text.split(PRIVATE).length - 1;
      seen.served += text.split(PUBLIC).length - 1;
    }
    return seen;
  }

  it('never gives its bytes in a batch', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped batches', swapper);
      return;
    }
    const agent = keepAliveAgent(cleanup);
    const { stolen, served } = await attack(BATCHES, async () => {
      const body = ids.map((id) => `${id}\n`).join('');
      const answer = await ask(serving.port, '/v2/batch', { method: 'POST', body, agent });
      return answer.body.toString();
    });
    assert.equal(stolen, 0, `${stolen} of ${BATCHES * FILES}`);
    assert.ok(served > 0, 'it was there in between');
  });

  it('never gives its bytes as a single object', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped objects', swapper);
      return;
    }
    const agent = keepAliveAgent(cleanup);
    const { stolen, served } = await attack(SINGLE_READS, async (index) => {
      const path = `/v2/objects/${ids[index % FILES]}`;
      const answer = await ask(serving.port, path, { agent }).catch(() => undefined);
      return answer?.body.toString() ?? '';
    });
    assert.equal(stolen, 0, `${stolen} of ${SINGLE_READS}`);
    assert.ok(served > 0, 'it was there in between');
  });

  it('never gives its bytes to version 1', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped files of version 1', swapper);
      return;
    }
    const { stolen, served } = await attack(VERSION_ONE_READS, async (index) => {
      const raw = await connectRaw(cleanup, serving);
      raw.send(`GET pub/${index % FILES}.txt\n`);
      return (await raw.readAll()).toString();
    });
    assert.equal(stolen, 0, `${stolen} of ${VERSION_ONE_READS}`);
    assert.ok(served > 0, 'it was there in between');
  });

  it('is never taken for what the link leads to, when it is published again meanwhile', async () => {
    if (typeof swapper === 'string') {
      notTestedHere('swapped publications', swapper);
      return;
    }
    const stolen = formatContentId(hashBytes(Buffer.from(`${PRIVATE}  0`)).contentId);
    const file = { name: 'pub/0.txt', path: alice.path('pub/0.txt'), folder: alice.folder };
    await swapper.start(alice.path('pub'), alice.path('aside'));
    let published = 0;
    for (let count = 0; count < PUBLICATIONS; count += 1) {
      const [outcome] = await alice.peer.publish({ files: [file], anew: true });
      if (outcome?.error === undefined) published += 1;
      // An offered file is what everybody is told of, and is served to whoever asks for it.
      const { status } = await ask(serving.port, `/v2/objects/${stolen}`, { method: 'HEAD' });
      assert.equal(status, 404, `offered after ${count} publications`);
    }
    assert.ok(published > 0, 'it was there in between');
  });
});
