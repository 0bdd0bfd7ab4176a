import { l10n } from 'vscode';
import type { ErrorCode, PeershelfError } from '../common/errors';
import { nameProblemText, refusalText } from './engineTexts';
import { foreignText } from './foreignText';
import { heldBackReason, heldBackText } from './heldBackTexts';
import { formatMoment } from './format';

/** Failures that the user can mend right away are warnings; the others are errors. */
const WARNINGS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'AMBIGUOUS_NAME',
  'DECLINED',
  'DESTINATION_EXISTS',
  'INVALID_ADDRESS',
  'INVITE_DAMAGED',
  'INVITE_EXPIRED',
  'INVITE_FILE_UNSAFE',
  'INVITE_FOREIGN',
  'INVITE_FORGED',
  'INVITE_NOT_FOUND',
  'INVITE_OUTDATED',
  'INVITE_TOO_NEW',
  'NOT_CONNECTED',
  'NOT_FOUND',
  'PEER_BUSY',
  'SESSION_KEYS_MISSING',
]);

export function severityOf(code: ErrorCode): 'warning' | 'error' {
  return WARNINGS.has(code) ? 'warning' : 'error';
}

/** What a message may mention, everything of others made harmless already. */
class Details {
  constructor(private readonly error: PeershelfError) {}

  get path(): string {
    return this.text('path', l10n.t('the file'));
  }

  get name(): string {
    return this.text('name', l10n.t('the file'));
  }

  get owner(): string {
    return this.text('displayName', l10n.t('the publisher'));
  }

  /** The address in brackets, if there is one. */
  get at(): string {
    return this.has('address') ? ` (${this.text('address', '')})` : '';
  }

  /** Since when the publisher is away, where that is why nothing can be fetched. */
  get awaySince(): string | undefined {
    const { awayForMs } = this.error.details;
    return typeof awayForMs === 'number' ? formatMoment(Date.now() - awayForMs) : undefined;
  }

  /** Why a name is none, as a sentence with a space before it, if that is known. */
  get problem(): string {
    const text = nameProblemText(this.error.details['problem']);
    return text === '' ? '' : ` ${text}`;
  }

  get refusal(): string {
    return refusalText(this.error.details['reason']);
  }

  has(key: string): boolean {
    return this.error.details[key] !== undefined;
  }

  text(key: string, otherwise: string): string {
    const value = this.error.details[key];
    return value === undefined ? otherwise : foreignText(String(value));
  }
}

/** One entry for every code, which the compiler holds: cause and next step. */
const MESSAGES: Readonly<Record<ErrorCode, (d: Details) => string>> = {
  ALREADY_RUNNING: () => l10n.t('Too many windows share this folder. Close one and try again.'),
  AMBIGUOUS_FOLDER: (d) =>
    l10n.t('Several people offer files in {0}. Fetch it again and choose whose.', d.name),
  AMBIGUOUS_NAME: (d) =>
    l10n.t(
      'Several people offer different files as {0}. Fetch it from Network Files to choose whose.',
      d.name,
    ),
  CANCELLED: () => l10n.t('Cancelled. Nothing was changed.'),
  CONNECTION_LOST: (d) =>
    l10n.t('The connection to {0} was lost. Nothing was changed; fetch the file again.', d.owner),
  CONTENT_CHANGED: (d) =>
    l10n.t(
      '{0} has changed the file since it was published. Ask for it to be published again.',
      d.owner,
    ),
  CONTENT_MISMATCH: (d) =>
    l10n.t(
      '{0} sent other data than was published. Nothing wrong was kept; fetch from someone else.',
      d.owner,
    ),
  DECLINED: (d) =>
    l10n.t('{0} has ended this transfer. Ask them, or try again in a minute.', d.owner),
  DESTINATION_EXISTS: (d) =>
    l10n.t(
      '{0} exists with other content. Fetch the file from Network Files to choose what becomes of it.',
      d.path,
    ),
  DESTINATION_IS_FOLDER: (d) =>
    l10n.t('{0} is a folder. Rename it, or fetch the file to another place.', d.path),
  DISK_FULL: (d) =>
    l10n.t('There is not enough space at {0}. Make room, or choose another place.', d.path),
  ENGINE_STOPPED: () =>
    l10n.t('The Peershelf engine has stopped. It starts again with your next action.'),
  ENTRY_INVALID: (d) =>
    l10n.t(
      'What is said of this file is not what {0} has signed last. Nothing was fetched. Refresh Network Files; if that does not help, ask them to publish it again.',
      d.owner,
    ),
  FILE_CHANGED: (d) =>
    d.has('path')
      ? l10n.t('{0} changed while it was read. Publish it when nothing writes to it.', d.path)
      : l10n.t('The file has changed since it was published. Publish it again.'),
  FILE_GONE: (d) => {
    if (!d.has('path'))
      return l10n.t(
        '{0} published the file but no longer has it. Ask for it to be published again.',
        d.owner,
      );
    return d.has('isInvite')
      ? l10n.t('There is no file {0}. Check the path of the invite.', d.path)
      : l10n.t('{0} does not exist any more. Check where it went, then publish it again.', d.path);
  },
  FILE_UNREADABLE: (d) =>
    !d.has('path')
      ? l10n.t('{0} cannot read the file. Ask for it to be published again.', d.owner)
      : l10n.t('{0} cannot be read. Check its permissions.', d.path),
  FILE_TOO_LARGE: () =>
    l10n.t('This file is too large to be opened without fetching it. Fetch it instead.'),
  FOLDER_NOT_WRITABLE: (d) =>
    l10n.t('Cannot write {0}. Check the permissions, or choose another place.', d.path),
  GIT_REPOSITORY: (d) =>
    l10n.t(
      '{0} was left out: its folder would be a Git repository, whose settings can run programs. Ask for an archive, or use git clone.',
      d.name,
    ),
  INTERNAL: () => l10n.t('Something unexpected went wrong. The log says more; please report it.'),
  INVALID_ADDRESS: (d) =>
    l10n.t('{0} is no address. Write host:port, such as 192.168.1.5:9000.', d.text('address', '')),
  INVALID_ARGUMENT: (d) =>
    d.has('argument')
      ? l10n.t(
          'A setting or an argument is not valid: {0}. Correct it and try again.',
          d.text('argument', ''),
        )
      : l10n.t(
          'A setting or an argument is not valid. The log says which. Correct it and try again.',
        ),
  INVALID_MESSAGE: () =>
    l10n.t('The other side does not speak the Peershelf protocol. Check the address.'),
  LINE_TOO_LONG: () =>
    l10n.t('The other side does not speak the Peershelf protocol. Check the address.'),
  INVALID_NAME: (d) =>
    l10n.t(
      '{0} cannot be the name of a shared file.{1} Rename the file, or ask its publisher to do so.',
      d.name,
      d.problem,
    ),
  INVITE_EXPIRED: () =>
    l10n.t('This invite has expired. Ask an owner of the session for a new one.'),
  INVITE_FORGED: () =>
    l10n.t(
      'No owner of the session has signed this invite. Do not use it, and tell the person who sent it.',
    ),
  INVITE_OUTDATED: () =>
    l10n.t(
      'The session has a new invite, and this one is no longer valid. Ask an owner of the session for the new one.',
    ),
  LEASE_ENDED: () =>
    l10n.t(
      'No owner has renewed this session in time, so nothing is shared. Ask an owner to open the session. If no owner is left, start a new session and invite the others again.',
    ),
  MEMBER_REMOVED: () =>
    l10n.t(
      'An owner has removed you from this session. Ask an owner if you think that this is a mistake.',
    ),
  MEMBERSHIP_UNCLEAR: () =>
    l10n.t(
      'It is not certain who belongs to this session now, so nothing is shared. Try again in a minute. If it stays so, ask an owner to open the session, and check the clocks of both computers.',
    ),
  EPOCH_KEY_MISSING: () =>
    l10n.t(
      'Another owner has renewed the key of this session and left none for you. Ask that owner for a new invite, then join with it.',
    ),
  EXPORT_UNREADABLE: () =>
    l10n.t(
      "The passphrase is wrong, or the file was changed or is not an exported owner's key. Nothing was imported. Try again, or use another copy.",
    ),
  MEMBERS_UNDECIDED: () =>
    l10n.t('Nothing was changed. Choose which of the remaining members go on, then try again.'),
  NOT_ROOT_OWNER: () =>
    l10n.t('Only the owner who started this session can change its owners. Ask that owner.'),
  OWNER_UNHEARD: () =>
    l10n.t(
      "This copy of the owner's key has not heard what happened since it was made, so it changes nothing yet. Connect to the session's tracker, then try again.",
    ),
  OWNER_BUSY: () =>
    l10n.t(
      'Another program is changing this session on this computer. Wait for it to end, then try again.',
    ),
  OWNER_WITHDRAWN: () =>
    l10n.t(
      'You are no longer an owner of this session, so nothing was changed. Ask the owner who started it.',
    ),
  SESSION_KEYS_KEPT: () =>
    l10n.t('The keys of this session are kept here already, and were not replaced.'),
  OWNER_BEHIND: () =>
    l10n.t(
      'Another owner is changing this session at the same time. Try again, which takes over what the other one has done.',
    ),
  TRACKER_BEHIND: () =>
    l10n.t(
      'The tracker has lost the newest state of this session. Ask an owner to open the session, which restores it.',
    ),
  INVITE_DAMAGED: () =>
    l10n.t(
      'The invite is not complete, or was changed on its way. Copy all of it again, or ask for a new one.',
    ),
  INVITE_FILE_UNSAFE: (d) =>
    l10n.t(
      'Other accounts of this computer can write {0}, so the invite may have been replaced. Make it writable for you alone, check the invite, and join again.',
      d.text('place', d.path),
    ),
  INVITE_FOREIGN: (d) =>
    l10n.t(
      'The invite file {0}, by which this computer joined {1}, has become that of another team: session {2}, fingerprint of its owner {3}. Nothing was joined. Ask whoever looks after the file before you join.',
      d.path,
      d.text('before', ''),
      d.text('session', ''),
      d.text('owner', ''),
    ),
  INVITE_NOT_FOUND: () =>
    l10n.t('There is no invite in this text. Ask who started the session for one (Copy Invite).'),
  INVITE_TOO_NEW: () =>
    l10n.t(
      'The invite was made by a newer version of Peershelf. Update the extension, and join again.',
    ),
  LENGTH_MISMATCH: (d) =>
    l10n.t(
      '{0} sent more than announced. Nothing was kept; ask for the file to be published again.',
      d.owner,
    ),
  LIMIT_EXCEEDED: () =>
    l10n.t('That is too much at once. Wait for what runs to end, then try again.'),
  LIST_CHANGED: () => l10n.t('The list was just changing, so nothing was done. Press it again.'),
  LOOKS_SECRET: (d) => heldBackText(d.name, heldBackReason(d.text('kind', ''))),
  NAME_CLASH: (d) =>
    l10n.t('{0} is published from {1} already. Unpublish that one first.', d.name, d.path),
  NAME_TAKEN: (d) =>
    l10n.t('The hostname {0} is in use. Choose another in the settings.', d.text('hostname', '')),
  NO_FILE_CHOSEN: () =>
    l10n.t(
      'There is no active file. Open a file of the workspace, or right-click one in the explorer.',
    ),
  NO_FREE_PORT: (d) =>
    l10n.t(
      'No port from {0} to {1} is free. Set peershelf.port to another range, or to 0 for any free port.',
      d.text('first', ''),
      d.text('last', ''),
    ),
  PORT_IN_USE: (d) =>
    l10n.t(
      'Port {0} is in use by another program. Choose another port, or 0 for any free one.',
      d.text('first', d.text('port', '')),
    ),
  NOT_A_FILE: (d) => l10n.t('{0} is no file. Publish the files in it.', d.path),
  NOT_A_MEMBER: () =>
    l10n.t('The invite is not valid any more. Ask for a new one, and join again.'),
  NOT_CONNECTED: (d) =>
    d.has('tracker')
      ? l10n.t(
          'The tracker at {0} cannot be reached now. Check that it runs, or wait: the connection is tried again by itself.',
          d.text('tracker', ''),
        )
      : l10n.t('This window is not connected. Start a team session or connect to a tracker first.'),
  NOT_FOUND: (d) =>
    l10n.t('Nobody offers {0} any more. Refresh Network Files to see what there is.', d.name),
  NOT_ON_DISK: (d) =>
    l10n.t('{0} is not on a disk. Copy it into a folder on a disk, and use it there.', d.path),
  NOT_PUBLISHED: (d) =>
    l10n.t(
      '{0} does not offer the file any more. Refresh Network Files to see what there is.',
      d.owner,
    ),
  NOT_TRUSTED: () =>
    l10n.t(
      'Publishing needs a trusted workspace. Trust it with "Manage Workspace Trust", then try again.',
    ),
  OFFER_CHANGED: (d) =>
    l10n.t(
      'Content or owner of {0} has changed since you were asked about it. Nothing was done. Ask for the file again.',
      d.name,
    ),
  OUTSIDE_FOLDER: (d) =>
    d.has('folder')
      ? l10n.t('{0} leads out of the workspace folder. Use a file inside of it.', d.path)
      : l10n.t(
          '{0} lies in no folder of this workspace. Open the folder that it is in first.',
          d.path,
        ),
  OWN_KEYS: (d) =>
    l10n.t(
      '{0} is never published: it is written by Peershelf, and holds keys or unfinished downloads. Leave it out.',
      d.name,
    ),
  PEER_BUSY: (d) => l10n.t('{0} serves too many others now. Try again in a moment.', d.owner),
  PEER_IDENTITY_MISMATCH: (d) =>
    l10n.t(
      'What answers there{1} cannot show that it is {0}. Nothing was sent or fetched. Try again in a minute; if that does not help, ask them to join the session again.',
      d.owner,
      d.at,
    ),
  PEER_UNREACHABLE: (d) =>
    d.awaySince === undefined
      ? l10n.t(
          'Cannot reach {0}{1}. The computer may be off, or a firewall may block the port.',
          d.owner,
          d.at,
        )
      : l10n.t(
          '{0} is away since {1}. Fetch the file when they are back, or ask them to come back.',
          d.owner,
          d.awaySince,
        ),
  REPLACED: () =>
    l10n.t(
      'This window was disconnected because another one took its place. Join again to take it back.',
    ),
  RISKY_PLACE: (d) =>
    l10n.t(
      '{0} can make programs run on this computer. Fetch it only if you trust its publisher.',
      d.name,
    ),
  SESSION_CHANGED: (d) =>
    d.has('isPublishing')
      ? l10n.t('The session has changed meanwhile, and nothing was published. Publish again.')
      : l10n.t('The session was left before this was there. It goes on when you join it again.'),
  SESSION_KEYS_MISSING: (d) =>
    l10n.t(
      'The keys of the session {0} are not kept on this computer. Ask for its invite, and join again.',
      d.text('session', ''),
    ),
  STALLED: (d) => l10n.t('{0} stopped sending. Nothing was changed; try again.', d.owner),
  TIMED_OUT: (d) =>
    d.has('isLocal')
      ? l10n.t('The tracker did not start in time. Try again; the log says more.')
      : l10n.t('The tracker did not answer in time. Check the network and try again.'),
  TOO_MANY_FILES: (d) =>
    l10n.t(
      'There are more than {0} files. Publish smaller folders, or leave files out with .peershelfignore or the setting peershelf.exclude.',
      d.text('limit', ''),
    ),
  TRACKER_IDENTITY_MISMATCH: (d) =>
    l10n.t(
      '{0} is not the tracker of this invite. Nothing was sent. Check the network, or ask for a new invite.',
      d.text('address', ''),
    ),
  TRACKER_REFUSED: (d) =>
    l10n.t('The tracker refused: {0}. Change what it names, or ask whoever runs it.', d.refusal),
  TRACKER_UNREACHABLE: (d) =>
    l10n.t('Cannot reach the tracker{0}. Check that it runs and that the address is right.', d.at),
};

/** What went wrong and what to do next, for the user. */
export function errorMessage(error: PeershelfError): string {
  return MESSAGES[error.code](new Details(error));
}
