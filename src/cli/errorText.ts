import { SECRET_KINDS, type SecretKind } from '../peer/peerApi';
import type { ErrorCode, PeershelfError } from '../common/errors';
import type { RiskFamily } from '../common/riskyFiles';
import { plainText } from '../protocol/text';
import { isIdentity, shortFingerprint } from '../protocol/shortFingerprint';
import { formatAge } from './output';

/** What a message may mention, everything of others made fit for a terminal already. */
class Details {
  readonly message: string;

  constructor(private readonly error: PeershelfError) {
    this.message = plainText(error.message);
  }

  get path(): string {
    return this.text('path', 'the file');
  }

  get fingerprint(): string {
    const identity = this.text('identity', '');
    return isIdentity(identity) ? shortFingerprint(identity) : 'unknown';
  }

  get name(): string {
    return this.text('name', 'the file');
  }

  get owner(): string {
    return this.text('displayName', 'the publisher');
  }

  get at(): string {
    return this.has('address') ? ` at ${this.text('address', '')}` : '';
  }

  get fromHost(): string {
    return this.has('hostname') ? ` at ${this.text('hostname', '')}` : '';
  }

  /** For how long the publisher is away, where that is why nothing can be fetched. */
  get away(): string | undefined {
    const { awayForMs } = this.error.details;
    return typeof awayForMs === 'number' ? `last seen ${formatAge(awayForMs)}` : undefined;
  }

  get hosts(): string {
    const names = this.error.details['hostnames'];
    return Array.isArray(names) ? names.map((name) => plainText(String(name))).join(', ') : '';
  }

  has(key: string): boolean {
    return this.error.details[key] !== undefined;
  }

  text(key: string, otherwise: string): string {
    const value = this.error.details[key];
    return value === undefined ? otherwise : plainText(String(value));
  }
}

/** Effect of a file of each family, in the words of a summary. */
const RISKS: Readonly<Record<RiskFamily, string>> = {
  agents: 'instructions for agents',
  build: 'build file or automation',
  editors: 'settings of an editor',
  executables: 'program or script',
  hidden: 'hidden settings',
  languages: 'code that tools load by themselves',
  packages: 'scripts of a package manager',
  shell: 'settings of a shell or an environment',
  shortcuts: 'shortcut that opens something else',
  versionControl: 'settings of version control',
};

function riskText(family: string): string {
  return Object.entries(RISKS).find(([name]) => name === family)?.[1] ?? 'it can make programs run';
}

/** A text for each reason, as each asks for another remedy. */
const SECRETS: Readonly<Record<SecretKind, string>> = {
  content: 'holds a key or a token',
  name: 'has a name that files with keys or passwords have',
  mode: 'can be read by you only',
};

function secretText(kind: string): string {
  return SECRETS[SECRET_KINDS.find((known) => known === kind) ?? 'name'];
}

/** One entry for every code, which the compiler holds: cause and next step. */
const TEXTS: Readonly<Record<ErrorCode, (d: Details) => string>> = {
  ALREADY_RUNNING: () =>
    'Too many peershelf processes of this user are running. Stop one and try again.',
  AMBIGUOUS_FOLDER: (d) =>
    `Several people offer files in ${d.name}: ${d.hosts}. Name one or more with --from, or take all with --from-all.`,
  AMBIGUOUS_NAME: (d) =>
    `Several people offer different files as ${d.name}. Choose one with --from: ${d.hosts}.`,
  CANCELLED: () => 'Cancelled. Nothing was changed.',
  CONNECTION_LOST: (d) => `The connection to ${d.owner} was lost. Nothing was changed; try again.`,
  CONTENT_CHANGED: (d) =>
    `${d.owner} has changed the file since it was published. Ask for it to be published again.`,
  CONTENT_MISMATCH: (d) =>
    `${d.owner} sent other bytes than the published ones. Nothing wrong was kept; fetch from somebody else.`,
  DECLINED: (d) => `${d.owner} has ended this transfer. Ask them, or try again in a minute.`,
  DESTINATION_EXISTS: (d) =>
    `${d.path} exists with other content. Use --force to replace it, or --output for another place.`,
  DESTINATION_IS_FOLDER: (d) => `${d.path} is a folder. Name a file with --output.`,
  DISK_FULL: (d) =>
    `There is not enough space at ${d.path}. Make room, or choose another place with --output.`,
  ENGINE_STOPPED: () => 'The engine has stopped. Start the command again.',
  ENTRY_INVALID: (d) =>
    `What is said of this file is not what ${d.owner} has signed last. Nothing was fetched. Try again; if that does not help, ask them to publish it again.`,
  FILE_CHANGED: (d) =>
    d.has('path')
      ? `${d.path} changed while it was read. Share it when nothing writes to it.`
      : 'The file has changed since it was published. Share it again.',
  FILE_GONE: (d) =>
    !d.has('path')
      ? `${d.owner} published the file but no longer has it. Ask for it to be published again.`
      : `${d.path} does not exist. Check the path.`,
  FILE_UNREADABLE: (d) =>
    !d.has('path')
      ? `${d.owner} cannot read the file. Ask for it to be published again.`
      : `${d.path} cannot be read. Check its permissions.`,
  FILE_TOO_LARGE: (d) => `${d.name} is too large to be looked at. Fetch it instead.`,
  FOLDER_NOT_WRITABLE: (d) =>
    `Cannot write ${d.path}. Check the permissions, or choose another place with --output.`,
  GIT_REPOSITORY: (d) =>
    `${d.name} from ${d.owner} was left out: the folder would be a Git repository, whose settings can run programs. Ask for an archive, or use git clone.`,
  INTERNAL: (d) =>
    `Something unexpected went wrong: ${d.message}. Run with --verbose and report it.`,
  INVALID_ADDRESS: (d) =>
    `${d.text('address', 'That')} is no address. Write HOST:PORT, such as 192.168.1.5:9000.`,
  INVALID_ARGUMENT: (d) => `${d.message}. See peershelf --help.`,
  INVALID_MESSAGE: (d) =>
    `The other side does not speak this protocol (${d.message}). Check the address.`,
  LINE_TOO_LONG: (d) =>
    `The other side does not speak this protocol (${d.message}). Check the address.`,
  INVALID_NAME: (d) =>
    `${d.name} cannot be a published name: it ${d.text('problem', 'is not valid')}. Choose another with --name.`,
  INVITE_EXPIRED: () => 'This invite has expired. Ask an owner of the session for a new one.',
  INVITE_FORGED: () =>
    'No owner of the session has signed this invite. Do not use it, and tell who you have it from.',
  INVITE_OUTDATED: () =>
    'The session has a new invite, and this one is not valid any more. Ask an owner for the new one.',
  LEASE_ENDED: () =>
    'No owner of the session has renewed it in time. Ask an owner to start Peershelf, or to run peershelf owner renew. If no owner has a key any more, start another session (peershelf tracker --session NAME) and invite the others again.',
  MEMBER_REMOVED: () =>
    'An owner has removed you from this session. Ask an owner if you think that this is a mistake.',
  MEMBERSHIP_UNCLEAR: () =>
    'It is not certain who is a member of this session now, so nothing is shared. Try again in a minute; if it stays so, ask an owner to start Peershelf, and check the clocks of both computers.',
  EPOCH_KEY_MISSING: (d) =>
    `Another owner, or another copy of your keys, has renewed the key of the session ${d.text('session', '')}, and has left none for you. Run peershelf invite --renew to make another key, with whose invite everybody joins again; or ask the other owner for an invite, and run peershelf owner join with it.`,
  EXPORT_UNREADABLE: () =>
    'The passphrase is wrong, or the file was changed or is no export of an owner. Nothing was imported. Try again, or use another copy.',
  MEMBERS_UNDECIDED: () =>
    'Nothing was changed: say who goes on, with --keep ID… for some of those listed, --yes for all, or --vouched-only for none of them.',
  NOT_ROOT_OWNER: () =>
    'Only the owner who has started the session changes its owners. Ask that owner. If the first key is lost, the owners stay who they are.',
  OWNER_BEHIND: () =>
    'Another owner changes the session at the same time. Run the command again, which takes over what the other one has done.',
  OWNER_BUSY: (d) =>
    `Another command is changing the session ${d.text('session', '')} on this computer. Wait for it to end, then try again.`,
  OWNER_UNHEARD: (d) =>
    `These keys of the session ${d.text('session', '')} are a copy that has not heard what happened since it was made, so it signs nothing. Run peershelf owner renew with the address of a tracker that runs.`,
  OWNER_WITHDRAWN: () =>
    'Your key is no longer that of an owner of this session, so nothing was changed. Ask the owner who has started the session.',
  SESSION_KEYS_KEPT: (d) =>
    `Keys of a session called ${d.text('session', '')} are kept here already, and are not replaced. Name another folder with --data.`,
  TRACKER_BEHIND: () =>
    'The tracker has lost the newest state of the session. Ask an owner to start Peershelf, which brings it back.',
  INVITE_DAMAGED: () =>
    'The invite is not complete, or was changed on its way. Copy all of it again, or ask for a new one.',
  INVITE_FILE_UNSAFE: (d) =>
    `Other accounts can write ${d.text('place', d.path)}, so the invite may not be the one that you put there. Make it writable for you alone (chmod go-w), check the invite, and try again.`,
  INVITE_FOREIGN: (d) =>
    `The invite in ${d.path} is of another team than the one joined by this file before: its session is called ${d.text('session', '')}, its owner has the fingerprint ${d.fingerprint}. Nothing was joined. Compare the fingerprint with the owner by another way; if it is right, save the invite in a file of another name and use that.`,
  INVITE_NOT_FOUND: () =>
    'There is no invite in what was given. It begins with peershelf://join/ or ends a link to Peershelf.',
  INVITE_TOO_NEW: () =>
    'The invite was made by a newer version of Peershelf. Update this one, and join again.',
  LENGTH_MISMATCH: (d) =>
    `${d.owner} sent more than announced. Nothing was kept; ask for the file to be published again.`,
  LIMIT_EXCEEDED: (d) => `A limit was reached: ${d.message}. Do less at once, and try again.`,
  LIST_CHANGED: () => 'The list was just changing. Try again.',
  LOOKS_SECRET: (d) =>
    `${d.name} ${secretText(d.text('kind', ''))} and is not shared. If everyone in the session may read it, --include-secrets shares it.`,
  NAME_CLASH: (d) =>
    `${d.name} is published from ${d.path} already. Give one of them another name with --name.`,
  NAME_TAKEN: (d) =>
    `The hostname ${d.text('hostname', '')} is in use. Choose another with --hostname.`,
  NO_FILE_CHOSEN: () => 'No file was named. See peershelf --help.',
  NO_FREE_PORT: (d) => `${d.message}. Choose another with --port, or --port 0 for any free one.`,
  PORT_IN_USE: (d) => `${d.message}. Choose another with --port, or --port 0 for any free one.`,
  NOT_A_FILE: (d) => `${d.path} is no file. Name files, not folders.`,
  NOT_A_MEMBER: () => 'The invite is not valid any more. Ask for a new one, and join again.',
  NOT_CONNECTED: () => 'There is no connection to a tracker. Check that it runs, and try again.',
  NOT_FOUND: (d) => {
    if (!d.has('name'))
      return `The tracker knows no host ${d.text('hostname', 'of that name')}. See who is there with peershelf list.`;
    return `Nobody offers ${d.name}${d.fromHost}. See what there is with peershelf list.`;
  },
  NOT_ON_DISK: (d) => `${d.path} is not on a disk. Name a file on one.`,
  NOT_PUBLISHED: (d) =>
    `${d.owner} does not offer the file any more. See what there is with peershelf list.`,
  NOT_TRUSTED: () => 'The workspace is not trusted. Trust it in the editor first.',
  OFFER_CHANGED: (d) =>
    `What is offered as ${d.name} is no longer what was confirmed. Nothing was done. Try again.`,
  OUTSIDE_FOLDER: (d) => `${d.path} leads out of its folder through a link. Choose a place inside.`,
  OWN_KEYS: (d) =>
    `${d.name} is Peershelf's own and holds keys or other people's files. It is never shared; leave it out, or move it elsewhere.`,
  PEER_BUSY: (d) => `${d.owner} serves too many others now. Try again in a moment.`,
  PEER_IDENTITY_MISMATCH: (d) =>
    `What answers${d.at} cannot show that it is ${d.owner}. Nothing was sent or fetched. Try again in a minute; if that does not help, ask them to join the session again.`,
  PEER_UNREACHABLE: (d) =>
    d.away === undefined
      ? `Cannot reach ${d.owner}${d.at}. It may be off, or a firewall may block its port.`
      : `${d.owner} is away, ${d.away}. Fetch the file when they are back.`,
  REPLACED: () =>
    'The same peer is connected from elsewhere, and has taken over. Close one of the two, then connect again.',
  RISKY_PLACE: (d) =>
    `${d.name} from ${d.owner} was left out (${riskText(d.text('family', ''))}). If you trust them, --allow-executables fetches it.`,
  SESSION_CHANGED: () => 'The session was left before this was done. Join it again, and try again.',
  SESSION_KEYS_MISSING: (d) =>
    `The keys of the session ${d.text('session', '')} are not kept here. Join with its invite.`,
  STALLED: (d) => `${d.owner} stopped sending. Nothing was changed; try again.`,
  TIMED_OUT: () => 'The tracker did not answer in time. Check the network, and try again.',
  TOO_MANY_FILES: (d) =>
    `There are more than ${d.text('limit', '')} files. Share smaller folders, or leave files out with .peershelfignore.`,
  TRACKER_IDENTITY_MISMATCH: (d) =>
    `${d.text('address', 'The tracker')} is not the tracker of this invite. Nothing was sent. Check the network, or ask for a new invite.`,
  TRACKER_REFUSED: (d) => `The tracker refused: ${d.text('reason', 'no reason given')}.`,
  TRACKER_UNREACHABLE: (d) =>
    `Cannot reach the tracker${d.at}. Check that it runs and that the address is right.`,
};

/** What went wrong and what to do next, in one line for standard error. */
export function errorText(error: PeershelfError): string {
  return TEXTS[error.code](new Details(error));
}
