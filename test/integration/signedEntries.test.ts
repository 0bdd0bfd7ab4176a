import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/common/clock';
import {
  createIdentity,
  openIdentity,
  type StoredIdentity,
} from '../../src/peer/identity/identity';
import { parseInvite } from '../../src/protocol/invite';
import { parseContentId } from '../../src/protocol/contentId';
import { type Entry, openEntry, signEntry } from '../../src/protocol/signedEntry';
import type { SignedText } from '../../src/protocol/signedText';
import { TeamMember } from '../../src/peer/team/teamMember';
import { askForEntries, askForEntry } from '../../src/peer/transfer/askEntries';
import { SourceDialer } from '../../src/peer/transfer/sourceDialer';
import { useCleanup } from '../support/cleanup';
import { ask } from '../support/httpClient';
import { storedIdentity } from '../support/identities';
import { RawClient } from '../support/rawClient';
import { rejectsWith } from '../support/rejectsWith';
import { type Reply, type RewritingRelay, startRewritingRelay } from '../support/rewritingRelay';
import { startPeer, type StartPeerOptions, type TestPeer } from '../support/startPeer';
import { startTeam, type TestTeam } from '../support/startTeam';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';

interface Listed {
  root?: string;
  size?: number;
  seq?: number;
  signed?: { text: string; signature: string };
  hostname?: string;
}

describe('a tracker that tells of members what they do not say', () => {
  const cleanup = useCleanup();
  let team: TestTeam;
  let relay: RewritingRelay;
  let alice: TestPeer;
  let aliceIdentity: StoredIdentity;
  let bob: TestPeer;
  let warnings: string[];

  /** Who learns what there is from the hostile tracker. */
  const joinRelay = async (options: StartPeerOptions = {}): Promise<TestPeer> => {
    const looker = await startPeer(cleanup, {
      log: (level, _tag, message) => {
        if (level === 'warn') warnings.push(message);
      },
      ...options,
    });
    await rejoin(looker);
    return looker;
  };
  const rejoin = async ({ peer }: TestPeer): Promise<void> => {
    const identity = await createIdentity(new Date(systemClock.now()));
    await peer.connect({ invite: team.inviteTo(relay.address), identity });
  };
  const join = async (hostname: string, identity?: StoredIdentity): Promise<TestPeer> =>
    team.join({ settings: { hostname, displayName: hostname }, ...(identity && { identity }) });

  beforeEach(async () => {
    team = await startTeam(cleanup);
    relay = await startRewritingRelay(cleanup, team.record, team.address);
    warnings = [];
    aliceIdentity = await createIdentity(new Date(systemClock.now()));
    alice = await join('alice', aliceIdentity);
    bob = await joinRelay();
  });

  const fetched = async (name: string, by = bob, hostname?: string): Promise<string> => {
    const destination = by.path(`got/${name}`);
    const request = { name, destination, ifExists: 'overwrite', ...(hostname && { hostname }) };
    await by.peer.fetch(request as Parameters<typeof by.peer.fetch>[0]);
    return readFileSync(destination, 'utf8');
  };
  /** What is shown to who comes anew, as what was told before is not told again. */
  const shown = async (by = bob): Promise<string[]> => {
    await by.peer.disconnect();
    await rejoin(by);
    await by.peer.refreshNetwork();
    const { files } = await by.peer.networkFiles({ limit: 100 });
    return files.map(({ hostname, name }) => `${hostname}/${name}`);
  };
  /** Changes what every reply says of each file. */
  const change = (alter: (file: Listed, name: string, hostname: string) => void): void => {
    relay.rewrite = (reply) => {
      for (const [hostname, name, file] of filesOf(reply)) alter(file, name, hostname);
      return reply;
    };
  };
  const filesOf = (reply: Reply): [hostname: string, name: string, file: Listed][] => {
    const hosts = (reply['registry'] ?? {}) as Record<string, { files: Record<string, Listed> }>;
    const listed = Object.entries(hosts).flatMap(([hostname, { files }]) =>
      Object.entries(files).map(([name, file]): [string, string, Listed] => [hostname, name, file]),
    );
    const sources = Array.isArray(reply['hosts']) ? (reply['hosts'] as Listed[]) : [];
    return [
      ...listed,
      ...sources.map((file): [string, string, Listed] => [file.hostname ?? '', '', file]),
    ];
  };
  /** What the real tracker says of a name of alice's now. */
  const sourceReply = async (name: string): Promise<Reply> => {
    let kept: Reply | undefined;
    relay.rewrite = (reply) => {
      if (Array.isArray(reply['hosts'])) kept = structuredClone(reply);
      return reply;
    };
    await fetched(name, await joinRelay());
    assert.ok(kept !== undefined);
    return kept;
  };
  const replay = (old: Reply): void => {
    relay.rewrite = (reply) =>
      Array.isArray(reply['hosts'])
        ? { ...reply, status: 'FOUND', hosts: old['hosts'], records: old['records'] }
        : reply;
  };

  it('changes nothing by what stands beside the signature', async () => {
    await alice.publish('a', 'the truth');
    await alice.publish('b', 'another');
    change((file) => Object.assign(file, { root: 'ab'.repeat(32), size: 7, seq: 1 }));
    assert.equal(await fetched('a'), 'the truth');
    await bob.peer.refreshNetwork();
    const { files } = await bob.peer.networkFiles({ limit: 10 });
    assert.deepEqual(
      files.map(({ sizeBytes }) => sizeBytes),
      ['the truth'.length, 'another'.length],
    );
    assert.ok(files.every(({ contentId }) => contentId?.startsWith('abab') === false));
  });

  it('gets an entry that it has altered, or that lacks a signature, neither shown nor fetched', async () => {
    await alice.publish('a');
    const alterations: ((file: Listed) => void)[] = [
      (file) => (file.signed!.text = file.signed!.text.replace('"size":1', '"size":2')),
      (file) => (file.signed!.text += ' '),
      (file) => (file.signed!.signature = 'A'.repeat(86)),
      (file) => delete file.signed,
    ];
    for (const alter of alterations) {
      change(alter);
      const error = await rejectsWith('ENTRY_INVALID', fetched('a'));
      assert.equal(error.details['hostname'], 'alice');
      assert.deepEqual(await shown(), []);
    }
    // Once each time that it joined, however often it has asked.
    const told = warnings.filter((text) => text.includes('alice'));
    assert.equal(told.length, alterations.length + 1);
    relay.rewrite = (reply) => reply;
    assert.deepEqual(await shown(), ['alice/a']);
  });

  it('cannot bring an old entry back, also after the one who has seen the new one restarts', async () => {
    const storageFolder = temporaryFolder(cleanup);
    await alice.publish('a', 'old');
    const old = await sourceReply('a');
    await alice.publish('a', 'new');
    relay.rewrite = (reply) => reply;
    const carol = await joinRelay({ storageFolder });
    assert.equal(await fetched('a', carol), 'new');
    replay(old);
    await rejectsWith('ENTRY_INVALID', fetched('a', carol));
    await carol.peer.stop();
    const again = await joinRelay({ storageFolder });
    await rejectsWith('ENTRY_INVALID', fetched('a', again));
    relay.rewrite = (reply) => reply;
    assert.equal(await fetched('a', again), 'new');
  });

  it('gets nobody to fetch what an old entry says, who has never seen the new one', async () => {
    await alice.publish('a', 'old');
    const old = await sourceReply('a');
    await alice.publish('a', 'new');
    replay(old);
    assert.equal(await fetched('a'), 'new');
  });

  it('cannot hide that a file was taken back, also when it was seen before or comes again', async () => {
    await alice.publish('d/a', 'old');
    await alice.publish('d/b', 'stays');
    const old = await sourceReply('d/a');
    let listing: Reply = {};
    relay.rewrite = (reply) => {
      if (reply['registry'] !== undefined) listing = structuredClone(reply);
      return reply;
    };
    assert.deepEqual(await shown(), ['alice/d/a', 'alice/d/b']);
    await alice.peer.unpublish({ names: ['d/a'] });
    replay(old);
    const error = await rejectsWith('NOT_PUBLISHED', fetched('d/a'));
    assert.equal(error.details['displayName'], 'alice');
    relay.rewrite = (reply) =>
      reply['registry'] === undefined ? reply : { ...reply, registry: listing['registry'] };
    assert.deepEqual(await shown(), ['alice/d/b'], 'the withdrawal was seen');
    const stranger = await joinRelay();
    const folder = { prefix: 'd/', destination: stranger.path('d'), ifExists: 'fail' } as const;
    const result = await stranger.peer.fetchFolder(folder);
    assert.deepEqual([result.fetched, result.failedCount], [1, 1]);
    assert.deepEqual(
      result.failed.map(({ name, error: { code } }) => [name, code]),
      [['d/a', 'NOT_PUBLISHED']],
    );
    await alice.publish('d/a', 'anew');
    replay(old);
    await rejectsWith('ENTRY_INVALID', fetched('d/a'));
    relay.rewrite = (reply) => reply;
    assert.equal(await fetched('d/a'), 'anew');
  });

  it('cannot keep a file from arriving by the old entry of a host that it makes unreachable', async () => {
    const dave = await join('dave');
    await alice.publish('a', 'old');
    const before = await sourceReply('a');
    const [old] = before['hosts'] as object[];
    await alice.peer.unpublish({ names: ['a'] });
    await dave.publish('a', 'new');
    relay.rewrite = (reply) =>
      Array.isArray(reply['hosts'])
        ? {
            ...reply,
            hosts: [{ ...old, port: 1 }, ...(reply['hosts'] as object[])],
            records: { ...(before['records'] as object), ...(reply['records'] as object) },
          }
        : reply;
    assert.equal(await fetched('a', await joinRelay()), 'new');
  });

  it('cannot move an entry to another name or host, or swap two', async () => {
    const dave = await join('dave');
    await alice.publish('a', 'of a');
    await alice.publish('b', 'of b');
    await dave.publish('c', 'of dave');
    const signed = new Map<string, SignedText>();
    change((file, name, hostname) => file.signed && signed.set(`${hostname}/${name}`, file.signed));
    assert.deepEqual((await shown()).sort(), ['alice/a', 'alice/b', 'dave/c']);
    const moves = new Map([
      ['alice/a', 'alice/b'],
      ['alice/b', 'alice/a'],
      ['dave/c', 'alice/a'],
    ]);
    change((file, name, hostname) => {
      file.signed = signed.get(moves.get(`${hostname}/${name}`) ?? 'alice/b')!;
    });
    assert.deepEqual(await shown(), []);
    for (const name of ['a', 'c']) await rejectsWith('ENTRY_INVALID', fetched(name));
    const destination = bob.path('all');
    const folder = { prefix: '', destination, fromAll: true, ifExists: 'fail' } as const;
    const { fetched: count, failed } = await bob.peer.fetchFolder(folder);
    assert.equal(count, 0);
    assert.ok(failed.every(({ error: { code } }) => code === 'ENTRY_INVALID'));
  });

  it('cannot invent one for a host, not even with the help of another member', async () => {
    await alice.publish('a', 'of alice');
    const mallory = await createIdentity(new Date(systemClock.now()));
    const [real] = (await sourceReply('a'))['hosts'] as Listed[];
    const entry = {
      ...{ teamId: parseInvite(team.invite).team.id, hostname: 'alice' },
      contentId: parseContentId(`${'ab'.repeat(32)}-5`)!,
      ...{ version: 9, sequence: Number.MAX_SAFE_INTEGER, state: 'published' as const },
      ...{ note: '', timeMs: systemClock.now() },
    };
    const forged = (name: string, by: StoredIdentity): Listed => ({
      ...real,
      signed: signEntry({ ...entry, name }, openIdentity(by).privateKey),
    });
    const tell = (name: string, source: Listed): void => {
      relay.rewrite = (reply) => {
        if (reply['registry'] !== undefined) {
          const registry = reply['registry'] as Record<string, { files: object }>;
          registry['alice']!.files = { [name]: { ...source, modified: 1, published_at: 1 } };
        }
        return Array.isArray(reply['hosts'])
          ? { ...reply, status: 'FOUND', hosts: [source], records }
          : reply;
      };
    };
    const { records } = await sourceReply('a');
    for (const name of ['a', 'invented']) {
      tell(name, forged(name, mallory));
      assert.deepEqual(await shown(), []);
      await rejectsWith('ENTRY_INVALID', fetched(name));
    }
    // Signed by alice, but never offered: as if an entry were taken from elsewhere. She is asked.
    tell('never', forged('never', aliceIdentity));
    await rejectsWith('NOT_PUBLISHED', fetched('never'));
  });

  it('is not needed for the content, which anyone may send', async () => {
    const dave = await join('dave');
    await alice.publish('a', 'x'.repeat(3_000_000));
    await dave.publish('other', 'x'.repeat(3_000_000));
    const { sources } = await bob.peer.fetch({
      ...{ name: 'a', destination: bob.path('a'), ifExists: 'fail' },
    });
    assert.ok(sources.length > 0);
    // The other one says nothing of the name, and is no source of it by name.
    await rejectsWith('NOT_FOUND', fetched('a', bob, 'dave'));
  });
});

describe('entries of members and of others', () => {
  const cleanup = useCleanup();

  it('are said by a member in one form, one or many, and taken back by a signature', async () => {
    const team = await startTeam(cleanup);
    const stored = await createIdentity(new Date(systemClock.now()));
    const identity = openIdentity(stored);
    const alice = await team.join({ settings: { hostname: 'alice' }, identity: stored });
    await alice.publish('d/a', 'x');
    const invite = parseInvite(team.invite);
    const asker = new TeamMember(invite, storedIdentity('mallory'), systemClock);
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving !== undefined);
    const security = {
      ...{ identity: asker.identity, proofKey: asker.proofKey },
      refusalOf: () => undefined,
    };
    const asking = {
      ...{ clock: systemClock, dialer: new SourceDialer(systemClock, () => security) },
      source: { ...serving, fingerprint: identity.fingerprint },
      ...{ signal: new AbortController().signal, stallMs: 5_000 },
    };
    const said = async (): Promise<Entry | undefined> => {
      const signed = await askForEntry(asking, 'd/a');
      const { publicKey } = identity;
      const place = { teamId: invite.team.id, hostname: 'alice', name: 'd/a', publicKey };
      return signed && openEntry(signed, place);
    };
    const published = await said();
    const one = await askForEntry(asking, 'd/a');
    assert.deepEqual(await askForEntries(asking, ['d/a', 'nothing']), [one, undefined]);
    assert.equal(published?.state, 'published');
    await alice.peer.unpublish({ names: ['d/a'] });
    const withdrawn = await said();
    assert.equal(withdrawn?.state, 'withdrawn');
    assert.ok(withdrawn.sequence > published.sequence);
    await rejectsWith('NOT_PUBLISHED', askForEntry(asking, 'nothing'));
    for (const count of [0, 1_001])
      await rejectsWith('INVALID_MESSAGE', askForEntries(asking, Array<string>(count).fill('x')));
  });

  it('carry no signature in an open session, and the tracker keeps none', async () => {
    const { address } = await startTracker(cleanup);
    const alice = await startPeer(cleanup, { tracker: address, settings: { hostname: 'alice' } });
    await alice.publish('a', 'x');
    const client = await RawClient.connect(cleanup, address);
    await client.ask('HELLO', { versions: [2] });
    const signed = { text: '{}', signature: 'A'.repeat(86) };
    const file = { name: 'b', size: 1, modified: 1, signed };
    const own = { hostname: 'x', port: 1, instance: 'w', counter: 1 };
    assert.equal((await client.ask('REGISTER', { ...own, files: [file] }))['status'], 'OK');
    await client.ask('PUBLISH', { hostname: 'x', files: [{ ...file, name: 'c' }] });
    for (const fname of ['a', 'b', 'c']) {
      const reply = await client.ask('REQUEST', { fname });
      assert.equal(reply['status'], 'FOUND');
      assert.equal(JSON.stringify(reply).includes('signed'), false, fname);
    }
    const { serving } = await alice.peer.snapshot();
    assert.ok(serving !== undefined);
    const entry = await ask(serving.port, '/v2/entries/a');
    assert.match(entry.body.toString(), /"state":"published"\}$/u);
    const many = await ask(serving.port, '/v2/entries', { method: 'POST', body: 'a\n' });
    assert.equal(many.status, 404);
    await alice.peer.unpublish({ names: ['a'] });
    assert.equal((await ask(serving.port, '/v2/entries/a')).status, 404);
  });

  it('come with every change, and a withdrawal with what is taken back', async () => {
    const team = await startTeam(cleanup);
    const alice = await team.join({ settings: { hostname: 'alice' } });
    await alice.publish('a', 'one');
    const bob = await team.join({ settings: { hostname: 'bob' } });
    const sizes = async (): Promise<number[]> => {
      await bob.peer.refreshNetwork();
      return (await bob.peer.networkFiles({ limit: 9 })).files.map(({ sizeBytes }) => sizeBytes);
    };
    assert.deepEqual(await sizes(), [3]);
    await alice.publish('a', 'twelve');
    assert.deepEqual(await sizes(), [6]);
    await alice.peer.configure({ hostname: 'alicia' });
    assert.deepEqual(await sizes(), [6], 'under another hostname');
    await alice.peer.unpublish({ names: ['a'] });
    assert.deepEqual(await sizes(), []);
    await alice.publish('a', 'again');
    assert.deepEqual(await sizes(), [5]);
    assert.deepEqual(
      (await bob.peer.discover({ hostname: 'alicia' })).map(({ sizeBytes }) => sizeBytes),
      [5],
    );
  });
});
