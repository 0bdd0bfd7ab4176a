import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { createIdentity } from '../../../src/peer/identity/identity';
import { formatInvite, parseInvite } from '../../../src/protocol/invite';
import type { PeerWindow } from '../../support/peerWindows';
import { startPeer } from '../../support/startPeer';
import { HELD_BACK, publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

const START = 'Start Team Session (Local Tracker)';
const PLAN = 'what everyone may read\n';
const SECOND = 'what comes after the removal\n';
/** Under way at Carol's speed for longer than the journey takes. */
const LARGE = randomBytes(120_000_000);
const OWNERS_ONLY = /Only an owner of the session Alice's session can remove members/u;
const REMOVED = /An owner has removed you from this session/u;

/** An owner removes a member, while another member works on. */
describe('a removal in three windows', () => {
  let alice: PeerWindow;
  let bob: PeerWindow;
  let carol: PeerWindow;
  let invite: string;
  const { windows, cleanup } = useWindows();

  before(async () => {
    [alice, bob] = await windows.addAliceAndBob({
      files: { 'plan.txt': PLAN, 'second.txt': SECOND, 'large.bin': LARGE },
    });
    carol = await windows.add('Carol', { machineSettings: HELD_BACK });
  });

  const joinByPaste = async ({ workbench }: PeerWindow): Promise<void> => {
    await workbench.runCommand('Peershelf: Join Team Session…');
    await workbench.inputBox.opened({ title: 'Join Team Session' });
    await workbench.inputBox.answer(invite);
  };

  it('begins with a session of three', async () => {
    const { workbench } = alice;
    await workbench.runCommand(`Peershelf: ${START}`);
    await workbench.quickPick.opened({ title: START });
    await workbench.quickPick.choose(/Only this computer/u);
    await workbench.notifications.press(/Alice's session runs/u, 'Copy Invite');
    await workbench.notifications.shown(/is on the clipboard/u);
    invite = await workbench.clipboard();
    for (const name of ['plan.txt', 'large.bin']) {
      await publish(workbench, name);
      await workbench.notifications.shown(`Published ${name}`);
    }
    for (const member of [bob, carol]) {
      await member.workbench.openView('Peershelf');
      await joinByPaste(member);
      await member.workbench.view('Network Files').row('plan.txt');
    }
    await workbench.openView('Peershelf');
    await bob.workbench.view('Peers').expand();
    await workbench.view('Peers').expand();
    for (const name of ['Bob', 'Carol']) await workbench.view('Peers').row(name);
  });

  it('is refused to a member, with the reason', async () => {
    const { workbench } = bob;
    await workbench.runCommand('Peershelf: Remove Member…');
    await workbench.notifications.shown(OWNERS_ONLY);
    const titles = await workbench.view('Peers').contextMenuTitles('Carol');
    assert.ok(titles.includes('Compare Fingerprint'), titles.join());
    assert.equal(titles.includes('Remove Member…'), false);
  });

  it('is asked about once for several, and changes nothing when the owner says no', async () => {
    const { workbench } = alice;
    await workbench.view('Peers').contextMenu(['Bob', 'Carol'], 'Remove Member…');
    const { detail } = await workbench.dialog.opened(/Remove 2 members from the session/u);
    assert.match(detail, /Bob · [a-z2-7-]{24}/u);
    assert.match(detail, /Carol · [a-z2-7-]{24}/u);
    await workbench.dialog.press('Cancel');
    await workbench.view('Peers').select('Carol');
    for (const name of ['Bob', 'Carol']) await workbench.view('Peers').row(name, /^online/u);
  });

  it('says beforehand what it does and what it cannot do, and asks who stays', async () => {
    await carol.workbench.view('Network Files').inlineAction('large.bin', 'Fetch from Network…');
    await carol.workbench.view('Transfers').row('large.bin', /[1-9]\d* % · /u);
    const { workbench } = alice;
    await workbench.view('Transfers').row('large.bin', /[1-9]\d* % · .* · to Carol$/u);
    await workbench.view('Peers').contextMenu('Carol', 'Remove Member…');
    const { detail } = await workbench.dialog.opened(/Remove Carol from the session Alice's/u);
    assert.match(detail, /Running transfers end at once/u);
    assert.match(detail, /Files that were fetched cannot be taken back/u);
    assert.match(detail, /under another identity/u);
    await workbench.dialog.press('Choose Who Stays…');
    await workbench.quickPick.opened({ title: 'Who Stays?' });
    const [item, ...others] = await workbench.quickPick.items();
    assert.equal(others.length, 0);
    assert.equal(item?.label, 'Bob');
    assert.match(item.description, /· last seen \d{4}-\d{2}-\d{2}$/u);
    assert.equal(item.checked, false, 'the owner has not vouched for Bob yet');
    await workbench.quickPick.toggle('Bob');
    await workbench.quickPick.accept();
    await workbench.notifications.shown(/Removed: Carol\. 1 member goes on without doing any/u);
    await workbench.view('Peers').noRow('Carol');
    await carol.workbench.notifications.shown(REMOVED);
  });

  it('ends the running download and the listing of the removed member', async () => {
    const { workbench } = carol;
    await workbench.view('Network Files').welcomed(/Start a session on this computer/u);
    await alice.workbench.view('Transfers').row('large.bin', 'cancelled · to Carol');
    assert.equal(existsSync(path.join(carol.workspace, 'shared/large.bin')), false);
  });

  it('is not noticed by the other member', async () => {
    const { workbench } = bob;
    const network = workbench.view('Network Files');
    await network.row('plan.txt');
    await network.inlineAction('plan.txt', 'Fetch from Network…');
    await workbench.notifications.shown(/Fetched shared\/plan\.txt from Alice/u);
    assert.equal(readFileSync(path.join(bob.workspace, 'shared/plan.txt'), 'utf8'), PLAN);
    await publish(alice.workbench, 'second.txt');
    await alice.workbench.notifications.shown('Published second.txt');
    await network.row('second.txt');
    await workbench.view('Peers').noRow('Carol');
    await alice.workbench.openView('Peershelf');
    await alice.workbench.view('Peers').row('Bob', /online/u);
  });

  it('leaves the removed member an invite that opens nothing', async () => {
    await joinByPaste(carol);
    await carol.workbench.notifications.shown(REMOVED);
    await carol.workbench.view('Network Files').noRow('plan.txt');
    await alice.workbench.view('Peers').noRow('Carol');
  });

  it('leaves no member an invite to hand on that opens nothing', async () => {
    const { workbench } = bob;
    await workbench.runCommand('Peershelf: Copy Invite');
    await workbench.notifications.shown(
      /lets nobody in any more.*Ask the owner.*fingerprint (?:[a-z2-7]{4}-){4}[a-z2-7]{4}/u,
    );
  });

  it('is made from the palette, too, and ticks whom the owner has kept before', async () => {
    const { workbench } = alice;
    await workbench.runCommand('Peershelf: Copy Invite');
    await workbench.notifications.shown(/is on the clipboard/u);
    const renewed = formatInvite(parseInvite(await workbench.clipboard()));
    const settings = { hostname: 'dave', displayName: 'Dave' };
    const dave = await startPeer(cleanup, { settings });
    const identity = await createIdentity(new Date());
    await dave.peer.connect({ invite: renewed, identity });
    await dave.publish('of-dave.txt');
    await bob.workbench.view('Network Files').row('Dave');
    await workbench.runCommand('Peershelf: Remove Member…');
    await workbench.quickPick.opened({ title: 'Remove Member' });
    await workbench.quickPick.toggle('Dave');
    await workbench.quickPick.accept();
    await workbench.dialog.press('Choose Who Stays…');
    await workbench.quickPick.opened({ title: 'Who Stays?' });
    const items = await workbench.quickPick.items();
    assert.deepEqual(
      items.map(({ label, checked }) => [label, checked]),
      [['Bob', true]],
    );
    await workbench.quickPick.accept();
    await workbench.notifications.shown(/Removed: Dave\. 1 member goes on without doing any/u);
    await bob.workbench.view('Network Files').noRow('Dave');
    await bob.workbench.view('Network Files').row('plan.txt');
  });
});
