// No token stands in this source as a whole: scanners of secrets look for them.
/* oxlint-disable typescript/no-unnecessary-template-expression */
import { strict as assert } from 'node:assert';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { FOLDER_MARK } from '../../src/common/privateFiles';
import {
  createSessionRecord,
  formatSessionRecord,
  withoutMembers,
} from '../../src/peer/team/sessionRecord';
import { formatHostPort } from '../../src/protocol/address';
import { useCleanup } from '../support/cleanup';
import { type CommandLineUser, dataFolder, startCommand } from '../support/commandLine';
import { makeAccount } from '../support/otherAccount';
import { startPeer, startPeerOf } from '../support/startPeer';
import { notTestedHere } from '../support/swapPaths';
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

  it('never offers what another program of its user keeps, nor a copy of that', async () => {
    const storage = join(user.folder, 'storage');
    const tracker = (await startTracker(cleanup)).address;
    const alice = await startPeerOf(cleanup, 'Alice', tracker);
    await alice.publish('pay.txt', 'Alice earns 1');
    const bob = await startPeer(cleanup, {
      ...{ tracker, storageFolder: storage },
      settings: { hostname: 'bob', displayName: 'Bob' },
    });
    await bob.publish('mine.txt', 'x');
    const [file] = await bob.peer.discover({ hostname: 'alice' });
    assert.ok(file);
    const { path: preview } = await bob.peer.preview(file);
    await bob.peer.stop();
    cpSync(storage, join(user.folder, 'copy'), { recursive: true });
    // Files alone, in the usual mode and under names that say nothing.
    const isJson = (name: string): boolean => name.endsWith('.json');
    const records = readdirSync(storage, { recursive: true, encoding: 'utf8' }).filter(isJson);
    assert.ok(records.length > 1, records.join(' '));
    for (const [index, name] of records.entries())
      write(`record${index}.txt`, readFileSync(join(storage, name)));
    const others = readdirSync(user.folder, { recursive: true, encoding: 'utf8' });
    for (const name of others)
      chmodSync(
        join(user.folder, name),
        statSync(join(user.folder, name)).isFile() ? 0o644 : 0o755,
      );
    write('readme.md', 'x');
    assert.deepEqual((await share('.', '--include-secrets')).names, ['readme.md']);
    const alone = await share(preview, '--include-secrets');
    assert.deepEqual(alone.names, [], alone.err);
  });

  it('takes no mark of another account for its own', async () => {
    const account = makeAccount(cleanup);
    if (typeof account === 'string') {
      notTestedHere('another account', account);
      return;
    }
    write('readme.md', 'x');
    const mark = write(FOLDER_MARK, 'x');
    assert.deepEqual((await share('.')).err.match(/readme\.md is Peershelf's own/gu)?.length, 1);
    chownSync(mark, account.uid, account.gid);
    assert.ok((await share('.')).names.includes('readme.md'));
  });

  it('knows the record of a session that has removed many, and an invite in wide letters', async () => {
    const now = new Date();
    const removed = Array.from({ length: 900 }, (_, index) => `${index}`.padStart(64, '0'));
    const record = withoutMembers(await createSessionRecord('Team', now), {
      ...{ removed, recipients: [], now },
    });
    const text = formatSessionRecord(record);
    assert.ok(text.length > 64 * 1024);
    write('long.txt', text);
    const invite = `peershelf://join/${'aB3d'.repeat(30)}`;
    write('wide.txt', Buffer.from(invite, 'utf16le'));
    write('chat.log', `${'.'.repeat(2 * 1024 * 1024)}${invite}\n`);
    write('readme.md', 'x');
    assert.deepEqual((await share('.', '--include-secrets')).names, ['readme.md']);
  });

  it('looks into files, and at who may read them', async () => {
    const token = `ghp${'_'}${'aB3dE5gH7jK9'.repeat(3)}`;
    write('readme.md', 'x');
    write('notes.md', `the token is ${token}\n`);
    write('deploy.yaml', `-----BEGIN ${'PRIVATE'} KEY-----\n${'aB3d'.repeat(16)}\n`);
    write('long.log', `${'.'.repeat(70_000)} ${token}\n`.padEnd(140_000, '.'));
    // Nobody looks into the middle of data.
    write('large.log', ` ${token} `.padStart(1_100_000, '.').padEnd(2_200_000, '.'));
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
    assert.equal(all.names.length, 11);
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
