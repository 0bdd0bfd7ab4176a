import { isUtf8 } from 'node:buffer';
import { readFile, realpath, stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { describeError, PeershelfError } from '../common/errors';
import type { Logger } from '../common/logger';
import { riskOf } from '../common/riskyPaths';
import { looksLikeSecret } from '../common/secretNames';
import { type CallOptions, type NetworkFile, notConnected } from '../peer/peerApi';
import { fullHostLabel } from '../protocol/hostLabel';
import { shortFingerprint } from '../protocol/shortFingerprint';
import { ConfirmedFiles } from './confirmedFiles';
import { readSetting, TOOLS, type ToolName } from './contributions';
import { placeFor } from './destinations';
import type { Engine } from './engine';
import { errorMessage } from './errorMessages';
import { foreignText } from './foreignText';
import { formatSize } from './format';
import { cutName, errorForModel, forModel, quotedName } from './modelText';
import type { Publishing } from './publishing';
import type { Session } from './session';
import { type FileWish, readFileWish, readListWish, readPathWish } from './toolInput';

/** Files of one answer: a model that needs more searches more precisely. */
const MAX_LISTED = 100;
/** A model reads text, and its memory is short. */
const MAX_READ_BYTES = 256 * 1024;
/** Owners of one name that are looked at. */
const MAX_OWNERS = 50;
/** Owners of one name that a model is told of. */
const MAX_NAMED_OWNERS = 10;
const ALLOW_PUBLISH = 'peershelf.allowToolsToPublish';

export interface AgentToolsDependencies {
  readonly engine: Engine;
  readonly session: Pick<Session, 'settled'>;
  readonly publishing: Publishing;
  readonly logger: Logger;
}

/** Act of a tool on a file of somebody else. */
type Taking = 'read' | 'fetch';

interface Tool<Wish> {
  /** @throws INVALID_ARGUMENT for what the model should not have sent. */
  readonly read: (input: unknown) => Wish;
  readonly prepare: (wish: Wish) => Promise<vscode.PreparedToolInvocation>;
  /** What the model is told. */
  readonly run: (wish: Wish, options: CallOptions) => Promise<string>;
}

/**
 * Tools of agents in the editor: list, read, fetch and publish. A model follows whatever text it has
 * read, so each use is confirmed by the user, who is told the file, its owner and the direction, and acts on
 * that very file only; files that look like secrets are refused, whoever has them; text of others is
 * handed over in quotes, as data of theirs; and nothing is published before a setting allows it.
 */
export class AgentTools {
  private readonly confirmed = new ConfirmedFiles();

  constructor(private readonly dependencies: AgentToolsDependencies) {}

  /** The tools that the manifest declares, for as long as the result is not disposed of. */
  register(): vscode.Disposable {
    return vscode.Disposable.from(
      this.add(TOOLS.listFiles, {
        read: readListWish,
        prepare: ({ query }) => Promise.resolve(confirmListing(query)),
        run: (wish) => this.list(wish.query),
      }),
      this.add(TOOLS.readFile, {
        read: readFileWish,
        prepare: (wish) =>
          this.confirmTaking(TOOLS.readFile, wish, vscode.l10n.t('Read a network file?')),
        run: (wish, options) => this.readText(wish, options),
      }),
      this.add(TOOLS.fetchFile, {
        read: readFileWish,
        prepare: (wish) =>
          this.confirmTaking(TOOLS.fetchFile, wish, vscode.l10n.t('Fetch a network file?')),
        run: (wish, options) => this.fetch(wish, options),
      }),
      this.add(TOOLS.publishFile, {
        read: readPathWish,
        prepare: ({ path }) => this.confirmGiving(path),
        run: ({ path }, options) => this.publish(path, options),
      }),
    );
  }

  private add<Wish>(name: ToolName, tool: Tool<Wish>): vscode.Disposable {
    return vscode.lm.registerTool<unknown>(name, {
      prepareInvocation: ({ input }) =>
        this.guard(name, async () => tool.prepare(tool.read(input))),
      invoke: ({ input }, token) =>
        this.guard(name, async () => {
          const controller = new AbortController();
          const subscription = token.onCancellationRequested(() => controller.abort());
          try {
            const text = await tool.run(tool.read(input), { signal: controller.signal });
            return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
          } finally {
            subscription.dispose();
          }
        }),
    });
  }

  /** Errors in the words that users read: the model passes them on. */
  private async guard<T>(name: ToolName, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const failure = PeershelfError.from(error);
      if (failure.code === 'CANCELLED') throw new vscode.CancellationError();
      this.dependencies.logger.info(`${name}: ${describeError(failure)}`);
      const message =
        error instanceof Refusal ? error.message : errorMessage(errorForModel(failure));
      throw new Error(message);
    }
  }

  private async list(query: string): Promise<string> {
    await this.lookAround();
    const { files, total } = await this.dependencies.engine.calls.networkFiles({
      text: query,
      limit: MAX_LISTED,
    });
    return forModel({ total, files: files.map(toListed) });
  }

  private async readText(wish: FileWish, { signal }: CallOptions): Promise<string> {
    const { confirmed } = this;
    const file = await confirmed.take(TOOLS.readFile, wish, (name, hostname) =>
      this.find({ name, hostname }, 'read'),
    );
    refuseLong(file.sizeBytes);
    const { path } = await this.dependencies.engine.calls.preview(file, { signal });
    // A publisher of version 1 may have sent more than was listed.
    refuseLong((await stat(path)).size);
    const bytes = await readFile(path);
    if (!isUtf8(bytes) || bytes.includes(0))
      throw new Refusal(vscode.l10n.t('{0} is not a text file.', quotedName(file.name)));
    return forModel({ name: cutName(file.name), content: bytes.toString() });
  }

  private async fetch(wish: FileWish, { signal }: CallOptions): Promise<string> {
    const file = await this.confirmed.take(TOOLS.fetchFile, wish, (name, hostname) =>
      this.find({ name, hostname }, 'fetch'),
    );
    if (!vscode.workspace.workspaceFolders?.some(({ uri }) => uri.scheme === 'file'))
      throw new Refusal(vscode.l10n.t('No folder is open that the file could be fetched to.'));
    const place = await placeFor(file);
    if (place === undefined) throw new PeershelfError('CANCELLED', 'there is no place');
    // Nobody looks at what is fetched before it is there: what would run is for people to fetch.
    if (place.risk !== undefined) throw refused(file.name);
    const { name, hostname, contentId } = file;
    const { destination, folder } = place;
    const guardedAs = vscode.workspace.asRelativePath(destination, false);
    const request = {
      ...{ name, hostname, contentId, destination, folder, guardedAs },
      ifExists: 'fail',
    } as const;
    const result = await this.dependencies.engine.calls.fetch(request, { signal });
    return forModel({
      path: cutName(vscode.workspace.asRelativePath(result.path)),
      sizeBytes: result.sizeBytes,
      outcome: result.outcome,
    });
  }

  private async publish(path: string, options: CallOptions): Promise<string> {
    const uri = await this.assertPublishable(path);
    const name = await this.dependencies.publishing.publishQuietly(uri, options);
    if (name === undefined) throw refused(path);
    return JSON.stringify({ published: name });
  }

  private async confirmTaking(
    tool: ToolName,
    wish: FileWish,
    title: string,
  ): Promise<vscode.PreparedToolInvocation> {
    const file = await this.find(wish, tool === TOOLS.readFile ? 'read' : 'fetch');
    this.confirmed.ask(tool, wish, file);
    const message = vscode.l10n.t(
      '{0} ({1}), from {2} to this computer',
      foreignText(file.name),
      formatSize(file.sizeBytes),
      foreignText(fullHostLabel(file)),
    );
    return confirmed(title, message);
  }

  private async confirmGiving(path: string): Promise<vscode.PreparedToolInvocation> {
    const uri = await this.assertPublishable(path);
    const message = vscode.l10n.t(
      '{0}, from this computer to everyone in the session',
      foreignText(vscode.workspace.asRelativePath(uri)),
    );
    const title = vscode.l10n.t('Publish a file to the network?');
    return confirmed(title, message);
  }

  /**
   * The one file that is meant.
   * @throws NOT_FOUND, NOT_CONNECTED, a refusal when different people offer different content.
   */
  private async find({ name, hostname }: FileWish, act: Taking): Promise<NetworkFile> {
    if (looksLikeSecret(name) || isUnfit(name, act)) throw refused(name);
    await this.lookAround();
    const { files } = await this.dependencies.engine.calls.networkFiles({
      ...{ prefix: name, hostname, limit: MAX_OWNERS },
    });
    const found = files.filter((file) => file.name === name);
    const [first] = found;
    if (first === undefined)
      throw new PeershelfError('NOT_FOUND', `nobody offers ${name}`, { details: { name } });
    const isSame = found.every(
      ({ contentId }) => contentId !== undefined && contentId === first.contentId,
    );
    if (found.length === 1 || isSame) return first;
    throw new Refusal(
      vscode.l10n.t(
        'Different files are offered as {0}. Say whose is meant by one of these hostnames: {1}',
        quotedName(name),
        found
          .slice(0, MAX_NAMED_OWNERS)
          .map((file) => quotedName(file.hostname))
          .join(', '),
      ),
    );
  }

  /** @throws NOT_TRUSTED, NOT_CONNECTED, OUTSIDE_FOLDER, FILE_GONE, NOT_A_FILE, a refusal. */
  private async assertPublishable(path: string): Promise<vscode.Uri> {
    if (!readSetting('allowToolsToPublish'))
      throw new Refusal(
        vscode.l10n.t('Publishing by tools is off: the setting {0} would allow it.', ALLOW_PUBLISH),
      );
    if (!vscode.workspace.isTrusted) throw new PeershelfError('NOT_TRUSTED', 'not trusted');
    await this.assertConnected();
    const uri = inWorkspace(path);
    const real = await realpath(uri.fsPath).catch((cause: unknown) => {
      throw new PeershelfError('FILE_GONE', `${uri.fsPath} is not there`, {
        cause,
        details: { path },
      });
    });
    if (looksLikeSecret(path) || looksLikeSecret(real)) throw refused(path);
    // The user is asked about one file, not about all that lies in a folder.
    if (!(await stat(real)).isFile())
      throw new PeershelfError('NOT_A_FILE', `${path} is no file`, { details: { path } });
    return uri;
  }

  /** What is listed is what is offered now: nobody else may have looked before. */
  private async lookAround(): Promise<void> {
    await this.assertConnected();
    await this.dependencies.engine.calls.refreshNetwork();
  }

  /** A tool may be called in the first moment of a window. @throws NOT_CONNECTED. */
  private async assertConnected(): Promise<void> {
    await this.dependencies.session.settled('connected');
    const { connection } = this.dependencies.engine.state;
    if (connection.kind !== 'connected') throw notConnected(connection);
  }
}

/**
 * Whether a model must not have it: nothing is placed for it that could make programs run, wherever that
 * would be, and what is written as instructions for agents is not even read.
 */
function isUnfit(name: string, act: Taking): boolean {
  const risk = riskOf(name);
  return risk !== undefined && (act === 'fetch' || risk.family === 'agents');
}

/** As text: what others have written is no markdown, wherever VS Code shows it. */
function confirmed(title: string, text: string): vscode.PreparedToolInvocation {
  const message = new vscode.MarkdownString().appendText(text);
  return { invocationMessage: message, confirmationMessages: { title, message } };
}

/** The user is told what is looked for: what is found is text of others, which a model will read. */
function confirmListing(query: string): vscode.PreparedToolInvocation {
  const message =
    query === ''
      ? vscode.l10n.t('Names, owners and sizes of up to {0} files that others offer', MAX_LISTED)
      : vscode.l10n.t(
          'Names, owners and sizes of up to {0} files that others offer, with "{1}" in name or owner',
          MAX_LISTED,
          foreignText(query),
        );
  return confirmed(vscode.l10n.t('List network files?'), message);
}

/** Names are cut: a file with a longer one is for people to fetch. */
function toListed(file: NetworkFile): object {
  const { name, hostname, displayName, identity, sizeBytes, publishedAtMs } = file;
  return {
    ...{
      name: cutName(name),
      hostname: cutName(hostname),
      owner: cutName(foreignText(displayName)),
    },
    ...(identity !== undefined && { fingerprint: shortFingerprint(identity) }),
    sizeBytes,
    published: new Date(publishedAtMs).toISOString(),
  };
}

/** A path relative to the workspace, as models write it, or an absolute one in it. */
function inWorkspace(path: string): vscode.Uri {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const candidates = [
    vscode.Uri.file(path),
    ...folders.map(({ uri }) => vscode.Uri.joinPath(uri, path)),
  ];
  const uri = candidates.find(
    (one) => one.scheme === 'file' && vscode.workspace.getWorkspaceFolder(one) !== undefined,
  );
  if (uri !== undefined) return uri;
  throw new PeershelfError('OUTSIDE_FOLDER', `${path} is in no workspace folder`, {
    details: { path },
  });
}

/** What is said to the model, and to the user who reads along, as it is. */
class Refusal extends Error {}

function refuseLong(sizeBytes: number): void {
  if (sizeBytes <= MAX_READ_BYTES) return;
  throw new Refusal(
    vscode.l10n.t('Only files of up to {0} can be read.', formatSize(MAX_READ_BYTES)),
  );
}

function refused(name: string): Refusal {
  return new Refusal(
    vscode.l10n.t(
      '{0} is not given to tools, nor taken by them. Do it yourself.',
      quotedName(name),
    ),
  );
}
