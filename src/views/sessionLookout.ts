import * as vscode from 'vscode';
import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { Engine } from '../editor/engine';
import { foreignText } from '../editor/foreignText';
import type { FoundSession } from '../protocol/announcement';

/** Sessions in the network whose names are shown, and how much of each. */
const MAX_FOUND_NAMES = 3;
const MAX_FOUND_NAME_LENGTH = 40;

/** Other sessions are looked for while somebody looks at a view and is in none. */
export class SessionLookout {
  constructor(
    private readonly engine: Engine,
    private readonly logger: Logger,
    private readonly isWatched: () => boolean,
  ) {}

  /** Looks, or stops looking, as things are now; the engine starts for it. */
  look(): void {
    const watching = this.isWatched() && this.engine.state.connection.kind === 'disconnected';
    if (!watching && !this.engine.isRunning) return;
    // What it throws at once, when the window closes, is of no more interest than what it rejects with.
    Promise.resolve()
      .then(() => this.engine.calls.watchSessions({ watching }))
      .catch((error: unknown) => this.logger.debug(describeError(error)));
  }
}

/** Names of sessions in the network, of which anybody can make up any; nothing where there is none. */
export function describeFound(sessions: readonly FoundSession[]): string[] {
  if (sessions.length === 0) return [];
  const names = sessions
    .slice(0, MAX_FOUND_NAMES)
    .map(({ sessionName }) => foreignText(sessionName, MAX_FOUND_NAME_LENGTH));
  const rest = sessions.length > MAX_FOUND_NAMES ? ['…'] : [];
  return [vscode.l10n.t('found: {0}', [...names, ...rest].join(', '))];
}
