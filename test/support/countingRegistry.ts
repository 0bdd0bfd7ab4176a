import type { ControlVersion } from '../../src/protocol/controlRequestsV2';
import { MemoryRegistry } from '../../src/tracker/memoryRegistry';

/** Counts how often everything was asked for. */
export class CountingRegistry extends MemoryRegistry {
  lists = 0;

  override list(version?: ControlVersion): string {
    this.lists += 1;
    return super.list(version);
  }
}
