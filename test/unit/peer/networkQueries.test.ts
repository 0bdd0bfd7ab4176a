import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { nullLogger } from '../../../src/common/logger';
import { NetworkIndex } from '../../../src/peer/network/networkIndex';
import type { FolderQuery } from '../../../src/peer/peerApi';
import type { ListedHost } from '../../../src/protocol/controlReplies';
import { FakeClock } from '../../support/fakeClock';

/** Names that share much, with what is next to a slash in order. */
const name = fc
  .array(fc.constantFrom('a', 'b', 'a/', '/', '-', '0', '\uffff', 'A'), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(''));
const content = fc.constantFrom('1', '2', undefined);
const files = fc.dictionary(name, content, { maxKeys: 12 });
const network = fc.dictionary(fc.constantFrom('h1', 'h2', 'h3', 'me'), files, { maxKeys: 4 });
const query: fc.Arbitrary<FolderQuery> = fc.record({
  prefix: fc.constantFrom('', 'a/', 'b', 'a/a/', '\uffff', 'nowhere/'),
  hostname: fc.constantFrom(undefined, undefined, 'h1', 'h2', 'unknown'),
  text: fc.constantFrom(undefined, undefined, 'a', 'H1 b', 'a b'),
});

type Network = Record<string, Record<string, string | undefined>>;

function toHosts(hosts: Network): Map<string, ListedHost> {
  return new Map(
    Object.entries(hosts).map(([hostname, named]) => [
      hostname,
      {
        ...{ displayName: hostname, ip: '127.0.0.1', port: 1, lastSeen: 0, connectedAt: 0 },
        files: new Map(
          Object.entries(named).map(([file, holds]) => [
            file,
            {
              ...{ size: 1, modified: 1, publishedAt: 1 },
              ...(holds && { contentId: { root: holds.repeat(64), sizeBytes: 1 } }),
            },
          ]),
        ),
      },
    ]),
  );
}

/** What a folder has, by looking at every file. */
function expected(hosts: Network, { prefix, hostname, text = '' }: FolderQuery): object {
  const folders = new Map<string, Set<string>>();
  const rows = new Map<string, string[]>();
  for (const [host, named] of Object.entries(hosts)) {
    if (host === 'me' || (hostname !== undefined && host !== hostname)) continue;
    for (const [file, holds] of Object.entries(named)) {
      const words = text.toLowerCase().split(' ').filter(Boolean);
      const isFound = words.every((word) => `${file} ${host}`.toLowerCase().includes(word));
      if (!isFound || !file.startsWith(prefix)) continue;
      const slash = file.indexOf('/', prefix.length);
      if (slash === -1) {
        const row = `${file}|${holds ?? host}`;
        rows.set(row, [...(rows.get(row) ?? []), host]);
      } else {
        const path = file.slice(0, slash + 1);
        folders.set(path, (folders.get(path) ?? new Set()).add(file));
      }
    }
  }
  return {
    folders: [...folders].map(([path, names]) => `${path} ${names.size}`).sort(),
    rows: [...rows]
      .map(([row, sources]) => `${row} ${sources.sort().join()}${clash(hosts, row)}`)
      .sort(),
  };
}

/** Marks a row when somebody is known to offer something else under its name, whoever was asked for. */
function clash(hosts: Network, row: string): string {
  const [name = '', holds = ''] = row.split('|');
  const others = Object.entries(hosts).map(([host, named]) => (host === 'me' ? '' : named[name]));
  return others.some((other) => other && holds.length === 1 && other !== holds) ? '!' : '';
}

describe('folders of the network', () => {
  it('have what is in them, whatever the names are and whoever is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(network, fc.array(query, { minLength: 1 }), async (hosts, queries) => {
        const index = new NetworkIndex({
          ...{ clock: new FakeClock(), logger: nullLogger },
          list: () => Promise.resolve(toHosts(hosts)),
          ownHostname: () => 'me',
          shown: ({ signed: _, ...file }) => file,
        });
        await index.refresh();
        for (const one of queries) {
          const { folders, files: found, total } = index.folder(one);
          const listed = {
            folders: folders.map(({ prefix, fileCount }) => `${prefix} ${fileCount}`).sort(),
            rows: found
              .map(({ sources, contentId, ...row }) => {
                const from = sources.map(({ hostname }) => hostname).sort();
                const clashes = row.clashes === true ? '!' : '';
                return `${row.name}|${contentId?.[0] ?? from.join()} ${from.join()}${clashes}`;
              })
              .sort(),
          };
          assert.deepEqual(listed, expected(hosts, one));
          assert.equal(total, folders.length + found.length);
        }
        index.dispose();
      }),
      { numRuns: 300 },
    );
  });

  it('are what they have become after changes', async () => {
    let hosts: Network = { h1: { 'a/x': '1', b: '1' }, h2: { 'a/x': '1' } };
    const index = new NetworkIndex({
      ...{ clock: new FakeClock(), logger: nullLogger },
      list: () => Promise.resolve(toHosts(hosts)),
      ownHostname: () => 'me',
      shown: ({ signed: _, ...file }) => file,
    });
    const counts = async (hostname?: string): Promise<string[]> => {
      await index.refresh();
      const page = index.folder({ prefix: '', hostname });
      return [
        ...page.folders.map(({ prefix, fileCount }) => `${prefix} ${fileCount}`),
        ...page.files.map((file) => file.name),
      ];
    };
    assert.deepEqual([await counts(), await counts('h2')], [['a/ 1', 'b'], ['a/ 1']]);
    hosts = { h1: { b: '1' }, h2: { 'a/x': '1', 'a/y': '1' } };
    assert.deepEqual([await counts(), await counts('h2')], [['a/ 2', 'b'], ['a/ 2']]);
    hosts = { h1: { b: '1', c: '2' } };
    assert.deepEqual([await counts(), await counts('h2')], [['b', 'c'], []]);
  });
});
