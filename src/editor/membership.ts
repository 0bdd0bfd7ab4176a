import * as vscode from 'vscode';
import { PeershelfError } from '../common/errors';
import { pathKey } from '../common/pathKey';
import { type HostPort, parseHostPort } from '../protocol/address';
import { DEFAULT_TRACKER_PORT } from '../protocol/limits';
import { readSetting } from './contributions';
import { readInviteFile, type TeamTarget } from './invites';
import type { Keyring } from './keyring';

const MEMBERSHIP_KEY = 'session';
const KNOWN_KEY = 'sessions';
/** Sessions that other windows offer to rejoin. */
const MAX_KNOWN = 5;
const INVITE_FILES_KEY = 'inviteFiles';
/** Invite files whose team is remembered, the last one first. */
const MAX_INVITE_FILES = 20;

/** An open session. */
export interface OpenTarget {
  readonly tracker: HostPort;
}

/** A session, with all that is needed to join it. */
export type SessionTarget = OpenTarget | TeamTarget;

/** A team's session without anything secret. */
export type KnownTeam = Pick<TeamTarget, 'team' | 'name'>;

/** Where a workspace belongs, and nothing secret. */
export type Belonging = OpenTarget | KnownTeam | { readonly inviteFile: string };

/** What a workspace remembers: the session that it joined, or that it left on purpose. */
type Stored = OpenTarget | KnownTeam | { readonly left: true };

export interface MembershipDependencies {
  readonly workspaceState: vscode.Memento;
  readonly globalState: vscode.Memento;
  readonly keyring: Keyring;
}

/** Which session this workspace belongs to, and which ones this user knows. Keys are in the keyring. */
export class Membership {
  constructor(private readonly dependencies: MembershipDependencies) {}

  /** The session that this workspace has joined itself, whatever the settings say. */
  get joinedBefore(): OpenTarget | KnownTeam | undefined {
    const { stored } = this;
    return stored === undefined || 'left' in stored ? undefined : stored;
  }

  /** Whether there is a session that this workspace comes back to, also when that is not possible. */
  get belongs(): boolean {
    if (this.stored !== undefined) return this.joinedBefore !== undefined;
    return [readSetting('inviteFile'), readSetting('tracker')].some((text) => text.trim() !== '');
  }

  /** The session that this workspace belongs to, or undefined. A workspace cannot choose it. */
  get remembered(): Belonging | undefined {
    if (this.stored !== undefined) return this.joinedBefore;
    const inviteFile = readSetting('inviteFile').trim();
    if (inviteFile !== '') return { inviteFile };
    const address = readSetting('tracker').trim();
    return address === '' ? undefined : { tracker: parseHostPort(address, DEFAULT_TRACKER_PORT) };
  }

  /** What to rejoin without being asked, or undefined. Never in Restricted Mode. */
  get automatic(): Belonging | undefined {
    if (!vscode.workspace.isTrusted || !readSetting('autoConnect')) return undefined;
    return this.remembered;
  }

  /** Sessions of teams that this user has joined in whatever window, the last one first. */
  get known(): readonly KnownTeam[] {
    return this.dependencies.globalState.get<KnownTeam[]>(KNOWN_KEY) ?? [];
  }

  /**
   * The session with its keys.
   * @throws SESSION_KEYS_MISSING; what is wrong with the invite file, INVITE_FOREIGN among it.
   */
  async recall(belonging: Belonging): Promise<SessionTarget> {
    if ('tracker' in belonging) return belonging;
    if ('inviteFile' in belonging) return this.recallFile(belonging.inviteFile);
    const { team, name } = belonging;
    const invite = await this.dependencies.keyring.invite(team);
    if (invite === undefined)
      throw new PeershelfError('SESSION_KEYS_MISSING', 'there is no invite of this session', {
        details: { session: name },
      });
    return { team, name, invite };
  }

  /** The user wants to join the team whose invite a file has now. */
  async acceptInviteFile(path: string, { team, name }: KnownTeam): Promise<void> {
    const key = pathKey(path);
    const others = this.inviteFiles.filter(([file]) => file !== key);
    const all = [[key, { team, name }] as const, ...others].slice(0, MAX_INVITE_FILES);
    await this.dependencies.globalState.update(INVITE_FILES_KEY, all);
  }

  /** This workspace has joined a session. */
  async remember(target: SessionTarget): Promise<void> {
    const { workspaceState, globalState, keyring } = this.dependencies;
    if ('tracker' in target) {
      await workspaceState.update(MEMBERSHIP_KEY, target satisfies Stored);
      return;
    }
    const { team, name, invite } = target;
    // First the keys: who remembers a session must find them.
    await keyring.keepInvite(team, invite);
    await workspaceState.update(MEMBERSHIP_KEY, { team, name } satisfies Stored);
    const others = this.known.filter((one) => one.team !== team);
    await globalState.update(KNOWN_KEY, [{ team, name }, ...others].slice(0, MAX_KNOWN));
  }

  /** This workspace belongs to no session any more; the keys stay. */
  async leave(): Promise<void> {
    await this.dependencies.workspaceState.update(MEMBERSHIP_KEY, { left: true } satisfies Stored);
  }

  /** Forgets a session and its invite, for all windows. */
  async forget(team: string): Promise<void> {
    const { globalState, keyring } = this.dependencies;
    await keyring.forget(team);
    const others = this.known.filter((one) => one.team !== team);
    await globalState.update(KNOWN_KEY, others);
  }

  /**
   * The session of an invite file. Once that is the invite of another team, nothing is joined without
   * the user: whoever can write the file would choose where the window goes.
   */
  private async recallFile(path: string): Promise<TeamTarget> {
    const { target, owner } = readInviteFile(path);
    const [, before] = this.inviteFiles.find(([file]) => file === pathKey(path)) ?? [];
    if (before === undefined) await this.acceptInviteFile(path, target);
    else if (before.team !== target.team)
      throw new PeershelfError(
        'INVITE_FOREIGN',
        'the invite file has become that of another team',
        {
          details: { path, session: target.name, team: target.team, owner, before: before.name },
        },
      );
    return target;
  }

  private get inviteFiles(): readonly (readonly [file: string, team: KnownTeam])[] {
    return this.dependencies.globalState.get(INVITE_FILES_KEY) ?? [];
  }

  private get stored(): Stored | undefined {
    return this.dependencies.workspaceState.get<Stored>(MEMBERSHIP_KEY);
  }
}
