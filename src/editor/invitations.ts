import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { writeSecretFile } from '../common/secretFile';
import type { FoundSession } from '../protocol/announcement';
import { parseInvite } from '../protocol/invite';
import { ensureDisplayName } from './displayName';
import type { Engine } from './engine';
import { errorMessage } from './errorMessages';
import { foreignText } from './foreignText';
import {
  inviteText,
  type ReadInvite,
  readInvite,
  readInviteFile,
  readInviteOrFile,
  type TeamTarget,
} from './invites';
import type { Membership } from './membership';
import { ask, notify } from './notifier';
import type { OwnSession } from './ownSession';
import type { Session } from './session';
import { tellOffered } from './tellOffered';

const FILE_NAME = 'peershelf-invite.txt';
const DAY_MS = 24 * 3_600_000;
/** Times after which an invite can end: a lesson, a week's course, a project's first month. */
const EXPIRY_DAYS = [1, 7, 30] as const;

export interface InvitationsDependencies {
  readonly engine: Engine;
  readonly session: Session;
  readonly membership: Membership;
  readonly ownSession: OwnSession;
}

/** Joining by an invite, and handing out one. */
export class Invitations {
  constructor(private readonly dependencies: InvitationsDependencies) {}

  /** Asks for an invite, or a file with one, and joins. */
  async join(): Promise<void> {
    const invite = await askForInvite();
    if (invite !== undefined) await this.joinWith(invite.target);
  }

  /** Joins a session that this user knows from another window. @throws SESSION_KEYS_MISSING. */
  async rejoin(team: string): Promise<void> {
    const { membership } = this.dependencies;
    const known = membership.known.find((one) => one.team === team);
    if (known === undefined) return;
    const target = await membership.recall(known);
    if ('team' in target) await this.joinWith(target);
  }

  /**
   * Joins a session that was found in the network: with the invite that this user has of it, or asks
   * for one. What it is called there is said by whoever announces it.
   */
  async joinFound({ sessionName, fingerprint }: FoundSession): Promise<void> {
    const known = await this.knownWith(fingerprint);
    const target = known ?? (await askForInvite(sessionName))?.target;
    if (target !== undefined) await this.joinWith(target);
  }

  /** A link was opened, which anybody may have made: nothing happens before the user says so. */
  async openLink(uri: vscode.Uri): Promise<void> {
    if (uri.path !== '/join') throw new PeershelfError('INVITE_NOT_FOUND', 'not a link to join');
    const invite = readInvite(uri.toString(true));
    const { target } = invite;
    const title = vscode.l10n.t('Join');
    const question = vscode.l10n.t('Join the team session "{0}"?', foreignText(target.name));
    if ((await ask(question, await this.describe(invite), title)) === title)
      await this.joinWith(target);
  }

  async copyInvite(): Promise<void> {
    const team = await this.currentInvite();
    if (team === undefined) return;
    await vscode.env.clipboard.writeText(inviteText(team));
    const expire = {
      title: vscode.l10n.t('Make It Expire…'),
      run: () => this.copyExpiring(),
    };
    notify(
      'info',
      vscode.l10n.t(
        'The invite to {0} is on the clipboard. Whoever has it can join: send it to your team only.',
        foreignText(team.name),
      ),
      this.dependencies.ownSession.canInvite(team) ? [expire] : [],
    );
  }

  /** Copies an invite by which nobody joins after some days. */
  private async copyExpiring(): Promise<void> {
    const choices = EXPIRY_DAYS.map((days) => ({
      days,
      label: days === 1 ? vscode.l10n.t('1 day') : vscode.l10n.t('{0} days', days),
    }));
    const title = vscode.l10n.t('How long can people join with the invite?');
    const chosen = await vscode.window.showQuickPick(choices, { title });
    if (chosen === undefined) return;
    const expiresMs = Date.now() + chosen.days * DAY_MS;
    const team = await this.dependencies.ownSession.invite(this.current, expiresMs);
    if (team === undefined) throw missingKeys(this.current);
    await vscode.env.clipboard.writeText(inviteText(team));
    notify(
      'info',
      vscode.l10n.t(
        'An invite to {0} that expires on {1} is on the clipboard, in place of the one before.',
        foreignText(team.name),
        new Date(expiresMs).toLocaleString(vscode.env.language),
      ),
    );
  }

  /**
   * The session with an invite that lets somebody in. After a removal that of a member is worthless, and
   * only an owner can make another.
   */
  private async currentInvite(): Promise<TeamTarget | undefined> {
    const { engine, ownSession } = this.dependencies;
    const team = this.current;
    const { isInviteCurrent = true } = await engine.calls.snapshot();
    const current = isInviteCurrent ? team : await ownSession.invite(team);
    if (current !== undefined) return current;
    notify(
      'warning',
      vscode.l10n.t(
        'Your invite to {0} lets nobody in any more, since members were removed. Ask the owner for the new one (fingerprint {1}).',
        foreignText(team.name),
        readInvite(team.invite).owner,
      ),
    );
    return undefined;
  }

  async saveInvite(): Promise<void> {
    const team = await this.currentInvite();
    if (team === undefined) return;
    const target = await vscode.window.showSaveDialog({
      title: vscode.l10n.t('Save Invite File'),
      defaultUri: vscode.Uri.file(join(homedir(), FILE_NAME)),
    });
    if (target === undefined) return;
    if (target.scheme !== 'file') {
      notify('error', vscode.l10n.t('Invites can only be saved to a disk. Choose another place.'));
      return;
    }
    writeSecretFile(target.fsPath, `${team.invite}\n`, 'replace');
    notify(
      'info',
      vscode.l10n.t('The invite is in {0}. Whoever has it can join.', foreignText(target.fsPath)),
    );
  }

  /** Makes the invite worthless that others have, and another one. */
  async renewInvite(): Promise<void> {
    const team = this.current;
    const title = vscode.l10n.t('New Invite');
    const chosen = await ask(
      vscode.l10n.t('Make a new invite to {0}?', foreignText(team.name)),
      vscode.l10n.t('Everyone else is disconnected, and comes back only with the new invite.'),
      title,
    );
    if (chosen !== title) return;
    await this.dependencies.ownSession.renew(team);
    notify(
      'info',
      vscode.l10n.t(
        'There is a new invite to {0}; the old one is not valid any more.',
        foreignText(team.name),
      ),
      [this.copyAction()],
    );
  }

  /** A button that copies the invite of the session that this window is in. */
  copyAction(): { readonly title: string; readonly run: () => Promise<void> } {
    return { title: vscode.l10n.t('Copy Invite'), run: () => this.copyInvite() };
  }

  /** The session of a tracker with this certificate, if this user has its keys. */
  private async knownWith(fingerprint: string): Promise<TeamTarget | undefined> {
    const { membership } = this.dependencies;
    for (const known of membership.known) {
      const target = await membership.recall(known).catch((error: unknown) => {
        if (PeershelfError.is(error, 'SESSION_KEYS_MISSING')) return undefined;
        throw error;
      });
      if (target === undefined || !('team' in target)) continue;
      if (parseInvite(target.invite).fingerprint === fingerprint) return target;
    }
    return undefined;
  }

  private async joinWith(target: TeamTarget): Promise<void> {
    const { session } = this.dependencies;
    const name = foreignText(target.name);
    const { team } = session;
    if (session.isConnected && team?.team === target.team && team.invite === target.invite) {
      notify('info', vscode.l10n.t('This window is in the session {0} already.', name));
      return;
    }
    if (!(await ensureDisplayName())) return;
    await session.join(target);
    const offered = await session.offered();
    notify(
      'info',
      offered === 0
        ? vscode.l10n.t('Joined the session {0}. Nothing is shared until you publish it.', name)
        : vscode.l10n.t('Joined the session {0}.', name),
    );
    tellOffered(offered);
  }

  /** What is asked before a link is followed. */
  private async describe({ target, addresses, owner }: ReadInvite): Promise<string> {
    const kept = await this.dependencies.engine.calls.countKept({ team: target.team });
    const window = vscode.workspace.name;
    const { team } = this.dependencies.session;
    const lines = [
      vscode.l10n.t('Fingerprint of its owner: {0}', owner),
      vscode.l10n.t('Its tracker: {0}', addresses.map((one) => foreignText(one)).join(', ')),
      window === undefined
        ? vscode.l10n.t('This window, which has no folder open, joins.')
        : vscode.l10n.t('This window joins: {0}', foreignText(window)),
      ...(team === undefined
        ? []
        : [vscode.l10n.t('It leaves the session {0}.', foreignText(team.name))]),
      ...(kept === 0 ? [] : [offeredAgainText(kept)]),
      vscode.l10n.t(
        'Nothing new is shared until you publish it. Join only if you know who sent the link.',
      ),
    ];
    return lines.join('\n');
  }

  /** @throws NOT_CONNECTED outside of the session of a team. */
  private get current(): TeamTarget {
    const { team } = this.dependencies.session;
    if (team === undefined) throw new PeershelfError('NOT_CONNECTED', 'in no session of a team');
    return team;
  }
}

function offeredAgainText(count: number): string {
  return count === 1
    ? vscode.l10n.t(
        '1 file that you published in this session will be offered again to its members.',
      )
    : vscode.l10n.t(
        '{0} files that you published in this session will be offered again to its members.',
        count,
      );
}

function missingKeys({ name }: TeamTarget): PeershelfError {
  return new PeershelfError('SESSION_KEYS_MISSING', 'no key of an owner is kept here', {
    details: { session: name },
  });
}

/**
 * One question: the invite, pasted with whatever stands around it, or a file.
 * @param sessionName of the session that is meant, if one is; text of others.
 */
function askForInvite(sessionName?: string): Promise<ReadInvite | undefined> {
  const box = vscode.window.createInputBox();
  box.title =
    sessionName === undefined
      ? vscode.l10n.t('Join Team Session')
      : vscode.l10n.t('Join {0}: its invite is needed', foreignText(sessionName));
  box.prompt = vscode.l10n.t(
    'Paste the invite, or write the path of an invite file. Nothing new is shared until you publish it.',
  );
  box.placeholder = 'peershelf://join/…';
  box.ignoreFocusOut = true;
  const browse = {
    iconPath: new vscode.ThemeIcon('folder-opened'),
    tooltip: vscode.l10n.t('Choose Invite File…'),
  };
  box.buttons = [browse];
  /** While a file is chosen, the box hides. */
  let choosing = false;
  const chooseFile = async (): Promise<string | undefined> => {
    choosing = true;
    const [file] = (await vscode.window.showOpenDialog({ title: browse.tooltip })) ?? [];
    choosing = false;
    return file?.scheme === 'file' ? file.fsPath : undefined;
  };
  return new Promise<ReadInvite | undefined>((resolve) => {
    const take = (read: () => ReadInvite): void => {
      try {
        resolve(read());
      } catch (error) {
        box.validationMessage = errorMessage(PeershelfError.from(error));
      }
    };
    box.onDidChangeValue(() => (box.validationMessage = undefined));
    box.onDidAccept(() => take(() => readInviteOrFile(box.value)));
    box.onDidTriggerButton(() => {
      void chooseFile().then((path) => {
        box.show();
        if (path !== undefined) take(() => readInviteFile(path));
      });
    });
    box.onDidHide(() => {
      if (!choosing) resolve(undefined);
    });
    box.show();
  }).finally(() => box.dispose());
}
