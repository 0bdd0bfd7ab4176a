import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';

/** A new empty folder, removed after the test. */
export function temporaryFolder(cleanup: Pick<Cleanup, 'add'>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'peershelf-test-')));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
