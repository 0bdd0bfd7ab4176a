import { MemoryRegistry } from '../../src/tracker/memoryRegistry';

/** Counts how often everything was asked for. */
export class CountingRegistry extends MemoryRegistry {
  lists = 0;

  override list(): string {
    this.lists += 1;
    return super.list();
  }
}
