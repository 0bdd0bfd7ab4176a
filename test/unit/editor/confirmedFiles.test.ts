import { strict as assert } from 'node:assert';
import { PeershelfError } from '../../../src/common/errors';
import { type ConfirmedFile, ConfirmedFiles } from '../../../src/editor/confirmedFiles';

const WISH = { name: 'a', hostname: undefined };
const FILE: ConfirmedFile = { name: 'a', hostname: 'h', sizeBytes: 1, modifiedMs: 1 };

describe('ConfirmedFiles', () => {
  const takes = (confirmed: ConfirmedFiles, now: ConfirmedFile, tool = 'read'): Promise<unknown> =>
    confirmed.take(tool, WISH, () => Promise.resolve(now));
  const isStale = (error: unknown): boolean => PeershelfError.is(error, 'OFFER_CHANGED');

  it('goes by size and time where the content is not known', async () => {
    const confirmed = new ConfirmedFiles();
    for (const other of [{ modifiedMs: 2 }, { sizeBytes: 2 }, { contentId: 'c' }]) {
      confirmed.ask('read', WISH, FILE);
      await assert.rejects(takes(confirmed, { ...FILE, ...other }), isStale);
    }
    confirmed.ask('read', WISH, FILE);
    assert.equal(await takes(confirmed, FILE), FILE);
  });

  it('tells tools and wishes apart', async () => {
    const confirmed = new ConfirmedFiles();
    confirmed.ask('read', WISH, FILE);
    await assert.rejects(takes(confirmed, FILE, 'fetch'), isStale);
    await assert.rejects(
      confirmed.take('read', { name: 'a', hostname: 'h' }, () => Promise.resolve(FILE)),
      isStale,
    );
    await takes(confirmed, FILE);
  });

  it('answers as often as was asked, and forgets the oldest of very many questions', async () => {
    const confirmed = new ConfirmedFiles();
    confirmed.ask('read', WISH, FILE);
    confirmed.ask('read', WISH, FILE);
    await takes(confirmed, FILE);
    await takes(confirmed, FILE);
    await assert.rejects(takes(confirmed, FILE), isStale);
    confirmed.ask('read', WISH, FILE);
    for (let count = 0; count < 100; count += 1)
      confirmed.ask('read', { ...WISH, name: `${count}` }, FILE);
    await assert.rejects(takes(confirmed, FILE), isStale);
  });

  it('passes on what keeps a file from being looked at, and keeps the question', async () => {
    const confirmed = new ConfirmedFiles();
    confirmed.ask('read', WISH, FILE);
    const failure = new PeershelfError('NOT_CONNECTED', 'not connected');
    await assert.rejects(
      confirmed.take('read', WISH, () => Promise.reject(failure)),
      failure,
    );
    await takes(confirmed, FILE);
  });
});
