import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nullLogger } from '../../../src/common/logger';
import type { ContentId } from '../../../src/protocol/contentId';
import { TransferList } from '../../../src/peer/transfer/transferList';
import { UnfinishedTransfers } from '../../../src/peer/transfer/unfinished';
import { useCleanup } from '../../support/cleanup';
import { FakeClock } from '../../support/fakeClock';
import { temporaryFolder } from '../../support/temporaryFolder';

const CONTENT = { root: 'ab'.repeat(32), sizeBytes: 100 };

describe('downloads that have not ended', () => {
  const cleanup = useCleanup();
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = temporaryFolder(cleanup);
    file = join(folder, 'transfers.json');
  });

  /** One run of an engine on the same storage. */
  const open = (session = 'ours') => {
    const clock = new FakeClock();
    const transfers = new TransferList(clock);
    const started: string[] = [];
    const discarded: [string, ContentId][] = [];
    let failure: Error | undefined;
    const unfinished = new UnfinishedTransfers({
      ...{ logger: nullLogger, transfers, file },
      ownFolder: folder,
      session: () => session,
      fetcher: { discard: (path, content) => discarded.push([path, content]) },
      start: (id) => {
        started.push(transfers.all().find((transfer) => transfer.id === id)?.name ?? '');
        return failure === undefined ? Promise.resolve() : Promise.reject(failure);
      },
    });
    const start = (name: string, destination = `/w/${name}`) => {
      const handle = transfers.start({
        ...{ direction: 'download', name, peer: 'Bob', totalBytes: 100, state: 'waiting' },
        wish: { kind: 'file', request: { name, destination, ifExists: 'fail' } },
        path: destination,
      });
      handle.setContent(CONTENT);
      return handle;
    };
    const told = (): void => clock.advance(250);
    const states = () => transfers.all().map(({ name, state, bytes }) => [name, state, bytes]);
    const fail = (error: Error): void => {
      failure = error;
    };
    return { transfers, unfinished, start, told, started, states, discarded, fail };
  };

  it('are shown again with how far they were; those that were not paused go on', async () => {
    const first = open();
    const running = first.start('running');
    running.begin();
    running.setBytes(40);
    const paused = first.start('paused');
    paused.begin();
    paused.setBytes(7);
    first.transfers.pause(paused.id);
    first.start('waiting');
    first.start('done').finish();
    first.unfinished.stop();

    const second = open();
    await second.unfinished.restore();
    assert.deepEqual(second.states(), [
      ['running', 'paused', 40],
      ['paused', 'paused', 7],
      ['waiting', 'paused', 0],
    ]);
    assert.deepEqual(second.started, ['running', 'waiting']);
  });

  it('are known after a crash, too', async () => {
    const first = open();
    first.start('a').begin();
    first.told();
    const second = open();
    await second.unfinished.restore();
    assert.deepEqual(second.states(), [['a', 'paused', 0]]);
  });

  it('are no more when they have ended, and what was fetched for itself never is', async () => {
    const first = open();
    const ended = first.start('a');
    first.start('preview', join(folder, 'previews', 'x'));
    first.told();
    ended.finish();
    first.told();
    const second = open();
    await second.unfinished.restore();
    assert.deepEqual(second.states(), []);
  });

  it('wait for their session, however many others come before', async () => {
    const first = open();
    first.start('a').begin();
    first.unfinished.stop();
    const other = open('another');
    await other.unfinished.restore();
    other.start('b').begin();
    other.told();
    other.unfinished.stop();
    assert.deepEqual(other.states().length, 1);
    const back = open();
    await back.unfinished.restore();
    await back.unfinished.restore();
    assert.deepEqual(back.states(), [['a', 'paused', 0]]);
  });

  it('are bounded, and those of this session come first', async () => {
    const first = open('another');
    for (let index = 0; index < 201; index += 1) first.start(`old ${index}`);
    first.unfinished.stop();
    const second = open();
    second.start('a');
    second.unfinished.stop();
    const { transfers } = JSON.parse(readFileSync(file, 'utf8')) as { transfers: unknown[] };
    assert.equal(transfers.length, 200);
    const third = open();
    await third.unfinished.restore();
    assert.deepEqual(third.states(), [['a', 'paused', 0]]);
  });

  it('stay paused when they cannot be started, and take nothing with them when they are cancelled', async () => {
    const first = open();
    first.start('a').begin();
    first.unfinished.stop();
    const second = open();
    second.fail(new Error('nobody is there'));
    await second.unfinished.restore();
    const [shown] = second.transfers.all();
    assert.equal(shown?.state, 'paused');
    const id = shown.id;
    assert.equal(second.transfers.isRestored(id), true);
    second.transfers.resume(id);
    assert.equal(second.transfers.all()[0]?.state, 'paused', 'nobody would go on with it');
    second.unfinished.discard(id);
    second.transfers.cancel(id);
    assert.deepEqual(second.discarded, [['/w/a', CONTENT]]);
    assert.equal(second.transfers.all()[0]?.state, 'cancelled');
    assert.equal(second.transfers.all()[0]?.canRetry, true);
  });

  it('make room for a new download to the same place', async () => {
    const first = open();
    first.start('a').begin();
    first.start('b').begin();
    first.unfinished.stop();
    const second = open();
    second.fail(new Error('nobody is there'));
    await second.unfinished.restore();
    second.start('a');
    assert.deepEqual(second.states(), [
      ['b', 'paused', 0],
      ['a', 'waiting', 0],
    ]);
  });

  it('are nothing that a damaged or foreign record says', async () => {
    const first = open();
    first.start('a').begin();
    first.unfinished.stop();
    const good = JSON.parse(readFileSync(file, 'utf8')) as { transfers: [{ wish: unknown }] };
    const [transfer] = good.transfers;
    const request = { name: 'a', destination: '/w/a', ifExists: 'fail' };
    for (const wish of [
      { kind: 'file', request: { ...request, destination: 'relative' } },
      { kind: 'file', request: { ...request, ifExists: 'destroy' } },
      { kind: 'file', request: { ...request, contentId: 'x' } },
      { kind: 'other', request },
    ]) {
      writeFileSync(file, JSON.stringify({ ...good, transfers: [{ ...transfer, wish }] }));
      const { unfinished, states } = open();
      await unfinished.restore();
      assert.deepEqual(states(), []);
      assert.ok(existsSync(`${file}.damaged`));
    }
    const many = { ...good, transfers: Array.from({ length: 201 }, () => transfer) };
    writeFileSync(file, JSON.stringify(many));
    const { unfinished, states } = open();
    await unfinished.restore();
    assert.deepEqual(states(), []);
  });
});
