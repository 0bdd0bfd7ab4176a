import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { readInviteText } from '../common/inviteFile';
import { formatHostPort } from '../protocol/address';
import { formatInvite, formatInviteLink, parseInvite } from '../protocol/invite';
import { MAX_INVITE_TEXT_CHARACTERS } from '../protocol/limits';
import { shortFingerprint } from '../protocol/shortFingerprint';

/** A team's session, as it is joined. */
export interface TeamTarget {
  /** Id of the team, no secret. */
  readonly team: string;
  readonly name: string;
  /** Secret. */
  readonly invite: string;
}

/** An invite that was read, with what the user is told of it. */
export interface ReadInvite {
  readonly target: TeamTarget;
  /** Where the tracker may be found; text of others. */
  readonly addresses: readonly string[];
  /** Short fingerprint of the owner who signed. */
  readonly owner: string;
}

/** @throws INVITE_NOT_FOUND, INVITE_DAMAGED, INVITE_TOO_NEW. */
export function readInvite(text: string): ReadInvite {
  const invite = parseInvite(text);
  return {
    // Without what stood around it.
    target: { team: invite.team.id, name: invite.sessionName, invite: formatInvite(invite) },
    addresses: invite.addresses.map(formatHostPort),
    owner: shortFingerprint(invite.ownerId),
  };
}

/**
 * The invite of a file that is joined by without a question: one that others can write is refused.
 * @throws as {@link readInvite}, FILE_GONE, FILE_UNREADABLE, INVITE_FILE_UNSAFE.
 */
export function readInviteFile(path: string): ReadInvite {
  return readInvite(textOf(path, true));
}

/** What a user types or pastes: an invite, or the path of a file that has one. @throws as above. */
export function readInviteOrFile(text: string): ReadInvite {
  try {
    return readInvite(text);
  } catch (error) {
    const path = toPath(text);
    if (path === undefined || !PeershelfError.is(error, 'INVITE_NOT_FOUND')) throw error;
    // Named by hand, and asked about before anything is joined.
    return readInvite(textOf(path, false));
  }
}

function textOf(path: string, mustBeOwn: boolean): string {
  return readInviteText(path, { maxBytes: MAX_INVITE_TEXT_CHARACTERS, mustBeOwn });
}

/** What goes to the clipboard: a text for somebody who has never heard of the product. */
export function inviteText({ invite, name }: TeamTarget): string {
  const link = formatInviteLink(parseInvite(invite), vscode.env.uriScheme);
  return [
    vscode.l10n.t('Join the Peershelf session "{0}":', name),
    vscode.l10n.t('1. Install the extension "Peershelf: Team File Sharing" in VS Code.'),
    vscode.l10n.t(
      '2. Open the link below, or run "Peershelf: Join Team Session…" and paste this text.',
    ),
    // At the end: an input box drops line breaks, and what followed would become part of it.
    link,
  ].join('\n');
}

/** An absolute path, perhaps in quotation marks as file managers copy it, or one below the home. */
function toPath(text: string): string | undefined {
  const path = text.trim().replace(/^(["'])(.*)\1$/u, '$2');
  if (/^~[/\\]/u.test(path)) return join(homedir(), path.slice(2));
  return isAbsolute(path) ? path : undefined;
}
