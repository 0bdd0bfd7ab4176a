import { Cleanup } from '../../scripts/host/cleanup';

/** A cleanup that runs after each test of the surrounding `describe`. */
export function useCleanup(): Cleanup {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());
  return cleanup;
}
