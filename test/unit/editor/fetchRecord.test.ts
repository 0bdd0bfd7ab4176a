import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { FetchRecord } from '../../../src/editor/fetchRecord';
import { rowFor, toWanted, wishOf } from '../../../src/editor/wantedFile';
import type { FetchResult, NetworkRow } from '../../../src/peer/peerApi';

const RESULT: FetchResult = {
  ...{ outcome: 'fetched', path: '/w/shared/a', sizeBytes: 1, durationMs: 1, hostname: 'bob' },
  ...{ displayName: 'Bob', changedSincePublished: false, receivedBytes: 1, keptBytes: 0 },
  sources: [],
};

describe('what a workspace remembers of its fetches', () => {
  const create = (stored?: unknown) => {
    const kept = new Map<string, unknown>([['fetched', stored]]);
    const store = {
      get: (key: string) => kept.get(key),
      update: (key: string, value: unknown) => {
        // As it comes back from the disk.
        kept.set(key, JSON.parse(JSON.stringify(value)));
        return Promise.resolve();
      },
    };
    return { record: new FetchRecord(store), again: () => new FetchRecord(store) };
  };
  const fetched = (name: string, hostname = 'bob', path = `/w/shared/${name}`) => ({
    wish: { name },
    result: { ...RESULT, hostname, path },
  });

  const folder = (prefix: string, destination: string, hostname?: string) => ({
    ...{ prefix, destination, folder: '/w' },
    ...(hostname === undefined ? {} : { hostnames: [hostname] }),
  });

  it('is the last fetch of each file of each host, the newest first', async () => {
    const { record, again } = create();
    await record.add([fetched('a'), fetched('b')]);
    await record.add([fetched('a', 'carol'), fetched('a', 'bob', '/elsewhere/a')]);
    assert.deepEqual(
      again().files.map(({ name, hostname }) => [name, hostname]),
      [
        ['a', 'bob'],
        ['a', 'carol'],
        ['b', 'bob'],
      ],
    );
    assert.equal(again().placeOf({ name: 'a', hostname: 'bob' }), '/elsewhere/a');
    assert.equal(again().placeOf({ name: 'b', hostname: 'carol' }), undefined);
  });

  it('knows the place of a content, from whomever it came, before that of a host', async () => {
    const { record } = create();
    const place = (hostname: string, contentId?: string): string | undefined =>
      record.placeOf({ name: 'a', hostname, ...(contentId !== undefined && { contentId }) });
    const from = (hostname: string, contentId: string, path: string) => ({
      wish: { name: 'a' },
      result: { ...RESULT, hostname, contentId, path },
    });
    // Several have it: who has served it is not who is named in the row.
    await record.add([from('carol', '1', '/w/shared/a (2)'), from('bob', '2', '/w/shared/a')]);
    assert.equal(place('bob', '1'), '/w/shared/a (2)');
    assert.equal(place('bob', '2'), '/w/shared/a');
    assert.equal(place('bob', '3'), '/w/shared/a');
    assert.equal(place('bob'), '/w/shared/a');
    assert.equal(place('dave', '3'), undefined);
  });

  it('tells what was fetched when its new place can be asked for', async () => {
    const { record } = create();
    const told: [string[], string | undefined][] = [];
    const placeOfA = (): string | undefined => record.placeOf({ name: 'a', hostname: 'bob' });
    record.onDidAdd((names) => told.push([[...names], placeOfA()]));
    await record.add([fetched('a', 'bob', '/w/shared/a (2)'), fetched('b')]);
    await record.add([]);
    await record.add([], [folder('docs/', '/w/docs')]);
    assert.deepEqual(told, [
      [['a', 'b'], '/w/shared/a (2)'],
      [['docs/'], '/w/shared/a (2)'],
    ]);
  });

  it('knows where what lies in a folder went with it, until a file of it is fetched alone', async () => {
    const { record, again } = create();
    const place = (name: string, hostname = 'bob'): string | undefined =>
      again().placeOf({ name, hostname });
    await record.add([fetched('docs/a', 'bob', '/w/shared/docs/a')]);
    await record.add([], [folder('docs/', '/w/here/docs'), folder('img/', '/w/img', 'bob')]);
    assert.equal(place('docs/a'), join('/w/here/docs', 'a'));
    assert.equal(place('docs/b/c', 'carol'), join('/w/here/docs', 'b', 'c'));
    assert.equal(place('docs-of-carol'), undefined);
    assert.equal(place('img/x'), join('/w/img', 'x'));
    assert.equal(place('img/x', 'carol'), undefined, 'of bob alone');
    assert.equal(place('img/../x'), undefined, 'no name that anything is fetched under');
    await record.add([fetched('docs/a', 'bob', '/w/else/a')]);
    assert.equal(place('docs/a'), '/w/else/a');
    assert.equal(place('docs/a', 'carol'), join('/w/here/docs', 'a'));
    assert.deepEqual(
      again().files.map(({ name }) => name),
      ['docs/a'],
      'is offered again as a file',
    );
  });

  it('prefers the place of a file to that of the folder which it was fetched with', async () => {
    const { record } = create();
    await record.add([fetched('docs/a', 'bob', '/w/docs/a (2)')], [folder('docs/', '/w/docs')]);
    assert.equal(record.placeOf({ name: 'docs/a', hostname: 'bob' }), '/w/docs/a (2)');
  });

  it('is bounded', async () => {
    const { record } = create();
    await record.add(Array.from({ length: 500 }, (_, index) => fetched(`${index}`)));
    assert.equal(record.files.length, 200);
    assert.equal(record.files[0]?.name, '499');
  });

  it('is nothing that has another form', () => {
    const good = { name: 'a', hostname: 'bob', path: '/w/a' };
    const nobodys = { name: 'a', path: '/w/a' };
    const bad = [null, 1, {}, nobodys, { ...good, path: 'relative' }, { ...good, name: 1 }];
    assert.deepEqual(create([...bad, good]).record.files, [good]);
    for (const stored of ['x', null, { 0: good }])
      assert.deepEqual(create(stored).record.files, []);
  });
});

describe('a file that is wanted', () => {
  const source = (hostname: string, state: 'online' | 'away' = 'online') => ({
    ...{ hostname, displayName: hostname, state },
  });
  const row = (sources: NetworkRow['sources'], contentId?: string): NetworkRow => ({
    ...{ name: 'a', sizeBytes: 1, modifiedMs: 0, publishedAtMs: 0, sources },
    ...(contentId !== undefined && { contentId }),
  });

  it('is asked of whoever has its content when they are several, else of its host', () => {
    const shared = toWanted(row([source('bob', 'away'), source('carol')], 'x'));
    assert.equal(shared.hostname, 'carol', 'of those who are here');
    assert.deepEqual(wishOf(shared), { name: 'a', contentId: 'x' });
    assert.deepEqual(wishOf(toWanted(row([source('bob')], 'x'))), { name: 'a', hostname: 'bob' });
  });

  it('is found again by its host, whatever that offers by now, else by its content', () => {
    const rows = [row([source('bob')], 'new'), row([source('carol'), source('dave')], 'old')];
    assert.equal(rowFor(rows, { name: 'a', hostname: 'bob', contentId: 'old' }), rows[0]);
    assert.equal(rowFor(rows, { name: 'a', hostname: 'gone', contentId: 'old' }), rows[1]);
    assert.equal(rowFor(rows, { name: 'a', hostname: 'gone', contentId: 'gone' }), undefined);
    assert.equal(rowFor(rows, { name: 'a' }), rows[0]);
  });
});
