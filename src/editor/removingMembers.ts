import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import type { KnownMember, SealedMember } from '../peer/peerApi';
import { shortFingerprint } from '../protocol/shortFingerprint';
import { listChanged } from './commandArguments';
import type { Engine } from './engine';
import { foreignText } from './foreignText';
import { formatDay } from './format';
import type { Invitations } from './invitations';
import { ask, notify } from './notifier';
import { peersOf } from './networkCommands';
import type { OwnSession } from './ownSession';
import type { Session } from './session';

/** Members that one question names: more would push its buttons out of sight. */
const MAX_NAMED = 8;

export interface RemovingMembersDependencies {
  readonly engine: Engine;
  readonly session: Session;
  readonly ownSession: OwnSession;
  readonly invitations: Invitations;
}

/** A member in a list of choices; one that was accepted long ago may be known by its identity only. */
type Candidate = Pick<KnownMember, 'identity' | 'sealingPoint'> &
  Partial<Pick<KnownMember, 'displayName' | 'hostnames' | 'seenMs'>>;

interface CandidateItem extends vscode.QuickPickItem {
  readonly member: Candidate;
}

/** Removal of members by an owner of the session. */
export class RemovingMembers {
  constructor(private readonly dependencies: RemovingMembersDependencies) {}

  /**
   * Removes the members of these rows, or those that the owner picks when there are none.
   * @throws NOT_CONNECTED outside of the session of a team, and what `OwnSession.remove` does.
   */
  async remove(rows: readonly unknown[]): Promise<void> {
    const { engine, session, ownSession, invitations } = this.dependencies;
    const { team } = session;
    if (team === undefined) throw new PeershelfError('NOT_CONNECTED', 'in no session of a team');
    const described = await ownSession.describe(team);
    if (described === undefined) {
      notify(
        'info',
        vscode.l10n.t(
          "Only an owner of the session {0} can remove members, on the computer that has the owner's key and runs the tracker.",
          foreignText(team.name),
        ),
      );
      return;
    }
    await engine.calls.refreshNetwork();
    const { ownIdentity } = await engine.calls.snapshot();
    const known = await engine.calls.members();
    const others = known.filter(({ identity }) => identity !== ownIdentity);
    const removed = rows.length > 0 ? membersOfRows(rows, others) : await pickRemoved(others);
    if (removed === undefined) return;
    if (removed.length === 0) {
      // A member whom somebody has removed meanwhile has a row for a moment.
      if (!peersOf(rows).some(({ identity }) => identity === ownIdentity)) throw listChanged();
      notify('info', vscode.l10n.t('Nobody was removed: you cannot remove yourself.'));
      return;
    }
    const isRemoved = (identity: string): boolean =>
      removed.some((member) => member.identity === identity);
    const rest = withVouched(others, described.vouched).filter(
      ({ identity }) => identity !== ownIdentity && !isRemoved(identity),
    );
    if (!(await confirm(removed, { session: team.name, isLast: rest.length === 0 }))) return;
    const vouched = new Set(described.vouched.map(({ identity }) => identity));
    const staying = rest.length === 0 ? [] : await pickStaying(rest, vouched);
    if (staying === undefined) return;
    const goingOn = await ownSession.remove(team, {
      removed: removed.map(({ identity }) => identity),
      // This user first, whose other windows go on, too.
      members: [...known.filter(({ identity }) => identity === ownIdentity), ...staying],
    });
    const count = goingOn.filter((identity) => identity !== ownIdentity).length;
    notify('info', resultText(removed, { count, leftOut: rest.length - count }), [
      invitations.copyAction(),
    ]);
  }
}

/** Members whose hosts are chosen in a tree, each once. @throws LIST_CHANGED when the rows are gone. */
function membersOfRows(rows: readonly unknown[], others: readonly KnownMember[]): KnownMember[] {
  const chosen = new Set(peersOf(rows).map(({ identity }) => identity));
  return others.filter(({ identity }) => chosen.has(identity));
}

/** Members whom the owner has accepted, with those that are known besides. */
function withVouched(
  known: readonly KnownMember[],
  vouched: readonly SealedMember[],
): readonly Candidate[] {
  const names = new Set(known.map(({ identity }) => identity));
  return [...known, ...vouched.filter(({ identity }) => !names.has(identity))];
}

/** Undefined when the list is closed without a choice. */
async function pickRemoved(others: readonly KnownMember[]): Promise<KnownMember[] | undefined> {
  if (others.length === 0) {
    notify('info', vscode.l10n.t('Nobody else has been seen in this session yet.'));
    return undefined;
  }
  const items = others.map((member) => ({ ...itemOf(member), member }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Remove Member'),
    placeHolder: vscode.l10n.t('Tick everyone who is to be removed'),
    canPickMany: true,
    matchOnDescription: true,
  });
  // A list that is accepted without a tick names nobody.
  return chosen === undefined || chosen.length === 0
    ? undefined
    : chosen.map(({ member }) => member);
}

/** Asks who goes on without a new invite. Undefined when the list is closed without an answer. */
async function pickStaying(
  rest: readonly Candidate[],
  vouched: ReadonlySet<string>,
): Promise<Candidate[] | undefined> {
  const isVouched = ({ identity }: Candidate): boolean => vouched.has(identity);
  const items = [...rest]
    // The most trusted first: there are limits to how many go on by themselves.
    .sort((one, other) => Number(isVouched(other)) - Number(isVouched(one)))
    .map((member): CandidateItem => ({ ...itemOf(member), picked: isVouched(member), member }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Who Stays?'),
    placeHolder: vscode.l10n.t('Tick only people you know. All others need the new invite.'),
    canPickMany: true,
    ignoreFocusOut: true,
    matchOnDescription: true,
  });
  return chosen?.map(({ member }) => member);
}

function itemOf(member: Candidate): vscode.QuickPickItem {
  const { identity, hostnames = [], seenMs } = member;
  const details = [
    shortFingerprint(identity),
    ...(seenMs === undefined ? [] : [vscode.l10n.t('last seen {0}', formatDay(seenMs))]),
  ];
  const detail = hostnames.map((hostname) => foreignText(hostname)).join(', ');
  return { label: nameOf(member), description: details.join(' · '), detail };
}

function nameOf({ displayName, identity }: Candidate): string {
  return displayName === undefined ? shortFingerprint(identity) : foreignText(displayName);
}

async function confirm(
  removed: readonly KnownMember[],
  { session, isLast }: { readonly session: string; readonly isLast: boolean },
): Promise<boolean> {
  const [first] = removed;
  const message =
    removed.length === 1 && first !== undefined
      ? vscode.l10n.t('Remove {0} from the session {1}?', nameOf(first), foreignText(session))
      : vscode.l10n.t(
          'Remove {0} members from the session {1}?',
          removed.length,
          foreignText(session),
        );
  const named = removed
    .slice(0, MAX_NAMED)
    .map((member) => `${nameOf(member)} · ${shortFingerprint(member.identity)}`);
  const detail = [
    [...named, ...(removed.length > MAX_NAMED ? ['…'] : [])].join('\n'),
    vscode.l10n.t(
      'Running transfers end at once, and no invite, old or new, lets a removed identity in again. The session gets a new invite.',
    ),
    vscode.l10n.t(
      'Files that were fetched cannot be taken back. A removed person can return under another identity: one made beforehand, or with the new invite or the key from a member who passes it on.',
    ),
  ].join('\n\n');
  const title = isLast ? vscode.l10n.t('Remove') : vscode.l10n.t('Choose Who Stays…');
  return (await ask(message, detail, title)) === title;
}

function resultText(
  removed: readonly KnownMember[],
  { count, leftOut }: { readonly count: number; readonly leftOut: number },
): string {
  const names = removed.slice(0, MAX_NAMED).map(nameOf).join(', ');
  const shown = removed.length > MAX_NAMED ? `${names}, …` : names;
  const parts = [
    vscode.l10n.t('Removed: {0}.', shown),
    count === 1
      ? vscode.l10n.t('1 member goes on without doing anything.')
      : vscode.l10n.t('{0} members go on without doing anything.', count),
  ];
  if (leftOut === 1) parts.push(vscode.l10n.t('1 other needs the new invite.'));
  if (leftOut > 1) parts.push(vscode.l10n.t('{0} others need the new invite.', leftOut));
  return parts.join(' ');
}
