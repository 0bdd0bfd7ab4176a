import { strict as assert } from 'node:assert';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { cwd } from 'node:process';
import { Cleanup } from '../../scripts/host/cleanup';
import { readInviteText } from '../../src/common/inviteFile';
import { startCommand } from '../support/commandLine';
import { makeAccount } from '../support/otherAccount';
import { notTestedHere } from '../support/swapPaths';
import { temporaryFolder } from '../support/temporaryFolder';

describe('a file with an invite that others can write', () => {
  const cleanup = new Cleanup();
  let path: string;

  before(function () {
    // Modes say nothing on Windows.
    if (process.platform === 'win32') this.skip();
  });
  afterEach(() => cleanup.run());
  beforeEach(() => {
    path = join(temporaryFolder(cleanup), 'own', 'invite.txt');
    mkdirSync(dirname(path), { mode: 0o700 });
    writeFileSync(path, 'an invite', { mode: 0o600 });
  });

  const read = (from = path): string => readInviteText(from, { maxBytes: 100, mustBeOwn: true });
  const isRefusedFor = (place: string, from = path): void =>
    assert.throws(
      () => read(from),
      (error: { code: string; details: { place: string } }) =>
        error.code === 'INVITE_FILE_UNSAFE' && error.details.place === place,
    );

  it('is read as long as it is its user alone who can, also where everybody may read it', () => {
    assert.equal(read(), 'an invite');
    chmodSync(path, 0o644);
    chmodSync(dirname(path), 0o755);
    assert.equal(read(), 'an invite');
  });

  it('is refused for its own mode and for that of any folder above it', () => {
    chmodSync(path, 0o666);
    isRefusedFor(path);
    chmodSync(path, 0o600);
    chmodSync(dirname(path), 0o777);
    isRefusedFor(dirname(path));
    chmodSync(dirname(path), 0o700);
    const above = dirname(dirname(path));
    chmodSync(above, 0o777);
    isRefusedFor(above);
    // As /tmp: others may put files there, but not rename what is somebody else's.
    chmodSync(above, 0o1777);
    assert.equal(read(), 'an invite');
  });

  it('is refused for where a link leads, too', () => {
    const link = join(dirname(path), 'link');
    const shared = join(dirname(dirname(path)), 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    writeFileSync(join(shared, 'invite'), 'forged', { mode: 0o600 });
    symlinkSync(join(shared, 'invite'), link);
    isRefusedFor(shared, link);
  });

  it('is refused for every folder in which a link lies that leads to it', () => {
    const shared = join(dirname(dirname(path)), 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    for (const [name, target] of [
      ['file', path],
      ['folder', dirname(path)],
    ] as const)
      symlinkSync(target, join(shared, name));
    // Whoever may write there has chosen which of the user's files is read.
    isRefusedFor(shared, join(shared, 'file'));
    isRefusedFor(shared, join(shared, 'folder', 'invite.txt'));
    const own = join(dirname(path), 'link');
    symlinkSync(join(shared, 'file'), own);
    isRefusedFor(shared, own);
    chmodSync(shared, 0o755);
    assert.equal(read(own), 'an invite');
  });

  it('is refused for the folder that the system goes back from, not the one that is written', () => {
    const above = dirname(dirname(path));
    const shared = join(above, 'shared');
    mkdirSync(join(shared, 'inner'), { recursive: true });
    chmodSync(shared, 0o777);
    writeFileSync(join(shared, 'invite.txt'), 'forged', { mode: 0o600 });
    const link = join(dirname(path), 'link');
    symlinkSync(join(shared, 'inner'), link);
    isRefusedFor(shared, `${link}/../invite.txt`);
    // Another one: the way back is in a link itself.
    symlinkSync('link/../invite.txt', join(dirname(path), 'second'));
    isRefusedFor(shared, join(dirname(path), 'second'));
    symlinkSync('./link/..//invite.txt', join(dirname(path), 'third'));
    isRefusedFor(shared, join(dirname(path), 'third'));
    assert.equal(read(`${dirname(path)}/./../own//invite.txt`), 'an invite');
    assert.equal(read(relative(cwd(), path)), 'an invite');
  });

  it('is refused for a link of another account, also where nobody else may rename it', () => {
    const account = makeAccount(cleanup);
    if (typeof account === 'string') {
      notTestedHere('another account', account);
      return;
    }
    const shared = join(dirname(dirname(path)), 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const link = join(shared, 'link');
    symlinkSync(path, link);
    assert.equal(read(link), 'an invite');
    lchownSync(link, account.uid, account.gid);
    isRefusedFor(link, link);
  });

  it('is refused when it is another account whose file or folder it is', () => {
    const account = makeAccount(cleanup);
    if (typeof account === 'string') {
      notTestedHere('another account', account);
      return;
    }
    chownSync(path, account.uid, account.gid);
    isRefusedFor(path);
    chownSync(path, 0, account.gid);
    chmodSync(path, 0o660);
    isRefusedFor(path);
    chmodSync(path, 0o600);
    chownSync(dirname(path), account.uid, account.gid);
    isRefusedFor(dirname(path));
  });

  it('joins no other team on the command line than by the same file before', async () => {
    const user = { folder: dirname(path), data: temporaryFolder(cleanup) };
    const startTracker = async (file: string): Promise<void> => {
      const owner = { folder: dirname(path), data: temporaryFolder(cleanup) };
      const args = ['tracker', '--port', '0', '--session', file, '--invite-file', file];
      await startCommand(cleanup, owner, ...args).printed(/^listening on \S+\n/u);
    };
    await startTracker('first.txt');
    await startTracker('second.txt');
    const list = async (): Promise<string> => {
      const listing = startCommand(cleanup, user, 'list', '--invite-file', path);
      return (await listing.exited) === 0 ? 'joined' : listing.stderr();
    };
    const put = (from: string): void =>
      writeFileSync(path, readFileSync(join(dirname(path), from), 'utf8'));
    put('first.txt');
    assert.equal(await list(), 'joined');
    put('second.txt');
    assert.match(
      await list(),
      /of another team .*second\.txt.*fingerprint (?:[a-z2-7]{4}-){4}[a-z2-7]{4}\./u,
    );
    put('first.txt');
    assert.equal(await list(), 'joined');
  });

  it('joins nothing on the command line, which says why and what to do', async () => {
    chmodSync(path, 0o666);
    const user = { folder: dirname(path), data: temporaryFolder(cleanup) };
    const listing = startCommand(cleanup, user, 'list', '--invite-file', path);
    assert.equal(await listing.exited, 1);
    assert.match(listing.stderr(), /Other accounts can write .*invite\.txt.*chmod go-w/u);
  });
});
