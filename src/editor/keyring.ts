import type * as vscode from 'vscode';
import type { TeamConnectRequest } from '../peer/peerApi';

type Identity = TeamConnectRequest['identity'];

const IDENTITY_KEY = 'identity';
const inviteKey = (team: string): string => `invite ${team}`;
const recordKey = (team: string): string => `session ${team}`;

/**
 * Where this user's keys are: in the secret storage of VS Code, and nowhere else. It belongs to the
 * program that shows the window, not to the machine that the window works on, and not every browser
 * keeps it over a reload: that a key is missing is a normal state.
 */
export class Keyring {
  private identityRequest: Promise<Identity> | undefined;

  constructor(
    private readonly secrets: vscode.SecretStorage,
    private readonly createIdentity: () => Promise<Identity>,
  ) {}

  /** Who this user is; made when nobody has been yet. */
  identity(): Promise<Identity> {
    this.identityRequest ??= this.loadIdentity().catch((error: unknown) => {
      this.identityRequest = undefined;
      throw error;
    });
    return this.identityRequest;
  }

  /** The invite of a session that was joined, or undefined. */
  async invite(team: string): Promise<string | undefined> {
    return this.secrets.get(inviteKey(team));
  }

  async keepInvite(team: string, invite: string): Promise<void> {
    await this.keep(inviteKey(team), invite);
  }

  /** A session that was started here, as the engine writes it, or undefined. */
  async record(team: string): Promise<string | undefined> {
    return this.secrets.get(recordKey(team));
  }

  async keepRecord(team: string, record: string): Promise<void> {
    await this.keep(recordKey(team), record);
  }

  /** Forgets how to join a session. Who has started it can start it again, with the same invite. */
  async forget(team: string): Promise<void> {
    const key = inviteKey(team);
    if ((await this.secrets.get(key)) !== undefined) await this.secrets.delete(key);
  }

  /** Not without need: a browser's window writes all it knows, and over what others have written. */
  private async keep(key: string, value: string): Promise<void> {
    if ((await this.secrets.get(key)) !== value) await this.secrets.store(key, value);
  }

  private async loadIdentity(): Promise<Identity> {
    const stored = parseIdentity(await this.secrets.get(IDENTITY_KEY));
    if (stored !== undefined) return stored;
    const made = await this.createIdentity();
    await this.secrets.store(IDENTITY_KEY, JSON.stringify(made));
    // Another window may have made one at the same time: what is kept holds for both.
    return parseIdentity(await this.secrets.get(IDENTITY_KEY)) ?? made;
  }
}

/** Only its shape is looked at; the engine looks at the rest. */
function parseIdentity(text: string | undefined): Identity | undefined {
  if (text === undefined) return undefined;
  try {
    const { certificate, privateKey } = JSON.parse(text) as Partial<Record<string, unknown>>;
    return typeof certificate === 'string' && typeof privateKey === 'string'
      ? { certificate, privateKey }
      : undefined;
  } catch {
    return undefined; // What the parser says may quote the text.
  }
}
