import { DisposableBase } from '../common/disposable';
import type { CommandRunner } from './commandRunner';
import { setContext } from './contributions';
import type { Engine } from './engine';
import type { Publishing } from './publishing';

export interface OfferingFetchedDependencies {
  readonly engine: Engine;
  readonly publishing: Pick<Publishing, 'offerFetched'>;
  readonly runner: Pick<CommandRunner, 'run'>;
}

/**
 * Whether what is fetched is offered, too. Fetching never publishes by itself: this is off until the
 * user wishes for it, and off again when the session ends.
 */
export class OfferingFetched extends DisposableBase {
  private isOn = false;

  constructor(private readonly dependencies: OfferingFetchedDependencies) {
    super();
    const { engine } = dependencies;
    this.register(
      engine.onDidChange((part) => {
        if (part === 'connection' && engine.state.connection.kind === 'disconnected')
          this.set(false);
      }),
    );
    this.set(false);
  }

  set(isOn: boolean): void {
    this.isOn = isOn;
    setContext('offersFetched', isOn);
  }

  /** Absolute paths of files, and of folders with all that is in them. */
  onFetched(paths: readonly string[]): void {
    const { publishing, runner } = this.dependencies;
    if (this.isOn && paths.length > 0)
      void runner.run('offer what was fetched', () => publishing.offerFetched(paths));
  }
}
