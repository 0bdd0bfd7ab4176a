import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseInvite } from '../../src/protocol/invite';
import { deriveTeamKeys } from '../../src/protocol/teamKeys';
import { useCleanup } from '../support/cleanup';
import { CLI, type CommandLineUser, dataFolder, startCommand } from '../support/commandLine';
import { startProcess } from '../support/startProcess';
import { temporaryFolder } from '../support/temporaryFolder';

const ENCODINGS = ['base64url', 'base64', 'hex'] as const;
/** Files that hold secrets, as the documents say: all others hold none. */
const SECRET_FILES = /^(?:identity\.json|session-.*\.json|verifier\.json|invite\.txt)$/u;

describe('the secrets of a team, in a journey on the command line', () => {
  const cleanup = useCleanup();

  const newUser = (): CommandLineUser => ({
    folder: temporaryFolder(cleanup),
    data: temporaryFolder(cleanup),
  });
  const filesBelow = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  /** Everything that other users of this computer could see of running programs. */
  const processes = (): string =>
    process.platform === 'win32'
      ? ''
      : execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' });
  /** Every spelling in which a secret could turn up. */
  const spellings = (secret: Buffer): string[] => [
    ...ENCODINGS.map((encoding) => secret.toString(encoding).replace(/=+$/u, '')),
    secret.toString('hex').toUpperCase(),
    secret.toString('latin1'),
    JSON.stringify([...secret]).slice(1, -1),
  ];
  const privateKeyOf = (user: CommandLineUser): string => {
    const path = join(dataFolder(user), 'cli', 'identity.json');
    return (JSON.parse(readFileSync(path, 'utf8')) as { privateKey: string }).privateKey;
  };

  it('stand in the files that are for them, readable by nobody else, and nowhere else', async () => {
    const [owner, alice, bob] = [newUser(), newUser(), newUser()];
    const users = [owner, alice, bob];
    const seen: string[] = [];
    const inviteFile = join(owner.folder, 'invite.txt');
    const verifier = join(owner.folder, 'verifier.json');
    const finish = async (user: CommandLineUser, ...args: string[]): Promise<number | string> => {
      const running = startCommand(cleanup, user, ...args);
      seen.push(processes());
      const code = await running.exited;
      seen.push(running.stdout(), running.stderr());
      return code;
    };
    const session = ['--verbose', '--invite-file', inviteFile];
    const tracker = startCommand(
      cleanup,
      owner,
      ...['tracker', '--port', '0', '--invite-file', inviteFile],
    );
    await tracker.printed(/^listening on/u);
    writeFileSync(join(alice.folder, 'notes.txt'), 'for members');
    const sharing = startCommand(
      cleanup,
      alice,
      ...['share', 'notes.txt', '--port', '0', '--hostname', 'alice', ...session],
    );
    await sharing.printed(/serving on/u);
    seen.push(processes());
    assert.equal(await finish(bob, 'list', ...session), 0);
    assert.equal(await finish(bob, 'fetch', 'notes.txt', ...session), 0);
    assert.equal(await finish(bob, 'fetch', 'nothing.txt', ...session), 1);
    assert.equal(await finish(bob, 'ping', 'alice', '--json', ...session), 0);
    const text = readFileSync(inviteFile, 'utf8').trim();
    // What cannot work must not say why by what it was given.
    const wrong = [
      `${text.slice(0, -4)}AAAA`,
      text.slice(0, 60),
      text.replace('//join/A', '//join/B'),
    ];
    for (const invite of wrong) {
      const env = { PEERSHELF_INVITE: invite, XDG_DATA_HOME: bob.data, HOME: bob.data };
      const running = startProcess(cleanup, process.execPath, [CLI, 'list', '--verbose'], { env });
      assert.equal(await running.exited, 1);
      seen.push(running.stdout(), running.stderr());
    }
    const made = startCommand(
      cleanup,
      owner,
      ...['invite', '--address', '127.0.0.1:1', '--verifier-file', verifier],
    );
    assert.equal(await made.exited, 0);
    for (const running of [sharing, tracker]) {
      running.child.kill('SIGTERM');
      await running.exited;
      seen.push(running.stdout(), running.stderr());
    }

    const { team } = parseInvite(text);
    const { trackerToken, membershipKey, proofKey } = deriveTeamKeys(team);
    const keys = [team.key, trackerToken, membershipKey, proofKey].map((key) => key.export());
    const secrets = [
      ...keys.flatMap(spellings),
      ...[privateKeyOf(alice), privateKeyOf(bob)],
      text.slice('peershelf://join/'.length),
    ];
    const assertNone = (place: string, content: string): void =>
      secrets.forEach((secret) => assert.equal(content.includes(secret), false, place));
    seen.forEach((content) => assertNone('what was printed, and the list of processes', content));
    const files = users.flatMap(({ folder, data }) => [folder, data].flatMap(filesBelow));
    assert.ok(files.some((file) => SECRET_FILES.test(basename(file))));
    for (const file of files) {
      const content = readFileSync(file, 'latin1');
      if (!SECRET_FILES.test(basename(file))) assertNone(file, content);
      else if (process.platform !== 'win32')
        assert.equal((statSync(file).mode & 0o777).toString(8), '600', file);
    }
    const kept = readFileSync(verifier, 'latin1');
    keys.flatMap(spellings).forEach((secret) => assert.equal(kept.includes(secret), false));
  }).timeout(60_000);
});
