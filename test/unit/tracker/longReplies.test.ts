import { strict as assert } from 'node:assert';
import { formatContentId } from '../../../src/protocol/contentId';
import type { FileMetadata } from '../../../src/protocol/controlRequests';
import type { PageRequest } from '../../../src/protocol/controlRequestsV2';
import {
  MAX_CONTROL_REPLY_BYTES,
  MAX_ENTRY_CHARACTERS,
  MAX_HOST_RECORD_CHARACTERS,
} from '../../../src/protocol/limits';
import { CHANGE_DELAY_MS, MAX_PAGE_CHARACTERS } from '../../../src/tracker/limits';
import { MemoryRegistry } from '../../../src/tracker/memoryRegistry';
import { FakeClock } from '../../support/fakeClock';

/** The longest in a line: each takes six characters there. */
const ESCAPED = '\u0001';
const SIGNATURE = 'A'.repeat(86);
const LONGEST = {
  record: ESCAPED.repeat(MAX_HOST_RECORD_CHARACTERS),
  entry: ESCAPED.repeat(MAX_ENTRY_CHARACTERS),
};
/** More than fit into one reply. */
const HOSTS = 600;
const FILES = 1_500;
const CONTENT = { root: 'ab'.repeat(32), sizeBytes: 1 };
const EVERYTHING: PageRequest = {
  ...{ limit: 1_000, cursor: undefined, prefix: '', query: undefined },
};

type Reply = Record<string, unknown>;

/** Members of a team may say as much of themselves as the limits let them. */
describe('replies that would be longer than clients read', () => {
  let clock: FakeClock;
  let registry: MemoryRegistry;

  beforeEach(() => {
    clock = new FakeClock();
    registry = new MemoryRegistry(clock, { maxFilesPerHost: FILES, expirySeconds: 1_200 });
  });

  const file = (signed?: string): FileMetadata => ({
    ...{ size: 1, modified: 1, publishedAt: 1, isPublished: true },
    revision: { contentId: CONTENT, version: 1, sequence: 0 },
    ...(signed !== undefined && { signed: { text: signed, signature: SIGNATURE } }),
  });
  const register = (hostname: string, files: ReadonlyMap<string, FileMetadata>): void => {
    const owner = { id: hostname, address: '10.0.0.1' };
    const record = { text: LONGEST.record, signature: SIGNATURE, mac: 'm', certificate: 'c' };
    const outcome = registry.register(owner, {
      ...{ hostname, displayName: hostname, ip: '10.0.0.1', port: 6_000, files },
      identity: { fingerprint: hostname, record },
    });
    assert.equal(outcome, 'done');
  };
  const registerMany = (): void => {
    for (let index = 0; index < HOSTS; index += 1)
      register(`host ${index}`, new Map([['a', file()]]));
  };
  const read = (reply: unknown): Reply => {
    assert.ok(typeof reply === 'string');
    assert.ok(reply.length < MAX_CONTROL_REPLY_BYTES, `${reply.length}`);
    return JSON.parse(reply) as Reply;
  };
  const refused = { status: 'ERROR', reason: 'reply too long' };
  /** Names of everything, from page to page. */
  const walk = (request: Partial<PageRequest> = {}): [pages: number, names: string[]] => {
    const names: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const reply = registry.page({ ...EVERYTHING, ...request, cursor });
      assert.ok(typeof reply === 'string' && reply.length < 2 * MAX_PAGE_CHARACTERS);
      const page = JSON.parse(reply) as {
        registry: Record<string, { files: object }>;
        records: object;
        cursor?: string;
      };
      assert.deepEqual(Object.keys(page.records), Object.keys(page.registry));
      for (const [hostname, { files }] of Object.entries(page.registry))
        for (const name of Object.keys(files)) names.push(`${hostname}/${name}`);
      ({ cursor } = page);
      pages += 1;
    } while (cursor !== undefined);
    return [pages, names];
  };

  it('are an ERROR for a list of all hosts, which pages have, ended early', () => {
    registerMany();
    assert.deepEqual(read(registry.list(2)), refused);
    const all = Array.from({ length: HOSTS }, (_, index) => `host ${index}/a`);
    for (const request of [{}, { prefix: 'a' }, { query: 'host' }]) {
      const [pages, names] = walk(request);
      assert.deepEqual(names, all);
      assert.ok(pages > 10, `${pages} pages`);
    }
  });

  it('are an ERROR for a host with very many entries, which pages have', () => {
    const names = Array.from({ length: FILES }, (_, index) => `f${index}`);
    register('alice', new Map(names.map((name) => [name, file(LONGEST.entry)])));
    assert.deepEqual(read(registry.discover('alice', 2)), refused);
    assert.deepEqual(read(registry.list(2)), refused);
    const [, found] = walk();
    assert.deepEqual(
      found,
      names.map((name) => `alice/${name}`),
    );
  });

  it('have fewer sources of a name, those that came first', () => {
    registerMany();
    const reply = read(registry.request('a', 2)) as { hosts: { hostname: string }[] };
    assert.ok(reply.hosts.length > HOSTS / 2 && reply.hosts.length < HOSTS);
    assert.deepEqual(
      reply.hosts.map(({ hostname }) => hostname),
      reply.hosts.map((_, index) => `host ${index}`),
    );
  });

  it('are an ERROR for too much that is to be located, and not for one content', () => {
    const ids = Array.from({ length: 12 }, (_, index) => {
      return { root: index.toString(16).padStart(64, '0'), sizeBytes: 1 };
    });
    for (let index = 0; index < HOSTS; index += 1) {
      const contentId = ids[Math.floor(index / 50)];
      const revision = { contentId, version: 1, sequence: 0 };
      register(`host ${index}`, new Map([['a', { ...file(), revision }]]));
    }
    const [first = CONTENT] = ids;
    assert.deepEqual(read(registry.locate(ids.map(formatContentId))), refused);
    assert.equal(read(registry.locate([formatContentId(first)]))['status'], 'FOUND');
  });

  it('do not come as events either, of which there are more instead', () => {
    let longest = 0;
    const subscriber = {
      isReady: () => true,
      send: ({ length }: Buffer) => void (longest = Math.max(longest, length)),
    };
    const subscribed = registry.subscribe(subscriber, EVERYTHING);
    assert.ok(!(subscribed instanceof Promise));
    registerMany();
    for (let turn = 0; turn < HOSTS; turn += 1) clock.advance(CHANGE_DELAY_MS);
    assert.ok(longest > 0 && longest < MAX_PAGE_CHARACTERS, `${longest}`);
  });
});
