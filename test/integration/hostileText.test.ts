import { strict as assert } from 'node:assert';
import { symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { HostPort } from '../../src/protocol/address';
import { formatHostPort } from '../../src/protocol/address';
import { createSessionRecord, inviteOf } from '../../src/peer/team/sessionRecord';
import { formatInvite } from '../../src/protocol/invite';
import { useCleanup } from '../support/cleanup';
import { type CommandLineUser, startCommand, startSharing } from '../support/commandLine';
import { startMisbehavingPeer } from '../support/misbehavingPeer';
import { RawClient } from '../support/rawClient';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';

/** What turns text around, hides, or acts on a terminal, and what editors take for more than text. */
const HOSTILE =
  '\u202egnp.exe\u202c\u2028\u200b\ufeff\u00ad\u{e0041}$(error) [x](command:workbench.action.quit)';
const NEVER_SHOWN =
  /[\0-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
const ESCAPES = '\u001b]0;owned\u0007\u001b[2J\u009b1m\rerror: none';

describe('text of others on the command line', () => {
  const cleanup = useCleanup();

  const newUser = (): CommandLineUser => ({
    folder: temporaryFolder(cleanup),
    data: temporaryFolder(cleanup),
  });
  /** All that a command prints, to both outputs. */
  const outputOf = async (...args: string[]): Promise<string> => {
    const running = startCommand(cleanup, newUser(), ...args);
    await running.exited;
    return running.stdout() + running.stderr();
  };
  const assertPlain = (output: string): void =>
    assert.equal(NEVER_SHOWN.exec(output), null, JSON.stringify(output));
  /** Somebody with hostile names, and two who offer different files under one of them. */
  const registerHostile = async (address: HostPort, hostname: string): Promise<void> => {
    const client = await RawClient.connect(cleanup, address);
    const reply = await client.ask('REGISTER', {
      ...{ hostname, display_name: `Display ${HOSTILE}`, ip: '127.0.0.1', port: 1 },
      files_metadata: { [`f ${HOSTILE}`]: { size: hostname.length, modified: 1 } },
    });
    assert.equal(reply['status'], 'OK');
  };

  it('is shown without what is no text, by every command and in JSON', async () => {
    const { address } = await startTracker(cleanup);
    const tracker = formatHostPort(address);
    const hostname = `host ${HOSTILE}`;
    await registerHostile(address, hostname);
    await registerHostile(address, `another ${HOSTILE}`);
    const name = `f ${HOSTILE}`;
    for (const args of [
      ...[['list'], ['search', 'gnp'], ['discover', hostname], ['ping', hostname]],
      ...[
        ['fetch', name],
        ['fetch', name, '--from', hostname],
        ['fetch', `none ${HOSTILE}`],
      ],
    ])
      for (const more of [[], ['--json'], ['--verbose']]) {
        const output = await outputOf(...args, '--tracker', tracker, ...more);
        assert.notEqual(output, '', args.join(' '));
        assertPlain(output);
      }
    assert.match(await outputOf('list', '--tracker', tracker), /gnp\.exe.*\[x\]\(command:/u);
  }).timeout(120_000);

  it('is shown plainly when files of one’s own are called so', async () => {
    const { address } = await startTracker(cleanup);
    const user = newUser();
    const name = `${ESCAPES.replaceAll('/', '')} $(error)`;
    if (process.platform !== 'win32') {
      writeFileSync(join(user.folder, name), 'x');
      assertPlain(
        await outputOf('share', join(user.folder, name), '--tracker', formatHostPort(address)),
      );
    }
    writeFileSync(join(user.folder, '$(error) \u200bx'), 'x');
    const { process: sharing } = await startSharing(cleanup, user, {
      ...{ path: '$(error) \u200bx', tracker: address, hostname: 'h' },
    });
    assertPlain(sharing.stdout() + sharing.stderr());
  });

  it('of a tracker that refuses runs nothing on the terminal, also when all is logged', async () => {
    const address = await startMisbehavingPeer(cleanup, (socket) => {
      socket.on('data', () => {
        const reason = `${ESCAPES} ${HOSTILE}`;
        socket.write(`${JSON.stringify({ status: 'ERROR', reason, now: 1, id: 1 })}\n`);
      });
    });
    for (const more of [[], ['--json'], ['--verbose']]) {
      const output = await outputOf('list', '--tracker', formatHostPort(address), ...more);
      assert.match(output, /refused/u);
      assertPlain(output);
    }
  });

  it('of an invite is shown plainly, by whoever makes or reads it', async () => {
    // As long as the name of a session may be.
    const session = HOSTILE.slice(0, 36);
    const record = await createSessionRecord(session, new Date());
    const invite = formatInvite(inviteOf(record, [{ host: '127.0.0.1', port: 1 }]));
    for (const more of [[], ['--verbose']])
      assertPlain(await outputOf('list', '--invite', invite, ...more));
    const made = await outputOf('invite', '--address', '127.0.0.1:1', '--session', session);
    assertPlain(made);
  });

  it('does not lead out of a folder that is shared, by whatever link', async function () {
    if (process.platform === 'win32') return; // Making a link takes a right there.
    const { address } = await startTracker(cleanup);
    const [user, outside] = [newUser(), temporaryFolder(cleanup)];
    writeFileSync(join(outside, 'secret'), 'not shared');
    writeFileSync(join(user.folder, 'own'), 'shared');
    symlinkSync(outside, join(user.folder, 'folder'));
    symlinkSync(join(outside, 'secret'), join(user.folder, 'file'));
    symlinkSync('/etc', join(user.folder, 'etc'));
    symlinkSync('.', join(user.folder, 'loop'));
    await startSharing(cleanup, user, { path: '.', tracker: address, hostname: 'h' });
    const listed = await outputOf('list', '--tracker', formatHostPort(address), '--json');
    const names = listed
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { name: string }).name);
    assert.deepEqual(names, [`${basename(user.folder)}/own`]);
  });
});
