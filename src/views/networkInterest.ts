import { describeError } from '../common/errors';
import type { Logger } from '../common/logger';
import type { Engine } from '../editor/engine';

/** Tells the engine whether anybody looks at the network, in whichever view. */
export class NetworkInterest {
  private readonly watchers = new Set<string>();

  constructor(
    private readonly engine: Engine,
    private readonly logger: Logger,
  ) {}

  /** A view appears or goes, or there is another connection, which has to be told anew. */
  set(view: string, isVisible: boolean): void {
    if (isVisible) this.watchers.add(view);
    else this.watchers.delete(view);
    if (!this.engine.isRunning) return;
    this.engine.calls
      .watchNetwork({ watching: this.watchers.size > 0 })
      .catch((error: unknown) => this.logger.debug(describeError(error)));
  }
}
