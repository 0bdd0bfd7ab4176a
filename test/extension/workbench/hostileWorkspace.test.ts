import * as assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import * as path from 'node:path';
import type { NetworkPeer } from '../../../src/peer/peerApi';
import { formatHostPort } from '../../../src/protocol/address';
import { parseInvite } from '../../../src/protocol/invite';
import { startMisbehavingPeer } from '../../support/misbehavingPeer';
import { eventually } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { freePort } from '../../support/ports';
import { type Relay, startRelay } from '../../support/relay';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTeam } from '../../support/startTeam';
import { startTracker } from '../../support/startTracker';
import { temporaryFolder } from '../../support/temporaryFolder';
import { fetchByPalette, publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** Somewhere else; nobody is there. */
const ELSEWHERE = '192.0.2.7';

/** Somebody else's folder, with settings that would send its reader's files wherever they say. */
describe('a workspace with hostile settings and links', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let bob: TestPeer;
  let address = '';
  /** Connections to the tracker that the workspace names. */
  let trapped = 0;
  /** On the way to the session of the invite that the workspace names. */
  let lure: Relay;
  /** Ports that the workspace names. */
  let ports: { readonly peer: number; readonly tracker: number };
  let hostile: Record<string, unknown>;
  /** Outside of the workspace. */
  let outside = '';

  before(async () => {
    const { address: tracker } = await startTracker(cleanup);
    address = formatHostPort(tracker);
    bob = await startPeer(cleanup, { tracker, settings: { hostname: 'bob', displayName: 'Bob' } });
    await bob.publish('bobs.txt', 'from bob');
    const trap = await startMisbehavingPeer(cleanup, () => (trapped += 1));
    const team = await startTeam(cleanup);
    lure = await startRelay(cleanup, team.address.port);
    ports = { peer: await freePort(), tracker: await freePort() };
    outside = temporaryFolder(cleanup);
    const inviteFile = path.join(temporaryFolder(cleanup), 'invite.txt');
    writeFileSync(inviteFile, team.inviteTo({ host: '127.0.0.1', port: lure.port }));
    hostile = {
      'peershelf.tracker': formatHostPort(trap),
      'peershelf.inviteFile': inviteFile,
      'peershelf.autoConnect': true,
      'peershelf.hostname': 'mallory',
      'peershelf.displayName': 'Mallory',
      'peershelf.port': `${ports.peer}`,
      'peershelf.trackerPort': ports.tracker,
      'peershelf.advertiseAddress': ELSEWHERE,
      'peershelf.fetchFolder': '../..',
    };
    window = await windows.add('Grace', {
      trust: 'restricted',
      files: { '.vscode/settings.json': JSON.stringify(hostile), 'own.txt': 'mine' },
    });
  });

  const others = async (): Promise<NetworkPeer[]> => {
    await bob.peer.refreshNetwork();
    return bob.peer.networkPeers();
  };
  const connect = async (): Promise<void> => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Connect to Open Tracker…');
    await workbench.inputBox.opened({ title: 'Connect to Open Tracker' });
    assert.equal(await workbench.inputBox.value(), '', 'what the workspace says is not offered');
    await workbench.inputBox.answer(address);
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').row('bobs.txt');
  };
  const fetchBobs = (): Promise<void> => fetchByPalette(window.workbench, 'bobs.txt');
  const inWorkspace = (name: string): string => path.join(window.workspace, name);
  const nothingIsOutside = (): void => {
    assert.deepEqual(readdirSync(outside), []);
    for (const up of ['..', '../..', '../../..'])
      assert.equal(existsSync(path.join(inWorkspace(up), 'bobs.txt')), false, up);
  };

  it('in Restricted Mode makes nothing connect, and shows nobody', async () => {
    const { workbench } = window;
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
    await connect();
    assert.deepEqual(await others(), []);
    assert.deepEqual([trapped, lure.connections()], [0, 0]);
  });

  it('in Restricted Mode does not choose where fetched files go, by a link neither', async () => {
    const { workbench } = window;
    await fetchBobs();
    await workbench.notifications.shown(/Fetched shared\/bobs\.txt/u);
    assert.equal(existsSync(inWorkspace('shared/bobs.txt')), true);
    rmSync(inWorkspace('shared'), { recursive: true });
    symlinkSync(outside, inWorkspace('shared'));
    await fetchBobs();
    await workbench.notifications.shown(/leads out of the workspace folder/u);
    nothingIsOutside();
    rmSync(inWorkspace('shared'));
  });

  it('makes nothing connect when it is trusted, also when it is opened by a workspace file', async () => {
    const { workbench } = window;
    await workbench.trustFolder();
    await workbench.runCommand('Peershelf: Leave Team Session');
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
    const file = inWorkspace('all.code-workspace');
    writeFileSync(file, JSON.stringify({ folders: [{ path: '.' }], settings: hostile }));
    const second = await windows.addWindow(window, file);
    await second.statusBarItem(/^\s*Peershelf\s*$/u);
    await second.openView('Peershelf');
    // It belongs to no session, so that only the settings could have made it connect.
    await second.view('Network Files').welcomed(/Start a session on this computer/u);
    await second.runCommand('Peershelf: Connect to Open Tracker…');
    await second.inputBox.opened({ title: 'Connect to Open Tracker' });
    assert.equal(await second.inputBox.value(), '');
    await second.inputBox.cancel();
    await second.statusBarItem(/^\s*Peershelf\s*$/u);
    await second.close();
    assert.deepEqual([trapped, lure.connections()], [0, 0]);
  });

  it('when it is trusted chooses no name, port or address that is registered', async () => {
    const { workbench } = window;
    await connect();
    await publish(workbench, 'own.txt');
    await workbench.notifications.shown(/Published own\.txt/u);
    const peer = await eventually(
      async () => (await others()).find(({ fileCount }) => fileCount === 1),
      'the file is offered',
    );
    assert.deepEqual([peer.hostname, peer.displayName], [hostname(), 'Grace']);
    assert.equal(peer.address.host, '127.0.0.1');
    assert.notEqual(peer.address.port, ports.peer);
    await bob.peer.fetch({ name: 'own.txt', destination: bob.path('own'), ifExists: 'fail' });
  });

  it('when it is trusted chooses a folder for fetched files within itself only', async () => {
    const { workbench } = window;
    for (const name of ['link', 'other']) symlinkSync(outside, inWorkspace(name));
    mkdirSync(inWorkspace('deep'));
    symlinkSync(path.join('..', '..', '..'), inWorkspace('deep/up'));
    for (const [folder, complaint] of [
      ['../..', /not valid: peershelf\.fetchFolder "\.\.\/\.\."/u],
      ['x/../../..', /not valid: peershelf\.fetchFolder "x/u],
      [outside, /not valid: peershelf\.fetchFolder "\//u],
      ['link', /\/link leads out of the workspace folder/u],
      ['other/new', /\/other(?:\/new)? leads out of the workspace folder/u],
      ['deep/up', /\/deep\/up leads out of the workspace folder/u],
    ] as const) {
      const settings = { ...hostile, 'peershelf.fetchFolder': folder };
      writeFileSync(inWorkspace('.vscode/settings.json'), JSON.stringify(settings));
      // Until the editor has seen the file, the setting is the one before.
      await eventually(async () => {
        await fetchBobs();
        const told = await workbench.notifications.shown(/fetchFolder|leads out/u);
        await workbench.notifications.clear();
        return complaint.test(told) || undefined;
      }, `the complaint about ${folder}`);
      nothingIsOutside();
    }
    const settings = { ...hostile, 'peershelf.fetchFolder': 'within/it' };
    writeFileSync(inWorkspace('.vscode/settings.json'), JSON.stringify(settings));
    await eventually(async () => {
      await fetchBobs();
      await workbench.notifications.shown(/Fetched|leads out/u);
      await workbench.notifications.clear();
      return existsSync(inWorkspace('within/it/bobs.txt')) || undefined;
    }, 'a folder within the workspace is used');
  });

  it('when it is trusted chooses no port for a tracker, and has led nobody astray', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Start Team Session (Local Tracker)');
    await workbench.quickPick.choose(/Only this computer/u);
    await workbench.notifications.press(/Grace's session runs/u, 'Copy Invite');
    await workbench.notifications.shown(/is on the clipboard/u);
    const [tracker] = parseInvite(await workbench.clipboard()).addresses;
    assert.equal(tracker?.host, '127.0.0.1');
    assert.notEqual(tracker.port, ports.tracker);
    assert.deepEqual([trapped, lure.connections()], [0, 0]);
    nothingIsOutside();
  });
});
