import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseInvite } from '../../src/protocol/invite';
import { useCleanup } from '../support/cleanup';
import { type CommandLineUser, dataFolder, startCommand } from '../support/commandLine';
import { temporaryFolder } from '../support/temporaryFolder';

const READY = /^listening on (\S+)\nthe invite is in /u;

describe('owners on the command line', () => {
  const cleanup = useCleanup();
  const newUser = (): CommandLineUser => ({
    folder: temporaryFolder(cleanup),
    data: temporaryFolder(cleanup),
  });
  const run = async (user: CommandLineUser, ...args: string[]) => {
    const running = startCommand(cleanup, user, ...args);
    const code = await running.exited;
    return { code, out: running.stdout(), err: running.stderr() };
  };
  const succeed = async (user: CommandLineUser, ...args: string[]): Promise<string> => {
    const { code, out, err } = await run(user, ...args);
    assert.equal(code, 0, `${args.join(' ')}: ${err}`);
    return out;
  };

  const startSession = async (
    owner: CommandLineUser,
  ): Promise<{ invite: string; at: string[] }> => {
    const invite = join(owner.folder, 'invite.txt');
    const started = startCommand(
      ...([cleanup, owner, 'tracker', '--port', '0', '--invite-file', invite] as const),
    );
    const [, address = ''] = await started.printed(READY);
    return { invite, at: ['--address', address] };
  };
  const share = async (user: CommandLineUser, name: string, invite: string): Promise<void> => {
    writeFileSync(join(user.folder, `${name}.txt`), name);
    const sharing = startCommand(
      ...([cleanup, user, 'share', `${name}.txt`, '--port', '0', '--hostname', name] as const),
      ...['--invite-file', invite],
    );
    await sharing.printed(/serving on /u);
  };

  it('that run at once on one computer remove all whom they name, and keep the key', async function () {
    this.timeout(300_000);
    const [owner, bob, mallory, carol] = [newUser(), newUser(), newUser(), newUser()];
    const { invite, at } = await startSession(owner);
    await share(bob, 'bob', invite);
    await share(mallory, 'mallory', invite);
    const both = await Promise.all([
      run(owner, 'remove', 'bob', ...at, '--yes'),
      run(owner, 'remove', 'mallory', ...at, '--yes'),
    ]);
    for (const { code, err } of both) assert.equal(code, 0, err);
    await succeed(owner, 'owner', 'renew', ...at);
    await succeed(owner, 'invite', ...at, '--invite-file', invite);
    for (const user of [bob, mallory])
      assert.match((await run(user, 'list', '--invite-file', invite)).err, /removed you/u);
    await succeed(carol, 'list', '--invite-file', invite);
  });

  it('whose keys are restored from a backup start their tracker, and go on', async function () {
    this.timeout(300_000);
    const owner = newUser();
    const invite = join(owner.folder, 'invite.txt');
    const startTracker = async (printed: RegExp) => {
      const started = startCommand(
        ...([cleanup, owner, 'tracker', '--port', '0', '--invite-file', invite] as const),
      );
      const [, address = ''] = await started.printed(printed);
      const stop = async (): Promise<void> => {
        started.child.kill('SIGTERM');
        await started.exited;
      };
      return { stop, started, renew: ['invite', '--renew', '--address', address] };
    };
    const first = await startTracker(READY);
    const folder = dataFolder(owner);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const name = files.find((file) => /session-[0-9a-f]{32}\.json$/u.test(file)) ?? assert.fail();
    const backup = readFileSync(join(folder, name));
    await succeed(owner, ...first.renew);
    await first.stop();

    writeFileSync(join(folder, name), backup);
    writeFileSync(invite, '');
    const restored = await startTracker(/^listening on (\S+)\n/u);
    assert.equal(readFileSync(invite, 'utf8'), '', 'an invite of an ended epoch opens nothing');
    await succeed(owner, ...restored.renew);
    await restored.stop();
    assert.match(restored.started.stderr(), /invite --renew/u);
    await (await startTracker(READY)).stop();
    assert.equal(parseInvite(readFileSync(invite, 'utf8')).team.epoch, 3);
  });

  it('that list members list their own user, and can open the session again', async function () {
    this.timeout(300_000);
    const [owner, bob, mallory] = [newUser(), newUser(), newUser()];
    const { invite, at } = await startSession(owner);
    await share(bob, 'bob', invite);
    await succeed(owner, 'members', 'allow', 'bob', ...at);
    assert.equal((await run(mallory, 'list', '--invite-file', invite)).code, 1);
    await succeed(owner, 'members', 'allow', 'bob', ...at);
    // Somebody who has never been here, and nobody who has to be asked for.
    await succeed(owner, 'members', 'allow', '1'.repeat(64), ...at);
    await succeed(owner, 'members', 'open', ...at);
    await succeed(mallory, 'list', '--invite-file', invite);
  });

  it('are added, export and import their keys, and remove whom they choose', async function () {
    // Some twenty programs, each of which loads everything.
    this.timeout(300_000);
    const [first, second, mallory, elsewhere] = [newUser(), newUser(), newUser(), newUser()];
    const { invite, at } = await startSession(first);
    await share(second, 'second', invite);
    await share(mallory, 'mallory', invite);

    const passphrase = join(first.folder, 'passphrase');
    writeFileSync(passphrase, 'a long enough passphrase\n');
    const exported = join(first.folder, 'owner.export');
    const under = ['--passphrase-file', passphrase];
    await succeed(first, 'owner', 'export', exported, ...under);
    if (process.platform !== 'win32') assert.equal(statSync(exported).mode & 0o777, 0o600);

    const [key = ''] = (await succeed(second, 'owner', 'key')).split('\n');
    const undecided = await run(first, 'owner', 'add', key, ...at);
    assert.equal(undecided.code, 1);
    assert.match(undecided.err, /mallory[^]*--keep/u);
    const mistyped = await run(first, 'owner', 'add', key, ...at, '--keep', 'sceond');
    assert.equal(mistyped.code, 1);
    assert.match(mistyped.err, /sceond/u);
    await succeed(first, 'owner', 'add', key, ...at, '--yes');
    await succeed(first, 'invite', ...at, '--invite-file', invite);
    await succeed(second, 'owner', 'join', '--invite-file', invite);
    assert.match(await succeed(second, 'remove', 'mallory', ...at, '--yes'), /^removed mallory/u);
    const listed = await run(mallory, 'list', '--invite-file', invite);
    assert.match(listed.err, /removed you/u);

    const wrong = join(first.folder, 'wrong');
    writeFileSync(wrong, 'another long passphrase\n');
    const refused = await run(elsewhere, 'owner', 'import', exported, '--passphrase-file', wrong);
    assert.match(refused.err, /passphrase is wrong/u);
    await succeed(elsewhere, 'owner', 'import', exported, ...under);
    const twice = await run(elsewhere, 'owner', 'import', exported, ...under);
    assert.match(twice.err, /kept here already/u);
    await succeed(elsewhere, 'owner', 'renew', ...at);
    const still = await run(mallory, 'list', '--invite-file', invite);
    assert.match(still.err, /removed you/u);
  });
});
