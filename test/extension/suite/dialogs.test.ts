import * as assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { PeershelfError } from '../../../src/common/errors';
import { Emitter } from '../../../src/common/events';
import { nullLogger } from '../../../src/common/logger';
import { ensureDisplayName } from '../../../src/editor/displayName';
import { Comparing } from '../../../src/editor/comparing';
import { placeFor } from '../../../src/editor/destinations';
import type { Engine } from '../../../src/editor/engine';
import { FetchRecord } from '../../../src/editor/fetchRecord';
import { Fetching } from '../../../src/editor/fetching';
import { Invitations, type InvitationsDependencies } from '../../../src/editor/invitations';
import { OfferingFetched } from '../../../src/editor/offeringFetched';
import { notify, onActionFailed } from '../../../src/editor/notifier';
import { Publishing } from '../../../src/editor/publishing';
import { tellNotice } from '../../../src/editor/startup';
import type {
  FetchRequest,
  FileDuplicates,
  FileSelection,
  FindFilesRequest,
  NetworkFile,
  Reachability,
  SelectionWish,
} from '../../../src/peer/peerApi';
import { formatInvite, formatInviteLink } from '../../../src/protocol/invite';
import { Cleanup } from '../../../scripts/host/cleanup';
import { rejectsWith } from '../../support/rejectsWith';
import { ONE_FILE, ONE_SECRET, SEVERAL_SECRETS } from '../../support/selections';
import { newInvite } from '../../support/teams';
import { eventually } from '../../support/waitFor';

/** What the user is asked, with answers that a test gives instead. */
describe('questions to the user', () => {
  const cleanup = new Cleanup();
  let folder: vscode.Uri;

  before(() => {
    folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? assert.fail('no folder');
  });
  afterEach(() => cleanup.run());

  /** Answers instead of the user, in the copy of the API that only the tests have. */
  const instead = <T extends object>(api: T, name: keyof T, answer: unknown): unknown[][] => {
    const asked: unknown[][] = [];
    const real = api[name];
    const fake = (...args: unknown[]): Promise<unknown> => {
      asked.push(args);
      return Promise.resolve(answer);
    };
    Object.assign(api, { [name]: fake });
    cleanup.add(() => void Object.assign(api, { [name]: real }));
    return asked;
  };
  const file = (name: string): NetworkFile => ({
    name,
    hostname: 'bob',
    displayName: 'Bob',
    sizeBytes: 1,
    modifiedMs: 0,
    publishedAtMs: 0,
  });
  const createFetching = (): { fetching: Fetching; requests: FetchRequest[] } => {
    const requests: FetchRequest[] = [];
    const fetch = (request: FetchRequest): Promise<object> => {
      requests.push(request);
      return Promise.resolve({ outcome: 'fetched', path: request.destination, displayName: 'Bob' });
    };
    const networkRows = (): Promise<object> => Promise.resolve({ rows: [], total: 0 });
    const engine = { calls: { fetch, networkRows } } as unknown as Engine;
    const record = new FetchRecord({ get: () => [], update: () => Promise.resolve() });
    const comparing = new Comparing(record);
    const onFetched = (): void => undefined;
    const fetching = new Fetching({ engine, logger: nullLogger, comparing, record, onFetched });
    return { fetching, requests };
  };
  const createPublishing = (
    duplicates: readonly FileDuplicates[] = [],
    found: FileSelection = ONE_FILE,
    reachability: Reachability = { kind: 'unknown' },
  ): { publishing: Publishing; requests: FindFilesRequest[]; wishes: SelectionWish[] } => {
    const requests: FindFilesRequest[] = [];
    const wishes: SelectionWish[] = [];
    const calls = {
      findFiles: (request: FindFilesRequest) => {
        requests.push(request);
        return Promise.resolve(found);
      },
      compareSelection: () =>
        Promise.resolve({ files: 1, count: duplicates.length, first: duplicates }),
      publishSelection: (wish: SelectionWish) => {
        wishes.push(wish);
        return Promise.resolve({ published: 1, names: ['x'], failed: [], failedCount: 0 });
      },
    };
    const publishing = new Publishing({
      engine: { calls, state: { reachability } } as unknown as Engine,
      logger: nullLogger,
      ensureConnected: () => Promise.resolve(true),
    });
    return { publishing, requests, wishes };
  };

  it('says of what it publishes that others cannot reach this computer, when that is known', async () => {
    const told = instead(vscode.window, 'showWarningMessage', undefined);
    const uri = vscode.Uri.joinPath(folder, 'alone.txt');
    await vscode.workspace.fs.writeFile(uri, Buffer.from('alone'));
    const { publishing, wishes } = createPublishing([], ONE_FILE, {
      kind: 'unreachable',
      port: 6000,
    });
    await publishing.publish([uri]);
    await eventually(() => wishes.length === 1 || undefined, 'the publication');
    await eventually(() => told.length === 1 || undefined, 'the message');
    assert.match(String(told[0]?.[0]), /^Published x, but others cannot reach this computer\./u);
  });

  it('offers a safe name to save a file whose own name is none', async () => {
    const asked = instead(vscode.window, 'showSaveDialog', undefined);
    for (const name of ['../..', 'docs//plan.md', '/etc/passwd', 'C:\\x'])
      await createFetching().fetching.fetchTo(file(name));
    const offered = asked.map(
      ([options]) => (options as vscode.SaveDialogOptions).defaultUri?.path.split('/').at(-1) ?? '',
    );
    assert.deepEqual(offered, ['file', 'plan.md', 'passwd', 'x']);
  });

  it('names the folder of an owner by what can be a name of one, wherever names clash', async () => {
    for (const [displayName, hostname, expected, risk] of [
      ['Bob', 'bob', 'Bob', undefined],
      ['a/b\\c', 'bob', 'a_b_c', undefined],
      ['..', 'bob', 'bob', undefined],
      ['x\u202ey', '\n', 'other', undefined],
      ['.git', 'bob', '.git', 'shared/.git/x'],
    ] as const) {
      const place = await placeFor({ ...file('x'), displayName, hostname }, true);
      assert.equal(place?.destination, join(folder.fsPath, 'shared', expected, 'x'));
      assert.equal(place.risk, risk);
    }
  });

  it('fetches into a folder of the workspace only, and asks where programs would run', async () => {
    const asked = instead(vscode.window, 'showWarningMessage', undefined);
    const { fetching, requests } = createFetching();
    const here = vscode.Uri.joinPath(folder, 'here');
    await fetching.fetchInto(here, file('deep/in/x.txt'));
    await fetching.fetchInto(vscode.Uri.joinPath(folder, '.vscode'), file('deep/tasks.json'));
    assert.deepEqual(
      requests.map((request) => [request.destination, request.folder]),
      [[join(here.fsPath, 'x.txt'), folder.fsPath]],
    );
    assert.match(String(asked[0]?.[0]), /Fetch \.vscode\/tasks\.json from Bob/u);
    const outside = vscode.Uri.joinPath(folder, '..');
    await rejectsWith('OUTSIDE_FOLDER', fetching.fetchInto(outside, file('x.txt')));
    await rejectsWith('INVALID_NAME', fetching.fetchInto(here, file('..')));
    assert.equal(requests.length, 1);
  });

  it('offers what was fetched when that was wished for, until the session ends', () => {
    const changed = new Emitter<'connection'>();
    const state = { connection: { kind: 'connected' } };
    const offered: (readonly string[])[] = [];
    const offering = new OfferingFetched({
      engine: { onDidChange: changed.event, state } as unknown as Engine,
      publishing: {
        offerFetched: (paths) => {
          offered.push(paths);
          return Promise.resolve();
        },
      },
      runner: { run: (_what, task) => Promise.resolve(task()) },
    });
    cleanup.add(() => offering.dispose());
    offering.onFetched(['/before']);
    offering.set(true);
    changed.fire('connection');
    offering.onFetched(['/a', '/b']);
    state.connection.kind = 'disconnected';
    changed.fire('connection');
    offering.onFetched(['/after']);
    assert.deepEqual(offered, [['/a', '/b']]);
  });

  it('saves to nothing but a disk', async () => {
    const elsewhere = vscode.Uri.parse('vscode-vfs://github/x');
    instead(vscode.window, 'showSaveDialog', elsewhere);
    const told = instead(vscode.window, 'showErrorMessage', undefined);
    const { fetching, requests } = createFetching();
    await fetching.fetchTo(file('x'));
    assert.deepEqual(requests, []);
    assert.match(String(told[0]?.[0]), /only be saved to a disk/u);
  });

  it('asks before it replaces a file that an editor has changed', async () => {
    const uri = vscode.Uri.joinPath(folder, 'unsaved.txt');
    await vscode.workspace.fs.writeFile(uri, Buffer.from('saved'));
    const editor = await vscode.window.showTextDocument(uri);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'not '));
    cleanup.add(() =>
      vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor'),
    );
    instead(vscode.window, 'showSaveDialog', uri);
    const asked = instead(vscode.window, 'showQuickPick', undefined);
    const { fetching, requests } = createFetching();
    await fetching.fetchTo(file('unsaved.txt'));
    const [, { title }] = asked[0] as [unknown, vscode.QuickPickOptions];
    assert.match(title ?? '', /unsaved\.txt has unsaved changes/u);
    assert.deepEqual(requests, []);
  });

  it('publishes what others offer already only when that is wished for', async () => {
    const uri = vscode.Uri.joinPath(folder, 'twice.txt');
    await vscode.workspace.fs.writeFile(uri, Buffer.from('twice'));
    const other = { hostname: 'bob', displayName: 'Bob $(x)', name: 'other.txt' };
    const duplicates = [{ name: 'twice.txt', sameContent: [other], sameName: [] }];
    const dismissed = createPublishing(duplicates);
    const asked = instead(vscode.window, 'showWarningMessage', undefined);
    await dismissed.publishing.publish([uri]);
    assert.deepEqual(asked, [
      ['Bob $ (x) offers the content of twice.txt as other.txt.', 'Publish Anyway', 'Fetch Theirs'],
    ]);
    assert.deepEqual(dismissed.wishes, []);

    instead(vscode.window, 'showWarningMessage', 'Publish Anyway');
    const wished = createPublishing(duplicates);
    await wished.publishing.publish([uri]);
    await eventually(() => wished.wishes.length === 1 || undefined, 'the publication');
  });

  it('offers to save an untitled editor, and publishes the file', async () => {
    const saved = vscode.Uri.joinPath(folder, 'titled.txt');
    const document = await vscode.workspace.openTextDocument({ content: 'draft' });
    const asked = instead(vscode.workspace, 'saveAs', saved);
    const { publishing, requests } = createPublishing();
    await publishing.publish([document.uri]);
    assert.equal(asked.length, 1);
    assert.deepEqual(
      requests.map(({ places }) => places.map(({ path }) => path)),
      [[join(folder.fsPath, 'titled.txt')]],
    );
  });

  it('publishes nothing when the untitled editor is not saved', async () => {
    const document = await vscode.workspace.openTextDocument({ content: 'draft' });
    instead(vscode.workspace, 'saveAs', undefined);
    const { publishing, requests } = createPublishing();
    await rejectsWith('CANCELLED', publishing.publish([document.uri]));
    assert.deepEqual(requests, []);
  });

  it('publishes and fetches nothing where there is no disk, and saves nothing for it', async () => {
    const virtual = vscode.Uri.parse('fixture:/folder/a.txt');
    const { publishing, requests } = createPublishing();
    const document = await vscode.workspace.openTextDocument({ content: 'draft' });
    // Of an untitled editor nobody knows before where it goes.
    instead(vscode.workspace, 'saveAs', virtual);
    await rejectsWith('NOT_ON_DISK', publishing.publish([document.uri]));
    await rejectsWith('NOT_ON_DISK', publishing.publish([virtual]));
    assert.deepEqual(requests, []);
    await rejectsWith('NOT_ON_DISK', createFetching().fetching.fetchInto(virtual, file('x.txt')));
  });

  it('tells in one message which files were deleted and are published no more', () => {
    const shown = instead(vscode.window, 'showInformationMessage', undefined);
    for (const names of [['a.txt'], ['b.txt', 'c.txt', 'd.txt'], []])
      tellNotice({ kind: 'unpublishedMissing', names });
    assert.deepEqual(
      shown.map(([text]) => text),
      [
        'a.txt is gone from its place and is not published any more.',
        '3 files are gone from their places and are not published any more, b.txt among them.',
      ],
    );
  });

  it('asks for a name once, where the one of the machine says nothing', async () => {
    const settings = (): vscode.WorkspaceConfiguration =>
      vscode.workspace.getConfiguration('peershelf');
    cleanup.add(() =>
      settings().update('displayName', undefined, vscode.ConfigurationTarget.Global),
    );
    await settings().update('displayName', undefined, vscode.ConfigurationTarget.Global);
    const asked = instead(vscode.window, 'showInputBox', ' Alice ');
    assert.equal(await ensureDisplayName('alice'), true);
    assert.equal(asked.length, 0);
    assert.equal(await ensureDisplayName('root'), true);
    assert.equal(await ensureDisplayName('root'), true);
    assert.equal(asked.length, 1);
    assert.match((asked[0]?.[0] as vscode.InputBoxOptions).value ?? '', /^root \(/u);
    assert.equal(settings().get('displayName'), 'Alice');
  });

  it('joins nothing when the question for a name is not answered', async () => {
    instead(vscode.window, 'showInputBox', undefined);
    assert.equal(await ensureDisplayName('root'), false);
  });

  it('joins a session that was found with the invite that is kept of it, and asks nothing', async () => {
    const invite = (fingerprint: string): string =>
      formatInvite(
        newInvite({
          ...{ sessionName: 'Kept', addresses: [{ host: '192.0.2.1', port: 9000 }] },
          fingerprint,
        }),
      );
    const targets = {
      other: { team: 'other', name: 'Other', invite: invite('b'.repeat(64)) },
      kept: { team: 'kept', name: 'Kept', invite: invite('a'.repeat(64)) },
    };
    const membership = {
      known: ['gone', 'other', 'kept'].map((team) => ({ team, name: team })),
      recall: ({ team }: { team: string }) =>
        team in targets
          ? Promise.resolve(targets[team as keyof typeof targets])
          : Promise.reject(new PeershelfError('SESSION_KEYS_MISSING', 'forgotten')),
    };
    const joined: unknown[] = [];
    const session = {
      team: undefined,
      join: (target: unknown) => joined.push(target),
      offered: () => Promise.resolve(0),
    };
    const dependencies = { session, membership } as unknown as InvitationsDependencies;
    instead(vscode.window, 'showInputBox', 'Me');
    const settings = vscode.workspace.getConfiguration('peershelf');
    cleanup.add(() => settings.update('displayName', undefined, vscode.ConfigurationTarget.Global));
    instead(vscode.window, 'showInformationMessage', undefined);
    // Whatever it is called where it was found.
    const found = { sessionName: 'Lie', fingerprint: 'a'.repeat(64), addresses: [] };
    await new Invitations(dependencies).joinFound(found);
    assert.deepEqual(joined, [targets.kept]);
  });

  it('asks before a link does anything, with everything of others made harmless', async () => {
    const asked = instead(vscode.window, 'showWarningMessage', undefined);
    const joined: unknown[] = [];
    const session = {
      team: undefined,
      join: (target: unknown) => joined.push(target),
      offered: () => Promise.resolve(0),
    };
    const engine = { calls: { countKept: () => Promise.resolve(2) } };
    const invitations = new Invitations({ engine, session } as unknown as InvitationsDependencies);
    const link = (sessionName: string): vscode.Uri =>
      vscode.Uri.parse(
        formatInviteLink(
          newInvite({
            sessionName,
            addresses: [{ host: '192.0.2.1', port: 9000 }],
            fingerprint: 'a'.repeat(64),
          }),
          'vscode',
        ),
      );
    await invitations.openLink(link('[x](command:workbench.action.quit) $(error)'));
    const [[question, options]] = asked as [[string, vscode.MessageOptions]];
    assert.equal(
      question,
      'Join the team session "[x] (command:workbench.action.quit) $ (error)"?',
    );
    assert.equal(options.modal, true);
    assert.match(
      options.detail ?? '',
      /192\.0\.2\.1:9000[^]*2 files that you published[^]*Nothing new is shared until you publish/u,
    );
    assert.deepEqual(joined, []);
    await rejectsWith(
      'INVITE_NOT_FOUND',
      invitations.openLink(vscode.Uri.parse('vscode://peershelf.peershelf/other')),
    );
    await rejectsWith(
      'INVITE_DAMAGED',
      invitations.openLink(vscode.Uri.parse('vscode://peershelf.peershelf/join?invite=AAAAAAAA')),
    );
  });

  it('asks before it publishes what looks like a secret, and names it', async () => {
    const uri = vscode.Uri.joinPath(folder, 'twice.txt');
    const asked = instead(vscode.window, 'showWarningMessage', undefined);
    const refused = [ONE_SECRET, SEVERAL_SECRETS].map((one) => createPublishing([], one));
    for (const { publishing } of refused) await publishing.publish([uri]);
    assert.deepEqual(
      refused.map(({ wishes }) => wishes),
      [[], []],
    );
    assert.match(String(asked[0]?.[0]), /^\.env \$ \(x\) has a name .* Publish it\?$/u);
    assert.deepEqual(asked[0]?.slice(2), ['Publish Secrets Too']);
    assert.equal(asked[1]?.[0], '21 files look like secrets. Publish them?');
    const { detail, modal } = asked[1][1] as vscode.MessageOptions;
    assert.match(detail ?? '', /^a\.pem: holds .*\nb\.key: has a name .*\nand 19 more\n/u);
    assert.equal(modal, true);

    for (const [answer, withSecrets] of [
      ['Publish the Others', false],
      ['Publish Secrets Too', true],
    ] as const) {
      instead(vscode.window, 'showWarningMessage', answer);
      const { publishing, wishes } = createPublishing([], SEVERAL_SECRETS);
      await publishing.publish([uri]);
      assert.deepEqual(wishes, [{ id: '1', withSecrets, forSession: false }]);
    }
  });

  it('asks before it publishes very many files', async () => {
    const uri = vscode.Uri.joinPath(folder, 'twice.txt');
    const many = { ...ONE_FILE, files: 1234, totalBytes: 5_600_000 };
    const asked = instead(vscode.window, 'showWarningMessage', undefined);
    const refused = createPublishing([], many);
    await refused.publishing.publish([uri]);
    assert.equal(asked[0]?.[0], 'Publish 1234 files (5.6 MB)?');
    assert.deepEqual(refused.wishes, []);
    instead(vscode.window, 'showWarningMessage', 'Publish');
    const wished = createPublishing([], many);
    await wished.publishing.publish([uri]);
    assert.equal(wished.wishes.length, 1);
  });

  it('reports an action of a message that fails', async () => {
    instead(vscode.window, 'showInformationMessage', 'Do');
    const failed: unknown[] = [];
    onActionFailed((title, error) => failed.push([title, String(error)]));
    notify('info', 'done', [{ title: 'Do', run: () => Promise.reject(new Error('broken')) }]);
    await eventually(() => failed.length === 1 || undefined, 'the report');
    assert.deepEqual(failed, [['Do', 'Error: broken']]);
  });
});
