import { strict as assert } from 'node:assert';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkPeer } from '../../src/peer/peerApi';
import { hostLabel } from '../../src/protocol/hostLabel';
import { shortFingerprint } from '../../src/protocol/shortFingerprint';
import identities from '../fixtures/identities.json';
import { useCleanup } from '../support/cleanup';
import { type CommandLineUser, startCommand } from '../support/commandLine';
import { startTeam, type TestTeam } from '../support/startTeam';
import type { TestPeer } from '../support/startPeer';
import { temporaryFolder } from '../support/temporaryFolder';
import { eventually } from '../support/waitFor';

/** Letters of Cyrillic that look like those of Latin. */
const CYRILLIC_A = '\u0430';

describe('names that look like those of another member', () => {
  const cleanup = useCleanup();
  let team: TestTeam;
  let viewer: TestPeer;

  beforeEach(async () => {
    team = await startTeam(cleanup);
    viewer = await team.join({ settings: { hostname: 'viewer', displayName: 'Viewer' } });
  });

  const enter = (
    who: 'alice' | 'mallory',
    names: { hostname: string; displayName: string },
  ): Promise<TestPeer> => team.join({ identity: identities[who], presence: true, settings: names });
  const peers = (count: number): Promise<readonly NetworkPeer[]> =>
    eventually(async () => {
      const found = await viewer.peer.networkPeers();
      return found.length === count ? found : undefined;
    }, `${count} others are seen`);
  const marked = (found: readonly NetworkPeer[]): string[] =>
    found.filter(({ looksAlike }) => looksAlike === true).map(({ hostname }) => hostname);

  for (const [what, hostname, displayName] of [
    ['the same display name', 'mallory', 'Alice'],
    ['a host name of another script', `${CYRILLIC_A}lice`, 'M'],
    ['a display name with a letter of another script', 'mallory', `Al\u0456ce`],
    ['a capital letter that looks like another letter', 'mallory', 'AIice'],
    ['a combining grapheme joiner in it', 'mallory', 'Al\u034fice'],
    ['a filler of Hangul behind it', 'mallory', 'Alice\u3164'],
    ['a choseong filler before it', 'mallory', '\u115fAlice'],
    ['a blank of Braille in it', 'mallory', 'A\u2800lice'],
    ['a variation selector behind it', 'mallory', 'Alice\ufe0f'],
    ['a zero-width joiner in it', 'mallory', 'Ali\u200dce'],
    ['no-break spaces behind it', 'mallory', 'Alice\u00a0\u202f'],
    ['the display name as its host name', 'Alice.', 'M'],
    ['a mark of its own making', 'mallory', 'Alice (alice, aaaa-bbbb-cccc-dddd-eeee)'],
    ['brackets of a font', 'mallory', 'Alice \u2768alice, aaaa-bbbb-cccc-dddd-eeee\u2769'],
    ['brackets of Arabic', 'mallory', 'Alice \ufd3ealice, aaaa\ufd3f'],
  ] as const)
    it(`are told apart: ${what}`, async () => {
      const named = hostname === 'Alice.' ? 'ALICE' : hostname;
      await enter('alice', { hostname: 'alice', displayName: 'Alice' });
      await enter('mallory', { hostname: named, displayName });
      const found = await peers(2);
      assert.deepEqual(marked(found).sort(), ['alice', named].sort());
      const labels = found.map((peer) => hostLabel(peer));
      for (const { hostname: of, identity = '' } of found) {
        const label = labels.find((text) => text.endsWith(`, ${shortFingerprint(identity)})`));
        assert.ok(label?.includes(`(${of}, `), labels.join('; '));
      }
    });

  it('are told apart in every row of files, and no more once the other has gone', async () => {
    const alice = await enter('alice', { hostname: 'alice', displayName: 'Alice' });
    const mallory = await enter('mallory', { hostname: 'mallory', displayName: 'Alice' });
    await alice.publish('plan.md', 'of Alice');
    await mallory.publish('plan-v2.md', 'of Mallory');
    const rows = await eventually(async () => {
      const page = await viewer.peer.networkRows({ limit: 9 });
      return page.total === 2 ? page.rows : undefined;
    }, 'both files are seen');
    const owners = rows.flatMap(({ sources }) => sources.map((source) => hostLabel(source)));
    assert.deepEqual(owners.map((owner) => owner.slice(0, 14)).sort(), [
      'Alice (alice, ',
      'Alice (mallory',
    ]);
    const { files } = await viewer.peer.networkFiles({ limit: 9 });
    assert.equal(
      files.every(({ looksAlike }) => looksAlike === true),
      true,
    );
    const destination = viewer.path('plan.md');
    const fetched = await viewer.peer.fetch({ name: 'plan.md', destination, ifExists: 'fail' });
    assert.match(fetched.displayName, /^Alice \(alice, (?:[a-z2-7]{4}-){4}[a-z2-7]{4}\)$/u);
    await mallory.peer.stop();
    await eventually(
      async () => marked(await viewer.peer.networkPeers()).length === 0 || undefined,
      'the mark is gone',
    );
  });

  it('are told apart from those of a member who has just left, in this run and in later ones', async () => {
    const settings = { hostname: 'watcher', displayName: 'Watcher' };
    const storageFolder = temporaryFolder(cleanup);
    const watcher = await team.join({ settings, storageFolder });
    const alice = await enter('alice', { hostname: 'alice', displayName: 'Alice' });
    const isAlone = (by: TestPeer, name: string): Promise<NetworkPeer> =>
      eventually(async () => {
        const found = await by.peer.networkPeers();
        const others = found.filter(({ hostname }) => ['alice', 'mallory'].includes(hostname));
        return others.length === 1 && others[0]?.hostname === name ? others[0] : undefined;
      }, `only ${name} is seen`);
    assert.equal((await isAlone(viewer, 'alice')).looksAlike, undefined);
    assert.equal((await isAlone(watcher, 'alice')).looksAlike, undefined);
    await alice.peer.stop();
    await watcher.peer.stop();
    await enter('mallory', { hostname: 'mallory', displayName: 'Al\u0456ce' });
    const again = await team.join({ settings, storageFolder });
    for (const by of [viewer, again]) {
      const mallory = await isAlone(by, 'mallory');
      const { identity = '' } = mallory;
      assert.equal(hostLabel(mallory), `Al\u0456ce (mallory, ${shortFingerprint(identity)})`);
    }
  });

  it('are told apart from this user and from the session, too', async () => {
    const present = await team.join({
      presence: true,
      settings: { hostname: 'me', displayName: 'Me' },
    });
    await enter('mallory', { hostname: 'mallory', displayName: 'M\u0435' });
    await enter('alice', { hostname: 'team', displayName: 'Alice' });
    await eventually(async () => {
      const found = marked(await present.peer.networkPeers());
      return found.sort().join() === 'mallory,team' || undefined;
    }, 'both are marked');
  });

  it('of one identity are not marked, nor names that differ', async () => {
    await enter('alice', { hostname: 'alice', displayName: 'Alice' });
    await enter('alice', { hostname: 'alice-2', displayName: 'Alice' });
    await enter('mallory', { hostname: 'mallory', displayName: 'Alicia' });
    assert.deepEqual(marked(await peers(3)), []);
  });

  it('are told apart by the command line', async () => {
    const alice = await enter('alice', { hostname: 'alice', displayName: 'Alice' });
    const mallory = await enter('mallory', { hostname: 'mallory', displayName: 'Alice' });
    await alice.publish('plan.md', 'of Alice');
    await mallory.publish('plan-v2.md', 'of Mallory');
    const user: CommandLineUser = {
      folder: temporaryFolder(cleanup),
      data: temporaryFolder(cleanup),
    };
    writeFileSync(join(user.folder, 'invite.txt'), team.invite);
    const run = async (...args: string[]): Promise<string> => {
      const running = startCommand(cleanup, user, ...args, '--invite-file', 'invite.txt');
      assert.equal(await running.exited, 0, running.stderr());
      return running.stdout();
    };
    const short = new Map(
      (await viewer.peer.networkPeers()).map(({ hostname, identity = '' }) => [
        hostname,
        shortFingerprint(identity),
      ]),
    );
    const listed = await run('list');
    assert.match(listed, new RegExp(`Alice \\(alice, ${short.get('alice') ?? ''}\\)`, 'u'));
    assert.match(listed, new RegExp(`Alice \\(mallory, ${short.get('mallory') ?? ''}\\)`, 'u'));
    const objects = (await run('list', '--json')).trim().split('\n');
    for (const text of objects) {
      const { hostname, fingerprint, looksAlike } = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual([fingerprint, looksAlike], [short.get(String(hostname)), true]);
    }
    const lines = (await run('peers')).trim().split('\n');
    for (const [hostname, fingerprint] of short)
      assert.ok(
        lines.some((line) =>
          new RegExp(`^Alice +${hostname} +${fingerprint} +online`, 'u').test(line),
        ),
        lines.join('\n'),
      );
    const fetched = await run('fetch', 'plan-v2.md');
    assert.match(
      fetched,
      new RegExp(`from Alice \\(mallory, ${short.get('mallory') ?? ''}\\)`, 'u'),
    );
    assert.ok(existsSync(join(user.folder, 'plan-v2.md')));
  });
});
