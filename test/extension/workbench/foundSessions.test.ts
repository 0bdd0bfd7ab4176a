import * as assert from 'node:assert/strict';
import { createSessionRecord } from '../../../src/peer/team/sessionRecord';
import { newLan, startAnnouncer, type TestLan } from '../../support/lan';
import { eventually } from '../../support/parts/waits';
import type { PeerWindow } from '../../support/peerWindows';
import { startTeam, type TestTeam } from '../../support/startTeam';
import { publish } from '../../support/userActions';
import { useWindows } from '../../support/useWindows';

/** Text of somebody who wants to be more than text. */
const HOSTILE = '[x](command:workbench.action.quit) $(error)';
const SHOWN = '[x] (command:workbench.action.quit) $ (e';

/** A window in whose network trackers announce themselves: a true one, and one that means no good. */
describe('sessions found in the network', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let team: TestTeam;
  let lan: TestLan;

  before(async () => {
    lan = await newLan();
    const record = await createSessionRecord('Lớp 10A', new Date());
    team = await startTeam(cleanup, { record });
    const { fingerprint } = team.verifier.identity;
    const { port } = team.address;
    startAnnouncer(cleanup, lan, { sessionName: record.name, fingerprint, port });
    const hostile = { sessionName: HOSTILE, fingerprint: 'ab'.repeat(32), port: 1 };
    startAnnouncer(cleanup, lan, hostile);
    window = await windows.add('Dora', {
      files: { 'own.txt': 'mine' },
      env: { PEERSHELF_LAN_PORT: `${lan.port}` },
    });
  });

  it('are named in Network Files, as text', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    const network = workbench.view('Network Files');
    await network.welcomed(/Sessions were found in this network/u);
    const description = await eventually(async () => {
      const text = await network.description();
      return text.includes('Lớp 10A') && text.includes('[x]') ? text : undefined;
    }, 'both names');
    assert.ok(description.includes(SHOWN), description);
    assert.equal(description.includes(HOSTILE), false);
  });

  it('are offered when something is published, and joined with the invite', async () => {
    const { workbench } = window;
    await publish(workbench, 'own.txt');
    await workbench.quickPick.opened({ title: 'Publish to Network' });
    const offered = await eventually(async () => {
      const labels = await workbench.quickPick.labels();
      return labels.some((label) => label.includes('Lớp 10A')) ? labels : undefined;
    }, 'the session is offered');
    assert.equal(offered[0], 'Start Team Session (Local Tracker)');
    assert.ok(offered.some((label) => label.includes('[x] (command:workbench.action.quit) $ (')));
    await workbench.quickPick.choose(/Join Lớp 10A, found in this network/u);
    await workbench.inputBox.opened({ title: 'Join Lớp 10A: its invite is needed' });
    assert.equal(team.tracker.connectionCount, 0);
    await workbench.inputBox.answer(team.invite);
    await workbench.notifications.shown(/Published own\.txt/u);
    assert.equal(team.tracker.connectionCount, 1);
  });

  it('are looked for again when the session was left', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    const network = workbench.view('Network Files');
    await network.welcomed(/Send the invite|Nobody else shares/u);
    assert.equal(await network.description(), 'Lớp 10A');
    await workbench.runCommand('Peershelf: Leave Team Session');
    await network.welcomed(/Sessions were found in this network/u);
    await network.welcomeAction('Join Team Session…');
    await workbench.inputBox.opened({ title: 'Join Team Session' });
    await workbench.inputBox.cancel();
  });

  it('are named without trust in the folder, and when it has been given', async () => {
    const restricted = await windows.add('Erin', {
      trust: 'restricted',
      env: { PEERSHELF_LAN_PORT: `${lan.port}` },
    });
    const { workbench } = restricted;
    await workbench.openView('Peershelf');
    const network = workbench.view('Network Files');
    await network.welcomed(/Restricted Mode.*Sessions were found in this network/su);
    await workbench.trustFolder();
    await network.welcomed(/^Sessions were found in this network/u);
    await eventually(
      async () => (await network.description()).includes('Lớp 10A') || undefined,
      'the name beside the title',
    );
  });
});
