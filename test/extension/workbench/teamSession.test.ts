import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { parseInvite } from '../../../src/protocol/invite';
import { deriveTeamKeys } from '../../../src/protocol/teamKeys';
import { openTwoWindows, type TwoWindows } from '../../support/twoWindows';
import type { PeerWindow } from '../../support/peerWindows';

const CONTENT = Buffer.from(`${'Nội dung '.repeat(5_000)}\n`);
/** Free ports, so that runs side by side do not meet. */
const FREE_PORTS = { 'peershelf.port': '0', 'peershelf.trackerPort': 0 };
/** Everyone is back this soon after the extension of a window that was loaded again has started. */
const BACK_MS = 5_000;
const START = 'Start Team Session (Local Tracker)';

/** The session of a team in two real windows of two users, from nothing to its end. */
describe('a team in two windows', () => {
  let windows: TwoWindows;
  let alice: PeerWindow;
  let bob: PeerWindow;
  /** Every invite text that was handed out. */
  const invites: string[] = [];

  before(async () => {
    windows = await openTwoWindows({
      both: { machineSettings: FREE_PORTS },
      alice: { files: { 'plan.txt': CONTENT, 'second.txt': 'second' } },
      bob: { files: { 'own.txt': 'mine' } },
    });
    ({ alice, bob } = windows);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await windows.windows.keepEvidence(this.currentTest.fullTitle());
    await alice.workbench.notifications.clear();
    await bob.workbench.notifications.clear();
  });

  after(() => windows.close());

  const copyInvite = async (): Promise<string> => {
    const { workbench } = alice;
    await workbench.runCommand('Peershelf: Copy Invite');
    await workbench.notifications.shown(/is on the clipboard/u);
    const text = await workbench.clipboard();
    invites.push(text);
    return text;
  };
  const joinByPaste = async (text: string): Promise<void> => {
    const { workbench } = bob;
    await workbench.runCommand('Peershelf: Join Team Session…');
    await workbench.inputBox.opened({ title: 'Join Team Session' });
    await workbench.inputBox.answer(text);
    await workbench.notifications.shown(/Joined the session Alice's session/u);
  };

  it('is started with one question, and hands out an invite', async () => {
    const { workbench } = alice;
    await workbench.runCommand(`Peershelf: ${START}`);
    await workbench.quickPick.opened({ title: START });
    await workbench.quickPick.choose(/Only this computer/u);
    await workbench.notifications.press(
      /Alice's session runs, for this computer only/u,
      'Copy Invite',
    );
    await workbench.notifications.shown(/is on the clipboard/u);
    await workbench.statusBarItem(/Alice's session: 0 other peers/u);
    const text = await workbench.clipboard();
    invites.push(text);
    assert.match(text, /^Join the Peershelf session "Alice's session"/u);
    assert.match(text, /[\w-]+:\/\/peershelf\.peershelf\/join\?invite=[\w-]+$/u);
    assert.equal(parseInvite(text).sessionName, "Alice's session");
    await workbench.openView('Peershelf');
    await workbench.view('Network Files').welcomed(/Send the invite to your team/u);
  });

  it('tells a text without an invite, and a damaged one, from an invite', async () => {
    const { workbench } = bob;
    const [text = ''] = invites;
    await workbench.runCommand('Peershelf: Join Team Session…');
    await workbench.inputBox.answer('not an invite');
    await workbench.inputBox.complaint(/There is no invite in this text/u);
    await workbench.inputBox.answer(text.slice(0, -3));
    await workbench.inputBox.complaint(/not complete, or was changed/u);
    await workbench.inputBox.cancel();
    await workbench.statusBarItem(/Peershelf/u);
  });

  it('is joined by pasting the invite, published to and fetched from', async () => {
    await joinByPaste(invites[0] ?? '');
    await alice.workbench.openView('Explorer');
    await alice.workbench.explorer.contextMenu('plan.txt', 'Publish to Network');
    await alice.workbench.notifications.shown(/Published plan\.txt/u);
    await bob.workbench.openView('Peershelf');
    const network = bob.workbench.view('Network Files');
    await network.row('Alice', /1 file/u);
    await network.inlineAction('plan.txt', 'Fetch from Network…');
    await bob.workbench.notifications.shown(/Fetched shared\/plan\.txt from Alice/u);
    assert.ok(readFileSync(path.join(bob.workspace, 'shared/plan.txt')).equals(CONTENT));
    await bob.workbench.statusBarItem(/Alice's session: 1 other peer/u);
  });

  it('survives a reload of the window that started it, with the same invite', async () => {
    await alice.workbench.reload();
    await alice.workbench.statusBarItem(/Peershelf|Connecting|Alice's session/u);
    const reloadedMs = Date.now();
    await alice.workbench.statusBarItem(/Alice's session: \d other peer/u, BACK_MS);
    const network = bob.workbench.view('Network Files');
    await network.row('plan.txt', undefined, Math.max(1, reloadedMs + BACK_MS - Date.now()));
    await alice.workbench.openView('Peershelf');
    await alice.workbench.view('Published Files').row('plan.txt');
    assert.equal(await copyInvite(), invites[0]);
    await alice.workbench.openView('Explorer');
    await alice.workbench.explorer.contextMenu('second.txt', 'Publish to Network');
    await network.row('second.txt');
    await network.inlineAction('second.txt', 'Fetch from Network…');
    await bob.workbench.notifications.shown(/Fetched shared\/second\.txt from Alice/u);
  });

  it('is joined by a second window of the same user, which asks for nothing', async () => {
    const second = await windows.windows.addWindow(alice);
    await second.statusBarItem(/Alice's session: \d other peer/u);
    await second.close();
  });

  it('with a new invite goes on for its starter, and for the others when they join again', async () => {
    const { workbench } = alice;
    await workbench.runCommand('Peershelf: New Invite (others must join again)');
    const { detail } = await workbench.dialog.opened(/Make a new invite to Alice's session/u);
    assert.match(detail, /comes back only with the new invite/u);
    await workbench.dialog.press('New Invite');
    await bob.workbench.notifications.shown(/The invite is not valid any more/u);
    await workbench.notifications.shown(/There is a new invite/u);
    await workbench.statusBarItem(/Alice's session: 0 other peers/u);
    const renewed = await copyInvite();
    assert.notEqual(renewed, invites[0]);

    await bob.workbench.runCommand('Peershelf: Join Team Session…');
    await bob.workbench.inputBox.answer(invites[0] ?? '');
    await bob.workbench.notifications.shown(/The invite is not valid any more/u);
    await bob.workbench.notifications.clear();
    await joinByPaste(renewed);
    await bob.workbench.view('Network Files').row('plan.txt');
  });

  it('is left, and joined again by a link, after a question that says what will happen', async () => {
    const { workbench } = bob;
    await workbench.runCommand('Peershelf: Leave Team Session');
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
    const link = /\S+$/u.exec(invites.at(-1) ?? '')?.[0] ?? assert.fail('no link');
    await workbench.runCommand('Developer: Open URL');
    await workbench.inputBox.answer(link);
    await workbench.dialog.press('Open', /Allow .* to open this URI/u);
    const { detail } = await workbench.dialog.opened(/Join the team session "Alice's session"/u);
    assert.match(detail, /Its tracker: 127\.0\.0\.1:\d+/u);
    assert.match(detail, /This window joins: workspace/u);
    assert.match(detail, /Nothing is shared until you publish it/u);
    await workbench.statusBarItem(/^\s*Peershelf\s*$/u);
    await workbench.dialog.press('Join', /Join the team session/u);
    await workbench.notifications.shown(/Joined the session Alice's session/u);
    await workbench.view('Network Files').row('plan.txt');
  });

  it('has left its keys in no log, no setting, no state and no list of processes', () => {
    const secrets = invites.flatMap((text) => {
      const { team } = parseInvite(text);
      const { trackerToken, membershipKey, proofKey } = deriveTeamKeys(team);
      return [team.key, trackerToken, membershipKey, proofKey].map((key) => key.export());
    });
    const needles = [
      ...invites.map((text) => text.slice(-100)),
      ...secrets.flatMap((key) =>
        (['base64', 'base64url', 'hex'] as const).map((encoding) => key.toString(encoding)),
      ),
    ];
    const places = [alice, bob].flatMap(({ server }) => filesBelow(path.dirname(server.dataDir)));
    assert.ok(places.length > 10);
    for (const file of places) {
      const content = readFileSync(file);
      for (const needle of needles) assert.equal(content.includes(needle), false, file);
    }
    const processes = execFileSync('ps', ['axww', '-o', 'args='], { encoding: 'utf8' });
    for (const needle of needles) assert.equal(processes.includes(needle), false);
  });

  it('is stopped after a question, and keeps its invite for the next start', async () => {
    const { workbench } = alice;
    await bob.workbench.openView('Explorer');
    await bob.workbench.explorer.contextMenu('own.txt', 'Publish to Network');
    await bob.workbench.notifications.shown(/Published own\.txt/u);
    await workbench.runCommand('Peershelf: Stop Local Tracker');
    await workbench.dialog.press('Stop Tracker');
    await workbench.notifications.shown(/The local tracker was stopped/u);
    await bob.workbench.statusBarItem(/Tracker not reached/u);
    await workbench.notifications.clear();
    await workbench.runCommand(`Peershelf: ${START}`);
    await workbench.quickPick.choose(/Only this computer/u);
    await workbench.notifications.shown(/Alice's session runs/u);
    await bob.workbench.statusBarItem(/Alice's session: \d other peer/u, 45_000);
    assert.equal(await copyInvite(), invites.at(-2));
    await workbench.runCommand('Peershelf: Leave Team Session');
    await workbench.runCommand('Peershelf: Stop Local Tracker');
    const { message } = await workbench.dialog.opened();
    assert.match(message, /Others may be using it/u);
    await workbench.dialog.press('Stop Tracker');
    await workbench.notifications.shown(/The local tracker was stopped/u);
  });
});

/** Logs, settings and states of one user's editor; workspaces and linked programs are none. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(file);
    return entry.isFile() && statSync(file).size < 20_000_000 ? [file] : [];
  });
}
