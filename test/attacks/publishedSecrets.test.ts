// No token stands in this source as a whole: scanners of secrets look for them.
/* oxlint-disable typescript/no-unnecessary-template-expression */
import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatHostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { type CommandLineUser, dataFolder, startCommand } from '../support/commandLine';
import { startPeer } from '../support/startPeer';
import { startTracker } from '../support/startTracker';
import { temporaryFolder } from '../support/temporaryFolder';
import type { TestProcess } from '../support/startProcess';

/** Keys and tokens that leave the computer because they lie in a folder that is shared. */
describe('attacks on what a publication gives away', () => {
  const cleanup = useCleanup();
  let user: CommandLineUser;

  beforeEach(() => {
    user = { folder: temporaryFolder(cleanup), data: temporaryFolder(cleanup) };
  });

  const write = (name: string, content: string | Buffer): string => {
    const path = join(user.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  const start = (...args: string[]): TestProcess => startCommand(cleanup, user, ...args);
  /** Published files of paths, and what is said of the rest. */
  const share = async (...args: string[]): Promise<{ names: string[]; err: string }> => {
    const { address } = await startTracker(cleanup);
    const sharing = start(
      ...['share', ...args, '--tracker', formatHostPort(address), '--port', '0'],
    );
    await Promise.race([sharing.printed(/serving on /u), sharing.exited]);
    const names = [...sharing.stdout().matchAll(/^published (.+)$/gmu)].map(
      ([, name = '']) => name,
    );
    return {
      names: names.map((name) => name.slice(name.indexOf('/') + 1)).sort(),
      err: sharing.stderr(),
    };
  };
  const makeInvite = async (): Promise<void> => {
    const inviting = start(
      ...['invite', '--address', '127.0.0.1:9000', '--data', './peershelf-data'],
      ...['--verifier-file', 'verifier.json', '--invite-file', 'invite.txt'],
    );
    assert.equal(await inviting.exited, 0, inviting.stderr());
  };

  it('never offers what the program itself has written, not even with the secrets', async () => {
    await makeInvite();
    write('readme.md', 'x');
    // The same keys elsewhere, under names that say nothing.
    write('copy.txt', readFileSync(join(user.folder, 'verifier.json')));
    write('mail.md', `Join us: ${readFileSync(join(user.folder, 'invite.txt'), 'utf8')}`);
    write(
      'shell.txt',
      Buffer.from(`\ufeff${readFileSync(join(user.folder, 'invite.txt'), 'utf8')}`, 'utf16le'),
    );
    write('.peershelf-0123456789abcdef.part', 'half');
    const [session = ''] = readdirSync(join(user.folder, 'peershelf-data'));
    write('renamed.json', readFileSync(join(user.folder, 'peershelf-data', session)));
    for (const more of [[], ['--include-secrets']]) {
      const { names, err } = await share('.', ...more);
      assert.deepEqual(names, ['readme.md']);
      for (const name of ['invite.txt', 'verifier.json', 'copy.txt', 'mail.md', 'renamed.json'])
        assert.ok(err.includes(`${name} is Peershelf's own`), `${name}: ${err}`);
    }
    const { names } = await share('invite.txt', '--include-secrets');
    assert.deepEqual(names, [], 'a file that is named is not offered either');
  });

  it('never offers its own data folder', async () => {
    const own = join(dataFolder(user), 'cli');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'hashes.json'), '{}');
    writeFileSync(join(user.data, 'readme.md'), 'x');
    const { names } = await share(user.data, '--include-secrets');
    assert.deepEqual(names, ['readme.md']);
  });

  it('looks into small files, and at who may read them', async () => {
    const token = `ghp${'_'}${'aB3dE5gH7jK9'.repeat(3)}`;
    write('readme.md', 'x');
    write('notes.md', `the token is ${token}\n`);
    write('deploy.yaml', `-----BEGIN ${'PRIVATE'} KEY-----\n${'aB3d'.repeat(16)}\n`);
    write('large.log', `${token}\n`.padEnd(70_000, '.'));
    chmodSync(write('private.txt', 'x'), 0o600);
    for (const name of ['id_rsa~', 'id_rsa (2)', '#.env#', 'server.key.orig', 'Passwords.xlsx'])
      write(name, 'x');
    const isPosix = process.platform !== 'win32';
    const careful = await share('.');
    assert.deepEqual(careful.names, [
      'large.log',
      ...(isPosix ? [] : ['private.txt']),
      'readme.md',
    ]);
    assert.match(
      careful.err,
      /notes\.md holds a key or a token and is not shared\. .*--include-secrets/u,
    );
    assert.match(careful.err, /id_rsa~ has a name that files with keys or passwords have/u);
    if (isPosix) assert.match(careful.err, /private\.txt can be read by you only/u);
    const all = await share('.', '--include-secrets');
    assert.equal(all.names.length, 10);
  });

  it('holds for the selection of an editor, too', async () => {
    await makeInvite();
    write('notes.md', `AKIA${'A2B3C4D5'.repeat(2)}`);
    write('readme.md', 'x');
    const { address } = await startTracker(cleanup);
    const { peer } = await startPeer(cleanup, { tracker: address });
    const place = { path: user.folder, name: 'project' };
    const { id, firstSecrets } = await peer.findFiles({ places: [place] });
    assert.deepEqual(firstSecrets, [{ name: 'project/notes.md', kind: 'content' }]);
    const { names, failed } = await peer.publishSelection({ id, withSecrets: true });
    assert.deepEqual(names, ['project/notes.md', 'project/readme.md']);
    assert.deepEqual([...new Set(failed.map(({ error }) => error.code))], ['OWN_KEYS']);
  });
});
