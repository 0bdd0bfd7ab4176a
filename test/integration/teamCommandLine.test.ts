import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseInvite } from '../../src/protocol/invite';
import { deriveTeamKeys } from '../../src/protocol/teamKeys';
import { useCleanup } from '../support/cleanup';
import { type CommandLineUser, dataFolder, startCommand } from '../support/commandLine';
import { CLI } from '../support/commandLine';
import { newLan } from '../support/lan';
import { occupyPort } from '../support/ports';
import { endBy, startProcess, type TestProcess } from '../support/startProcess';
import { temporaryFolder } from '../support/temporaryFolder';

const READY = /^listening on (\S+)\ninvite: (\S+)\n/u;

describe('the session of a team on the command line', () => {
  const cleanup = useCleanup();

  const newUser = (): CommandLineUser => ({
    folder: temporaryFolder(cleanup),
    data: temporaryFolder(cleanup),
  });
  const finish = async (
    user: CommandLineUser,
    ...args: string[]
  ): Promise<{ code: unknown; out: string; err: string }> => {
    const running = startCommand(cleanup, user, ...args);
    const code = await running.exited;
    return { code, out: running.stdout(), err: running.stderr() };
  };
  const startTracker = async (
    user: CommandLineUser,
    ...args: string[]
  ): Promise<{ tracker: TestProcess; invite: string; address: string }> => {
    const tracker = startCommand(cleanup, user, ...['tracker', '--port', '0', ...args]);
    const [, address = '', invite = ''] = await tracker.printed(READY);
    return { tracker, invite, address };
  };
  /** The invite in a file of the user, as the documentation has it. */
  const receive = (user: CommandLineUser, invite: string): string => {
    const file = join(user.folder, 'invite.txt');
    writeFileSync(file, `Join us: ${invite} (valid until Friday)\n`);
    return file;
  };

  it('is started, joined by the invite, and shares files', async () => {
    const [owner, alice, bob] = [newUser(), newUser(), newUser()];
    const { invite } = await startTracker(owner, '--session', 'Lớp 10A');
    assert.equal(parseInvite(invite).sessionName, 'Lớp 10A');
    writeFileSync(join(alice.folder, 'notes.txt'), 'for members');
    const sharing = startCommand(
      cleanup,
      alice,
      ...['share', 'notes.txt', '--port', '0', '--hostname', 'alice', '--display-name', 'Alice'],
      ...['--invite-file', receive(alice, invite)],
    );
    await sharing.printed(/^published notes\.txt\nserving on 127\.0\.0\.1:\d+\n/u);
    const file = receive(bob, invite);
    const listed = await finish(bob, 'list', '--invite-file', file);
    assert.match(listed.out, /^notes\.txt +11 B +Alice \(alice\)/u, listed.err);
    const fetched = await finish(bob, 'fetch', 'notes.txt', '--invite-file', file);
    assert.equal(fetched.code, 0, fetched.err);
    assert.equal(readFileSync(join(bob.folder, 'notes.txt'), 'utf8'), 'for members');
    const identity = join(dataFolder(bob), 'cli', 'identity.json');
    if (process.platform !== 'win32') assert.equal(statSync(identity).mode & 0o777, 0o600);
  });

  it('is joined by the environment, too', async () => {
    const [owner, bob] = [newUser(), newUser()];
    const { invite } = await startTracker(owner);
    const listing = startProcess(cleanup, process.execPath, [CLI, 'list', '--json'], {
      env: { PEERSHELF_INVITE: invite, XDG_DATA_HOME: bob.data, HOME: bob.data },
    });
    assert.equal(await listing.exited, 0, listing.stderr());
  });

  it('runs with a tracker that never sees its key', async () => {
    const [owner, elsewhere, bob] = [newUser(), newUser(), newUser()];
    const verifier = join(elsewhere.folder, 'verifier.json');
    const made = await finish(
      owner,
      ...['invite', '--address', '127.0.0.1:1', '--verifier-file', verifier],
    );
    const [, text = ''] = /^invite: (\S+)\n$/u.exec(made.out) ?? [];
    const invite = parseInvite(text);
    const key = invite.team.key.export();
    for (const encoding of ['base64url', 'base64', 'hex'] as const)
      assert.equal(readFileSync(verifier, 'utf8').includes(key.toString(encoding)), false);
    const tracker = startCommand(
      cleanup,
      elsewhere,
      ...['tracker', '--port', '0', '--verifier-file', verifier],
    );
    const [, address = ''] = await tracker.printed(/^listening on (\S+)\n/u);
    const again = await finish(owner, 'invite', '--address', '127.0.0.1:1', '--address', address);
    const file = receive(bob, again.out);
    const listed = await finish(bob, 'list', '--invite-file', file);
    assert.equal(listed.code, 0, listed.err);
    assert.equal(tracker.stdout(), `listening on ${address}\n`);
  });

  it('keeps its invite over restarts, and gives others another one', async () => {
    const owner = newUser();
    const first = await startTracker(owner);
    first.tracker.child.kill('SIGTERM');
    assert.equal(await first.tracker.exited, endBy('SIGTERM'));
    const second = await startTracker(owner);
    const other = await startTracker(owner, '--session', 'Other');
    const teams = [first, second, other].map(({ invite }) => parseInvite(invite));
    assert.equal(teams[0]?.team.id, teams[1]?.team.id);
    assert.equal(teams[0]?.fingerprint, teams[1]?.fingerprint);
    assert.notEqual(teams[0]?.team.id, teams[2]?.team.id);
    const folder = join(dataFolder(owner), 'tracker');
    for (const name of readdirSync(folder).filter((one) => one.startsWith('session-')))
      if (process.platform !== 'win32')
        assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  });

  it('is found in the network when its tracker has moved, unless it is not announced', async () => {
    const [owner, bob] = [newUser(), newUser()];
    const { port } = await newLan();
    const first = await startTracker(owner);
    first.tracker.child.kill('SIGTERM');
    await first.tracker.exited;
    const holder = await occupyPort(cleanup, Number(first.address.split(':')[1]));
    assert.ok(holder > 0);
    const file = receive(bob, first.invite);
    const list = (): ReturnType<typeof finish> =>
      finish(bob, 'list', '--invite-file', file, '--lan-port', `${port}`);
    const silent = await startTracker(owner, '--announce-port', `${port}`, '--no-announce');
    assert.equal((await list()).code, 1);
    silent.tracker.child.kill('SIGTERM');
    await silent.tracker.exited;
    const second = await startTracker(owner, '--announce-port', `${port}`);
    assert.notEqual(second.address, first.address);
    const listed = await list();
    assert.equal(listed.code, 0, listed.err);
    assert.equal(listed.out, '');
  });

  it('shows no key in what it prints, in the list of processes, or when it is told to log', async () => {
    const [owner, bob] = [newUser(), newUser()];
    const inviteFile = join(owner.folder, 'invite.txt');
    const tracker = startCommand(
      cleanup,
      owner,
      ...['tracker', '--port', '0', '--invite-file', inviteFile],
    );
    await tracker.printed(/^listening on \S+\nthe invite is in .*invite\.txt\n/u);
    if (process.platform !== 'win32') assert.equal(statSync(inviteFile).mode & 0o777, 0o600);
    const invite = readFileSync(inviteFile, 'utf8').trim();
    const listing = await finish(bob, 'list', '--verbose', '--invite-file', inviteFile);
    assert.equal(listing.code, 0, listing.err);
    const { team } = parseInvite(invite);
    const keys = deriveTeamKeys(team);
    const processes =
      process.platform === 'linux' ? execFileSync('ps', ['axeww'], { encoding: 'utf8' }) : '';
    const shown = [listing.out, listing.err, tracker.stdout(), tracker.stderr(), processes].join(
      '',
    );
    for (const key of [team.key, keys.trackerToken, keys.membershipKey, keys.proofKey])
      for (const encoding of ['base64url', 'base64', 'hex'] as const)
        assert.equal(shown.includes(key.export().toString(encoding)), false);
    assert.equal(shown.includes(invite.slice('peershelf://join/'.length)), false);
  });

  it('ends with the program that started it, however that ends', async () => {
    const owner = newUser();
    const { tracker, address, invite } = await startTracker(owner);
    tracker.child.kill('SIGKILL');
    await tracker.exited;
    // The same port is free again only when the process that had it is gone.
    const port = address.slice(address.lastIndexOf(':') + 1);
    for (;;) {
      const again = startCommand(cleanup, owner, 'tracker', '--port', port);
      const started = await Promise.race([again.printed(READY), again.exited]);
      if (typeof started === 'number') continue;
      // Signed anew each time, of the same team in the same epoch.
      const { team } = parseInvite(invite);
      const next = parseInvite(started[2] ?? '').team;
      assert.deepEqual([next.id, next.epoch], [team.id, team.epoch]);
      assert.ok(next.key.equals(team.key));
      break;
    }
  });

  it('says in one line when the port is in use', async () => {
    const owner = newUser();
    const { address } = await startTracker(owner);
    const port = address.slice(address.lastIndexOf(':') + 1);
    const second = await finish(owner, 'tracker', '--port', port, '--session', 'Other');
    assert.equal(second.code, 1);
    assert.equal(second.out, '');
    assert.match(second.err, /^error: 127\.0\.0\.1:\d+ is in use: .*--port.*\n$/u);
  });

  it('needs to know which session is meant, and says how to name one', async () => {
    const user = newUser();
    const none = await finish(user, 'list');
    assert.equal(none.code, 2);
    assert.match(none.err, /--invite-file.*PEERSHELF_INVITE.*--tracker/u);
    const both = await finish(user, 'list', '--tracker', 'x:1', '--invite-file', 'y');
    assert.equal(both.code, 2);
    const missing = await finish(user, 'list', '--invite-file', 'nowhere');
    assert.equal(missing.code, 1);
    assert.match(missing.err, /nowhere/u);
    const damaged = await finish(user, 'list', '--invite', 'peershelf://join/AQAB');
    assert.equal(damaged.code, 1);
    assert.match(damaged.err, /^peershelf: The invite is not complete/u);
  });
});
